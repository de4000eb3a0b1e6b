# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All reasons not to release a tree: release_ready.py [DIRECTORY]. It prints them and exits with 1.

$WITHOUT_ADDRESS allows a release whose public address isn't known.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import yaml

RELEASED = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
"""A version without an addition: 1.0.0-rc1 is for trials."""


def faults(root: Path, without_address: bool) -> Iterator[str]:
    galaxy = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
    version = str(galaxy["version"])
    if not RELEASED.fullmatch(version):
        yield f"galaxy.yml: the version {version} is not MAJOR.MINOR.PATCH."
    host = urlsplit(galaxy["repository"]).hostname or ""
    if host.endswith(".invalid") and not without_address:
        yield (
            f"galaxy.yml: the repository {galaxy['repository']} is a placeholder. "
            "Write the public address, or set WITHOUT_ADDRESS=1."
        )
    releases = yaml.safe_load((root / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    if version not in releases:
        yield f"changelogs/changelog.yaml: it has no release {version}. `make changelog VERSION={version}` makes it."
    elif f"v{version}" not in (root / "CHANGELOG.rst").read_text(encoding="utf-8"):
        yield f"CHANGELOG.rst: it has no chapter v{version}. `antsibull-changelog generate` writes it."
    left = sorted(path.name for path in (root / "changelogs/fragments").glob("*.y*ml"))
    if left:
        yield f"changelogs/fragments: {len(left)} are in no release, such as {left[0]}."
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if changed:
        yield f"git: {len(changed)} files are not committed, such as {changed[0][3:]}."


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found = list(faults(place, bool(os.environ.get("WITHOUT_ADDRESS"))))
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(bool(found))
