# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom: the rules of docs/architecture.md, over all imports of plugins/, those of types too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Optional

import pytest

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "galaxy.yml").is_file())
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
REAL = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.glob("plugins/**/*.py")}

COLLECTION = "ansible_collections.dbfleet.cluster."
BY_NAME = re.compile(rf"{re.escape(COLLECTION)}plugins(\.\w+)+")
"""A text that is the name of one of our modules is an import too: the simulator is started by its name."""

LONGEST = 500
"""Lines of one file. A longer one has a second subject."""

# -- the rules --------------------------------------------------------------------------------------------------------

UTILS, SIMULATOR = "plugins/module_utils/", "plugins/plugin_utils/simulator/"
RUNBOOKS = "plugin_utils/runbooks/"
WORKERS = "module_utils/_convergence/workers.py"
REPORTS = "module_utils/_exasol/report.py module_utils/_nuodb/report.py"
PROGRAM = f"{COLLECTION}plugins.plugin_utils.simulator"


def rows(folder: str, given: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Places, and what each may import, below one folder."""
    return {
        folder + place: tuple(folder + one for one in allowed.split())
        for places, allowed in given.items()
        for place in places.split()
    }


BELOW = "*.py _convergence/"

EAO, CONFD = "_exasol/eao/", "_exasol/confd/"
SHARED = "_exasol/view.py _exasol/copies.py _exasol/guards.py _exasol/selection.py _exasol/log.py _exasol/options.py"
"""What all subjects of Exasol use. Beside it, a subject imports the subjects that it stands on, and nothing more."""
SUBJECT = f"{BELOW} _exasol/api/ {SHARED}"
NODES = "_exasol/nodes/"
STORAGE = f"{NODES} _exasol/storage.py"
DATABASES = f"{STORAGE} _exasol/databases/"
OTHERS = (
    "backups/ volumes/ jobs/ plugins.py rolling.py report.py report_configuration.py runbooks.py runout.py connect.py"
)
WITHOUT_PROVIDERS = f"_exasol/api/ {SHARED} {DATABASES} " + " ".join(f"_exasol/{name}" for name in OTHERS.split())

DOMAIN = "_nuodb/view.py _nuodb/guards.py _nuodb/external.py _nuodb/serving.py _nuodb/options.py"
"""What all subjects of NuoDB use."""
NUODB = f"{BELOW} _nuodb/api/ {DOMAIN}"

MAY = {
    **rows(
        UTILS,
        {
            # The ground floor stands on nothing, the middle floor knows no vendor and no HTTP.
            "*.py": "_http/",
            "_http/": "_errors.py _foreign.py _secrets.py",
            "_convergence/": "_errors.py _task.py _timeline.py _wording.py",
            # The interface knows nobody who speaks it or uses it; who speaks it knows no subject, nor the other server.
            # Of the middle floor they take the threads alone, to read many objects side by side.
            "_exasol/api/": "_errors.py _foreign.py _json.py _secrets.py _wording.py",
            f"{EAO} {CONFD}": "*.py _http/ _convergence/workers.py _exasol/api/",
            "_exasol/connection.py": "*.py _http/ _exasol/api/",
            # Subjects know no server, and one another in one direction.
            f"{SHARED} {NODES} _exasol/plugins.py _exasol/report_configuration.py": SUBJECT,
            "_exasol/options.py": f"{SUBJECT} _exasol/connection.py",
            "_exasol/storage.py _exasol/volumes/": f"{SUBJECT} {NODES}",
            "_exasol/databases/ _exasol/rolling.py": f"{SUBJECT} {STORAGE}",
            "_exasol/backups/": f"{SUBJECT} {DATABASES}",
            "_exasol/runout.py": f"{SUBJECT} _exasol/backups/",
            "_exasol/runbooks.py": f"{SUBJECT} {DATABASES} _exasol/runout.py",
            "_exasol/report.py": f"{SUBJECT} {NODES} _exasol/report_configuration.py",
            # Three places know servers: jobs are ConfD's by nature, the others find out which server it is.
            "_exasol/jobs/": f"{BELOW} _exasol/api/ {CONFD}",
            "_exasol/detection.py": f"*.py _http/ _exasol/api/ {CONFD}",
            "_exasol/connect.py": f"*.py _http/ _exasol/api/ _exasol/connection.py _exasol/options.py "
            f"_exasol/detection.py {EAO} {CONFD}",
            # NuoDB in the same order. It has one server, so the interface speaks for itself.
            "_nuodb/api/": "*.py _http/",
            "_nuodb/users.py _nuodb/stored.py _nuodb/license.py _nuodb/versions.py": "*.py _nuodb/api/",
            "_nuodb/lease.py _nuodb/restart_mark.py": "*.py _nuodb/api/ _nuodb/stored.py",
            "_nuodb/connection.py": "*.py _http/",
            "_nuodb/connect.py": "*.py _http/ _nuodb/api/ _nuodb/connection.py",
            f"{DOMAIN} _nuodb/servers.py _nuodb/archives.py _nuodb/processes/ _nuodb/runout.py": NUODB,
            "_nuodb/options.py": f"{NUODB} _nuodb/connection.py",
            "_nuodb/report.py": f"{NUODB} _nuodb/license.py _nuodb/versions.py",
            "_nuodb/databases/": f"{NUODB} _nuodb/processes/",
            "_nuodb/hotcopies/ _nuodb/storage_groups.py _nuodb/diagnosis.py": f"{NUODB} _nuodb/databases/",
            "_nuodb/rolling.py": f"{NUODB} _nuodb/processes/ _nuodb/databases/ _nuodb/servers.py "
            "_nuodb/storage_groups.py",
            "_nuodb/rolling_restart.py": f"{NUODB} _nuodb/processes/ _nuodb/databases/ _nuodb/rolling.py "
            "_nuodb/restart_mark.py _nuodb/lease.py",
            "_nuodb/runbooks.py": f"{NUODB} _nuodb/databases/ _nuodb/servers.py _nuodb/diagnosis.py _nuodb/runout.py",
        },
    ),
    **rows(
        "plugins/",
        {
            "doc_fragments/": "",
            "modules/": " ".join(
                f"module_utils/{one}" for one in f"*.py _convergence/task_stages.py _nuodb/ {WITHOUT_PROVIDERS}".split()
            ),
            "modules/simulator.py": "module_utils/*.py plugin_utils/simulator/",
            "action/": "module_utils/ modules/ plugin_utils/direct.py",
            # What runbooks use is loaded by the actions behind them, in the main process.
            "action/profile.py": "module_utils/*.py modules/profile.py plugin_utils/direct.py "
            "plugin_utils/profile_writer.py",
            "action/runbook.py": f"module_utils/*.py modules/ plugin_utils/*.py {RUNBOOKS}*.py",
            # What carries runbooks out knows none of them: they stand in the folders of the products. A runbook
            # knows no API either, for the modules do its work.
            f"{RUNBOOKS}*.py": "module_utils/*.py plugin_utils/*.py",
            f"{RUNBOOKS}recorder.py {RUNBOOKS}journal.py {RUNBOOKS}plan_file.py": f"{RUNBOOKS}*.py module_utils/*.py "
            "plugin_utils/*.py plugin_utils/report/",
            f"{RUNBOOKS}begin.py": f"{RUNBOOKS}*.py module_utils/*.py plugin_utils/*.py",
            f"{RUNBOOKS}run.py": f"{RUNBOOKS}*.py module_utils/*.py modules/ plugin_utils/*.py",
            f"{RUNBOOKS}check.py {RUNBOOKS}catalogue.py": f"{RUNBOOKS}",
            f"{RUNBOOKS}exasol/ {RUNBOOKS}nuodb/": f"{RUNBOOKS}definition.py {RUNBOOKS}kept.py {RUNBOOKS}run.py",
            f"{RUNBOOKS}nuodb/lease.py": f"{RUNBOOKS}definition.py {RUNBOOKS}run.py plugin_utils/worker.py "
            "module_utils/_nuodb/lease.py",
            f"{RUNBOOKS}kept.py": f"{RUNBOOKS}run.py module_utils/*.py plugin_utils/left_file.py {REPORTS}",
            "action/fleet_check.py": "module_utils/*.py modules/fleet_check.py plugin_utils/*.py plugin_utils/fleet/ "
            f"{RUNBOOKS}variables.py",
            "action/fleet_info.py": "module_utils/*.py modules/fleet_info.py plugin_utils/*.py plugin_utils/fleet/ "
            f"{RUNBOOKS}variables.py",
            "action/runs_info.py": "module_utils/*.py modules/runs_info.py plugin_utils/*.py plugin_utils/report/ "
            f"{RUNBOOKS}variables.py",
            "action/rehearsal.py": "module_utils/*.py modules/rehearsal.py plugin_utils/*.py plugin_utils/rehearsal/ "
            f"{RUNBOOKS}*.py",
            # A rehearsal starts the simulator by its module; of the runs it reads what they leave.
            "plugin_utils/rehearsal/": "module_utils/*.py plugin_utils/*.py plugin_utils/report/ "
            "plugin_utils/rehearsal/",
            "plugin_utils/rehearsal/course.py": "module_utils/*.py modules/simulator.py plugin_utils/*.py "
            f"plugin_utils/report/ plugin_utils/rehearsal/ {RUNBOOKS}*.py",
            "action/maintenance.py": "module_utils/*.py modules/maintenance.py plugin_utils/*.py plugin_utils/fleet/ "
            f"plugin_utils/maintenance/ {RUNBOOKS}*.py",
            "plugin_utils/maintenance/": "module_utils/*.py plugin_utils/*.py plugin_utils/fleet/condition.py "
            f"plugin_utils/fleet/meant.py plugin_utils/maintenance/ {RUNBOOKS}*.py",
            "plugin_utils/maintenance/lease.py": "plugin_utils/fleet/condition.py plugin_utils/fleet/meant.py "
            f"plugin_utils/worker.py {RUNBOOKS}nuodb/lease.py",
            "plugin_utils/maintenance/waves.py": "module_utils/*.py",
            "plugin_utils/maintenance/verdict.py": f"plugin_utils/fleet/condition.py {REPORTS}",
            # A plugin of each product, with its documentation; what it does is the same for both.
            "inventory/": "plugin_utils/fleet/inventory.py",
            "plugin_utils/direct.py": "module_utils/ modules/ plugin_utils/*.py",
            # A fleet is read by the modules of the products; what is said of a cluster comes from their reports.
            "plugin_utils/fleet/": f"module_utils/*.py plugin_utils/*.py {RUNBOOKS}variables.py",
            "plugin_utils/fleet/look.py": f"module_utils/*.py {WORKERS} {REPORTS} modules/ plugin_utils/*.py "
            "plugin_utils/fleet/",
            "plugin_utils/fleet/check.py": f"module_utils/*.py {WORKERS} modules/ plugin_utils/*.py {RUNBOOKS}*.py "
            "plugin_utils/fleet/",
            "plugin_utils/fleet/condition.py": f"module_utils/*.py module_utils/_exasol/copies.py {REPORTS}",
            "plugin_utils/far.py": "module_utils/_errors.py",
            "plugin_utils/bytecode.py plugin_utils/plain.py plugin_utils/host_variables.py "
            "plugin_utils/stats.py plugin_utils/left_file.py plugin_utils/worker.py": "",
            "plugin_utils/profiles.py": "module_utils/*.py module_utils/_http/client.py plugin_utils/environment.py "
            "plugin_utils/products.py plugin_utils/profile_parents.py plugin_utils/profile_templates.py",
            "plugin_utils/profile_writer.py": "module_utils/*.py plugin_utils/profiles.py "
            "plugin_utils/profile_parents.py plugin_utils/profile_templates.py plugin_utils/left_file.py",
            "plugin_utils/profile_parents.py": "module_utils/*.py plugin_utils/products.py",
            "plugin_utils/profile_templates.py": "module_utils/*.py plugin_utils/plain.py",
            "plugin_utils/environment.py": "module_utils/*.py plugin_utils/products.py",
            "plugin_utils/products.py": "module_utils/",
            "plugin_utils/progress.py": "module_utils/*.py",
            "plugin_utils/table.py plugin_utils/tones.py": "module_utils/_foreign.py plugin_utils/progress.py",
            "plugin_utils/results.py": "module_utils/_foreign.py",
            # What a run leaves; the runbooks hand it over as plain data.
            "plugin_utils/report/": "module_utils/*.py plugin_utils/progress.py plugin_utils/last_words.py "
            "plugin_utils/table.py plugin_utils/left_file.py plugin_utils/report/",
            "callback/": "module_utils/*.py plugin_utils/progress.py plugin_utils/tones.py plugin_utils/results.py",
            "plugin_utils/command_line.py plugin_utils/last_words.py": "module_utils/_foreign.py "
            "plugin_utils/progress.py",
            "filter/": "module_utils/*.py plugin_utils/bytecode.py plugin_utils/command_line.py "
            "plugin_utils/last_words.py",
            "filter/condition.py": "plugin_utils/fleet/condition.py",
            "filter/failing.py": "",
            "filter/waves.py": "filter/failing.py",
            "filter/not_maintained.py": "filter/failing.py plugin_utils/maintenance/ledger.py",
        },
    ),
    **rows(
        SIMULATOR,
        {
            # Nothing of the client, whose mistakes it would share; and of the products, products.py alone knows.
            "*.py": "",
            "products.py": "*.py exasol/*.py nuodb/*.py",
            "exasol/*.py": "*.py exasol/eao/ exasol/confd/*.py",
            "exasol/common/": "*.py",
            "exasol/eao/ exasol/confd/*.py": "*.py exasol/common/",
            "exasol/confd/jobs/": "*.py exasol/common/ exasol/confd/*.py",
            "exasol/confd/service.py": "*.py exasol/common/ exasol/confd/*.py exasol/confd/jobs/",
            "nuodb/*.py": "*.py",
            "nuodb/api/": "*.py nuodb/*.py",
            "nuodb/service.py": "*.py nuodb/*.py nuodb/api/",
        },
    ),
}
"""What each place may import of plugins/ beside itself. What isn't named is forbidden.

A place is a file (`a.py`), the files directly in a folder (`a/*.py`), or all below a folder (`a/`). Of several places
that a file is in, the narrowest is its own.
"""

# -- the imports ------------------------------------------------------------------------------------------------------


class Arrow(NamedTuple):
    """One import."""

    source: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def arrows(files: dict[str, str]) -> set[Arrow]:
    """All imports from one file of plugins/ to another, wherever they stand in it.

    :param files: path -> source.
    """
    return {
        Arrow(path, line, target)
        for path, source in files.items()
        for line, dotted in _imported(path, source)
        for target in [_file_of(dotted, files)]
        if target.startswith("plugins/") and target != path
    }


def _imported(path: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """The line of each import, and the names that may be the module meant, the longest first."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, [alias.name]
        elif isinstance(node, ast.ImportFrom):
            here = COLLECTION.split(".")[:-1] + path.split("/")[:-1]
            base = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                yield node.lineno, [f"{module}.{alias.name}", module]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and BY_NAME.fullmatch(node.value):
            yield node.lineno, [node.value]


def _file_of(names: list[str], files: dict[str, str]) -> str:
    """The path of the first of these modules that is there, else the folder of the last."""
    paths = [name.removeprefix(COLLECTION).replace(".", "/") for name in names]
    there = [found for path in paths for found in (f"{path}.py", f"{path}/__init__.py") if found in files]
    return there[0] if there else f"{paths[-1]}/"


def folder_of(path: str) -> str:
    return path.rpartition("/")[0] + "/"


def is_in(path: str, place: str) -> bool:
    if place.endswith("/*.py"):
        return folder_of(path) == place[: -len("*.py")]
    return path.startswith(place) if place.endswith("/") else path == place


def place_of(path: str) -> Optional[str]:
    """The narrowest place that a file is in."""
    places = [place for place in MAY if is_in(path, place)]
    return max(places, key=lambda place: (place == path, len(place)), default=None)


def knots(pairs: set[tuple[str, str]]) -> list[set[str]]:
    """What leads to itself by way of others, each circle with all that is in it."""
    ahead: dict[str, set[str]] = {}
    for source, target in pairs:
        ahead.setdefault(source, set()).add(target)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        left = [start]
        while left:
            new = ahead.get(left.pop(), set()) - seen
            seen |= new
            left += new
        return seen

    reach = {name: reached(name) for name in ahead}
    found = {frozenset(other for other in reach[name] if name in reach.get(other, ())) for name in ahead}
    return sorted((set(one) for one in found if len(one) > 1), key=sorted)


# -- each rule returns the sentences of those who break it ------------------------------------------------------------


def forbidden_imports(files: dict[str, str]) -> list[str]:
    found = []
    for arrow in sorted(arrows(files)):
        place = place_of(arrow.source)
        if place and not any(is_in(arrow.target, one) for one in (place, *MAY[place])):
            found.append(f"{arrow}: {place} may import {', '.join(MAY[place]) or 'nothing'}")
    return found


def files_without_a_rule(files: dict[str, str]) -> list[str]:
    alone = [path for path in sorted(files) if files[path].strip() and place_of(path) is None]
    return [f"{path}:1: no place of MAY is its own, so nothing says what it may import" for path in alone]


def rules_without_a_file(files: dict[str, str]) -> list[str]:
    named = {place for place, allowed in MAY.items() for place in (place, *allowed)}
    return [f"MAY names {place}: there is no such file" for place in sorted(named) if not any_in(files, place)]


def any_in(files: dict[str, str], place: str) -> bool:
    return any(is_in(path, place) for path in files)


def circles_between_folders(files: dict[str, str]) -> list[str]:
    """A folder is one room. Where a folder holds folders, each file beside them is a room of its own.

    A circle may run within one folder of the simulator: a part knows the cluster whose part it is.
    """
    folders = {folder_of(path) for path in files}
    halls = {other for other in folders for one in folders if one != other and one.startswith(other)}

    def room(path: str) -> str:
        return path if folder_of(path) in halls else folder_of(path)

    inner = [arrow for arrow in sorted(arrows(files)) if arrow.target in files]
    found = []
    for knot in knots({(room(one.source), room(one.target)) for one in inner if room(one.source) != room(one.target)}):
        if len({folder_of(one) for one in knot}) > 1:
            rooms = [(arrow, room(arrow.source), room(arrow.target)) for arrow in inner]
            found.append("a circle: " + "; ".join(str(one) for one, a, b in rooms if a != b and {a, b} <= knot))
    return found


def circles_of_files(files: dict[str, str]) -> list[str]:
    """Of module_utils, where not even files of one folder may import each other."""
    inner = [arrow for arrow in sorted(arrows(files)) if {arrow.source, arrow.target} <= set(files)]
    inner = [arrow for arrow in inner if arrow.source.startswith(UTILS) and arrow.target.startswith(UTILS)]
    return [
        "a circle: " + "; ".join(str(arrow) for arrow in inner if {arrow.source, arrow.target} <= knot)
        for knot in knots({(arrow.source, arrow.target) for arrow in inner})
    ]


def long_files(files: dict[str, str]) -> list[str]:
    lengths = {path: source.count("\n") for path, source in sorted(files.items())}
    return [f"{path}: {length} lines; {LONGEST} at most" for path, length in lengths.items() if length > LONGEST]


RULES = (
    forbidden_imports,
    files_without_a_rule,
    rules_without_a_file,
    circles_between_folders,
    circles_of_files,
    long_files,
)

# -- the tests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule):
    assert not (broken := rule(REAL)), "\n".join(broken)


def test_the_imports_of_the_tree_are_found():
    found = {(arrow.source, arrow.target) for arrow in arrows(REAL)}
    assert (f"{UTILS}_exasol/storage.py", f"{UTILS}_exasol/guards.py") in found
    assert ("plugins/action/exa_storage.py", "plugins/plugin_utils/direct.py") in found
    assert ("plugins/modules/simulator.py", f"{SIMULATOR}__init__.py") in found
    assert ("plugins/plugin_utils/direct.py", "plugins/modules/") in found
    assert len(found) > 1000


FORBIDDEN = [
    # no vendor on the ground floor and on the middle one, and nothing above the ground floor on it
    (f"{UTILS}_task.py", "from ._exasol.view import ClusterView", f"{UTILS}_exasol/view.py"),
    (f"{UTILS}_options.py", "from ._nuodb import view", f"{UTILS}_nuodb/view.py"),
    (f"{UTILS}_http/client.py", "from .._exasol.confd import codec", f"{UTILS}_exasol/confd/codec.py"),
    (f"{UTILS}_options.py", "from ._convergence.run import Converge", f"{UTILS}_convergence/run.py"),
    (f"{UTILS}_convergence/run.py", "from .._nuodb.api.domain import Domain", f"{UTILS}_nuodb/api/domain.py"),
    (f"{UTILS}_convergence/await_api.py", "from .._http.client import Http", f"{UTILS}_http/client.py"),
    # no provider in a subject
    (f"{UTILS}_exasol/nodes/boot.py", "from ..confd import reachability", f"{UTILS}_exasol/confd/reachability.py"),
    (f"{UTILS}_exasol/backups/taking.py", "from ..eao.backups import Backups", f"{UTILS}_exasol/eao/backups.py"),
    (f"{UTILS}_exasol/storage.py", "from .confd.cluster import ConfdCluster", f"{UTILS}_exasol/confd/cluster.py"),
    (f"{UTILS}_exasol/report.py", "from . import connect", f"{UTILS}_exasol/connect.py"),
    (f"{UTILS}_exasol/view.py", "from .detection import DetectedCluster", f"{UTILS}_exasol/detection.py"),
    (f"{UTILS}_exasol/jobs/run.py", "from ..eao import connection", f"{UTILS}_exasol/eao/connection.py"),
    # no subject in a provider, nor the other provider, nor a wing in the interface
    (f"{UTILS}_exasol/eao/backups.py", "from ..backups import taking", f"{UTILS}_exasol/backups/taking.py"),
    (f"{UTILS}_exasol/confd/volumes.py", "from ..view import ClusterView", f"{UTILS}_exasol/view.py"),
    (f"{UTILS}_exasol/eao/cluster.py", "from ..confd.jobs import ConfdJobs", f"{UTILS}_exasol/confd/jobs.py"),
    (f"{UTILS}_exasol/confd/cluster.py", "from ..eao.cluster import EaoCluster", f"{UTILS}_exasol/eao/cluster.py"),
    (f"{UTILS}_exasol/confd/jobs.py", "from ..._convergence import stage", f"{UTILS}_convergence/stage.py"),
    (f"{UTILS}_exasol/api/cluster.py", "from ..confd.jobs import ConfdJobs", f"{UTILS}_exasol/confd/jobs.py"),
    (f"{UTILS}_exasol/api/nodes.py", "from ..nodes import selection", f"{UTILS}_exasol/nodes/selection.py"),
    # subjects in one direction
    (f"{UTILS}_exasol/nodes/shutdown.py", "from .. import storage", f"{UTILS}_exasol/storage.py"),
    (f"{UTILS}_exasol/storage.py", "from .databases import start_stop", f"{UTILS}_exasol/databases/start_stop.py"),
    (f"{UTILS}_exasol/databases/start_stop.py", "from ..backups import restore", f"{UTILS}_exasol/backups/restore.py"),
    (f"{UTILS}_exasol/nodes/suspension.py", "from ..volumes import plan", f"{UTILS}_exasol/volumes/plan.py"),
    (f"{UTILS}_exasol/volumes/plan.py", "from ..databases import seen", f"{UTILS}_exasol/databases/seen.py"),
    (f"{UTILS}_exasol/guards.py", "from .nodes import selection", f"{UTILS}_exasol/nodes/selection.py"),
    (f"{UTILS}_nuodb/processes/start.py", "from ..databases import wanted", f"{UTILS}_nuodb/databases/wanted.py"),
    (f"{UTILS}_nuodb/databases/start.py", "from ..hotcopies import take", f"{UTILS}_nuodb/hotcopies/take.py"),
    (f"{UTILS}_nuodb/api/objects.py", "from ..view import Snapshot", f"{UTILS}_nuodb/view.py"),
    # products don't know each other
    (f"{UTILS}_exasol/report.py", "from .._nuodb import report", f"{UTILS}_nuodb/report.py"),
    (f"{UTILS}_nuodb/guards.py", "from .._exasol import guards", f"{UTILS}_exasol/guards.py"),
    (f"{SIMULATOR}nuodb/domain.py", "from ..exasol.common import sizes", f"{SIMULATOR}exasol/common/sizes.py"),
    # neither do the simulator and the client, and one module starts the simulator
    (f"{SIMULATOR}http.py", "from ...module_utils import _secrets", f"{UTILS}_secrets.py"),
    (f"{UTILS}_background.py", "from ..plugin_utils.simulator import cli", f"{SIMULATOR}cli.py"),
    ("plugins/action/simulator.py", "from ..plugin_utils.simulator import cli", f"{SIMULATOR}cli.py"),
    ("plugins/plugin_utils/direct.py", "from .simulator.clock import Clock", f"{SIMULATOR}clock.py"),
    ("plugins/modules/exa_node.py", f"from {PROGRAM} import cli", f"{SIMULATOR}cli.py"),
    ("plugins/modules/runbook.py", f"NAME = '{PROGRAM}'", f"{SIMULATOR}__init__.py"),
    # what Ansible loads
    ("plugins/modules/exa_job.py", f"import {COLLECTION}plugins.action.runbook", "plugins/action/runbook.py"),
    (
        "plugins/modules/exa_job.py",
        f"from {COLLECTION}plugins.module_utils._exasol.confd import jobs",
        f"{UTILS}_exasol/confd/jobs.py",
    ),
    ("plugins/doc_fragments/wait.py", "from ..module_utils import _options", f"{UTILS}_options.py"),
    # the simulator's rooms
    (f"{SIMULATOR}served.py", "from .exasol.common import sizes", f"{SIMULATOR}exasol/common/sizes.py"),
    (f"{SIMULATOR}exasol/common/base.py", "from ..eao.cluster import Cluster", f"{SIMULATOR}exasol/eao/cluster.py"),
    (f"{SIMULATOR}exasol/eao/rpc.py", "from ..confd import codecs", f"{SIMULATOR}exasol/confd/codecs.py"),
    (f"{SIMULATOR}exasol/confd/nodes.py", "from .jobs import nodes", f"{SIMULATOR}exasol/confd/jobs/nodes.py"),
    (f"{SIMULATOR}nuodb/policies.py", "from .api.routes import Call", f"{SIMULATOR}nuodb/api/routes.py"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "line", "target"), FORBIDDEN, ids=lambda text: text.replace("plugins/", ""))
@pytest.mark.parametrize("head", ["", "if TYPE_CHECKING:\n    ", "def late():\n    "], ids=["at-once", "type", "late"])
def test_a_forbidden_import_is_found(head, source, line, target):
    files = {source: head + line + "\n", target: ""}
    (found,) = forbidden_imports(files)
    assert found.startswith(f"{source}:{2 if head else 1} imports {target}: {place_of(source)} may import ")


@pytest.mark.parametrize("place", MAY)
def test_no_place_may_import_all(place):
    """A row that forbids nothing would be no rule."""
    source = next(path for path in sorted(REAL) if REAL[path].strip() and place_of(path) == place)
    name = COLLECTION + "plugins.{}"
    others = {f"{SIMULATOR}nuodb/api/rest.py", f"{UTILS}_nuodb/servers.py", f"{UTILS}_exasol/volumes/plan.py"}
    lines = [f"import {name.format(one[len('plugins/') : -len('.py')].replace('/', '.'))}" for one in sorted(others)]
    assert forbidden_imports({source: "\n".join(lines), **dict.fromkeys(others - {source}, "")})


def test_allowed_imports_are_no_fault():
    files = {
        f"{UTILS}_exasol/nodes/boot.py": "from ..api import states\nfrom . import selection\nimport os, requests\n",
        f"{UTILS}_exasol/nodes/selection.py": "from ansible.module_utils.basic import AnsibleModule\n",
        f"{UTILS}_exasol/api/states.py": "",
        "plugins/modules/simulator.py": f"PROGRAM = '{PROGRAM}'\nUSAGE = 'python -m {PROGRAM}'\n",
        f"{SIMULATOR}__init__.py": "",
    }
    assert forbidden_imports(files) == []
    assert len(arrows(files)) == 3


def test_a_file_without_a_rule_is_found():
    (found,) = files_without_a_rule(
        {f"{UTILS}_exasol/licenses.py": "X = 1\n", f"{UTILS}_exasol/nodes/licenses.py": "X = 1\n"}
    )
    assert found.startswith(f"{UTILS}_exasol/licenses.py:1: ")


def test_a_rule_without_a_file_is_found():
    moved = {path: source for path, source in REAL.items() if path != f"{UTILS}_exasol/guards.py"}
    assert rules_without_a_file(moved) == [f"MAY names {UTILS}_exasol/guards.py: there is no such file"]


def test_a_circle_between_folders_is_found():
    one, two = f"{SIMULATOR}nuodb/domain.py", f"{SIMULATOR}nuodb/api/routes.py"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .api.routes import Call\n"
    (found,) = circles_between_folders({one: typed, two: "from ..domain import Domain\n"})
    assert found == f"a circle: {two}:1 imports {one}; {one}:3 imports {two}"
    # Each pair of files points one way, the two folders both.
    crossed = {
        f"{UTILS}_nuodb/processes/selection.py": "from ..databases.wanted import Wanted\n",
        f"{UTILS}_nuodb/databases/start.py": "from ..processes.start import Start\n",
        f"{UTILS}_nuodb/processes/start.py": "",
        f"{UTILS}_nuodb/databases/wanted.py": "",
        f"{UTILS}_nuodb/view.py": "",
    }
    assert len(circles_between_folders(crossed)) == 1
    assert circles_of_files(crossed) == []


def test_a_circle_of_files_is_found():
    def circle(folder: str) -> dict[str, str]:
        return {
            f"{folder}a.py": "from . import b\n",
            f"{folder}b.py": "from .c import C\n",
            f"{folder}c.py": "from . import a\n",
        }

    (found,) = circles_of_files(circle(f"{UTILS}_exasol/nodes/"))
    assert found.count(" imports ") == 3
    assert circles_of_files(circle(f"{SIMULATOR}nuodb/")) == []
    assert circles_between_folders(circle(f"{SIMULATOR}nuodb/")) == []


def test_a_long_file_is_found():
    files = {"plugins/modules/a.py": "\n" * LONGEST, "plugins/modules/b.py": "\n" * (LONGEST + 1)}
    assert long_files(files) == [f"plugins/modules/b.py: {LONGEST + 1} lines; {LONGEST} at most"]


def test_the_page_names_what_is_there():
    named = set(re.findall(r"`((?:plugins|tests|docs|roles|playbooks)/[\w./]+)`", PAGE))
    named |= {UTILS + one for one in re.findall(r"`(_[\w/]+(?:\.py|/))`", PAGE)}
    named |= {SIMULATOR + one for one in re.findall(r"`((?:exasol|nuodb)/[\w/]+(?:\.py|/))`", PAGE)}
    assert len(named) > 20
    assert [one for one in sorted(named) if not (ROOT / one).exists()] == []
