# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller resolves: plain types, profiles, the environment, and which of them wins."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.dbfleet.cluster.plugins.action import exa_job
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, failure
from ansible_collections.dbfleet.cluster.plugins.module_utils._timeline import Timeline
from ansible_collections.dbfleet.cluster.plugins.modules import (
    exa_cluster_info,
    exa_database,
    exa_job as exa_job_module,
)
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import direct, progress
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.simulator import Simulator
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from hypothesis import given, strategies as st

KEY = VaultSecret(b"the vault's key")
PASSWORD = "p w'\"@%&:/+"
SPEC = exa_cluster_info.SPEC["argument_spec"]


class Text(str):
    """As a tagged string of ansible-core 2.19: marshalled by nobody who looks at the exact type."""


class Number(int):
    pass


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.text().map(Text),
        lambda inner: st.lists(inner) | st.dictionaries(st.text().map(Text), inner) | st.tuples(inner, inner),
        max_leaves=8,
    )
)
def test_plain_types_and_the_same_values(value):
    def exact(item):
        if isinstance(item, dict):
            return all(key.__class__ is str and exact(inner) for key, inner in item.items())
        if isinstance(item, list):
            return all(map(exact, item))
        return type(item) in (str, int, float, bool, type(None))

    found = direct.plain(value)
    assert exact(found)
    assert json.dumps(found) == json.dumps(value)


def test_subclasses_become_what_they_are():
    assert direct.plain(Number(3)).__class__ is int
    assert direct.plain(SimpleNamespace) == str(SimpleNamespace)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for option in SPEC:
        monkeypatch.delenv(f"EXA_{option.upper()}", raising=False)


@pytest.fixture(autouse=True)
def _vault(monkeypatch):
    """The secrets that a run has; from ansible-core 2.19 on a value is decrypted with them wherever it is used."""
    context = getattr(vault, "VaultSecretsContext", None)
    if context is not None:
        current = staticmethod(lambda *_args, **_more: context(secrets=[("default", KEY)]))
        monkeypatch.setattr(context, "current", current)


@pytest.fixture
def action():
    """The action of a task, without a run around it."""
    loader = DataLoader()
    loader.set_vault_secrets([("default", KEY)])

    def make(**task):
        made = direct.Direct.__new__(direct.Direct)  # a test may replace it
        made._loader = loader
        made._templar = SimpleNamespace(template=lambda value: value)
        made._task = SimpleNamespace(environment=[], check_mode=False, no_log=False, **task)
        return made

    return make


@pytest.fixture
def profiles(tmp_path):
    """Writes a profiles file."""

    def write(content, mode=0o600, encrypted=False):
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        path = tmp_path / "profiles.yml"
        path.write_bytes(VaultLib([("default", KEY)]).encrypt(text, KEY) if encrypted else text.encode())
        path.chmod(mode)
        return str(path)

    return write


PROD = {"prod": {"api_url": ["https://n10"], "api_username": "operator", "api_password": PASSWORD}}


@pytest.mark.parametrize(("mode", "encrypted"), [(0o600, False), (0o400, False), (0o644, True)])
def test_a_profile_is_plain_and_private_or_encrypted(action, profiles, mode, encrypted):
    path = profiles(PROD, mode, encrypted)
    assert action()._profile("prod", path, SPEC) == PROD["prod"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_plain_profile_that_others_may_read_is_refused(action, profiles, mode):
    with pytest.raises(ClusterError, match="may be read by others") as caught:
        action()._profile("prod", profiles(PROD, mode), SPEC)
    assert "chmod 600" in caught.value.hint


def test_a_single_value_may_be_encrypted(action, profiles):
    sealed = VaultLib([("default", KEY)]).encrypt(PASSWORD, KEY).decode()
    indented = "".join(f"      {line}\n" for line in sealed.splitlines())
    path = profiles(f"prod:\n  api_url: n10\n  api_password: !vault |\n{indented}")
    found = action()._profile("prod", path, SPEC)
    assert found == {"api_url": "n10", "api_password": PASSWORD}
    assert found["api_password"].__class__ is str


@pytest.mark.parametrize("inline", [True, False])
def test_what_can_t_be_decrypted_is_said_and_not_shown(action, profiles, inline):
    other = VaultSecret(b"another key")
    sealed = VaultLib([("default", other)]).encrypt("api_password: s3cret", other).decode()
    indented = "".join(f"      {line}\n" for line in sealed.splitlines())
    text = f"prod:\n  api_username: visible\n  api_password: !vault |\n{indented}" if inline else sealed
    with pytest.raises(ClusterError, match="profile prod: .*profiles.yml") as caught:
        action()._profile("prod", profiles(text), SPEC)
    assert "decrypted" in caught.value.message
    assert "s3cret" not in caught.value.message
    assert sealed.splitlines()[1][:20] not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "prod:\n  api_password: s3cret\n bad",
        "prod: {api_password: s3cret",
        "prod: !python/object:s3cret x",
        "\ts3cret: [",
    ],
)
def test_broken_yaml_shows_no_line_of_it(action, profiles, text):
    with pytest.raises(ClusterError, match="is not valid YAML") as caught:
        action()._profile("prod", profiles(text), SPEC)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("text", ["", "[]", "prod", "prod:", "prod: []", "prod: s3cret", "7: {}", "other: {}"])
def test_a_profile_that_is_not_there(action, profiles, text):
    with pytest.raises(ClusterError, match="has no such profile") as caught:
        action()._profile("prod", profiles(text), SPEC)
    assert "s3cret" not in caught.value.message


def test_a_misspelt_profile(action, profiles):
    with pytest.raises(ClusterError, match=r"has no such profile \(did you mean prod\?\)"):
        action()._profile("prodd", profiles(PROD), SPEC)


@pytest.mark.parametrize(("key", "says"), [("api_pasword", r"did you mean api_password\?"), (7, "7 in .* is no")])
def test_an_unknown_key(action, profiles, key, says):
    with pytest.raises(ClusterError, match=says) as caught:
        action()._profile("prod", profiles({"prod": {key: "s3cret"}}), SPEC)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("key", ["force", "state", "databases", "wait", "profile", "profiles_path", "assume"])
def test_a_profile_holds_a_connection_and_nothing_else(action, profiles, key):
    with pytest.raises(ClusterError, match=f"{key} in .* is not a connection option"):
        action()._profile("prod", profiles({"prod": {key: True}}), exa_database.SPEC["argument_spec"])


def test_a_file_that_is_not_there(action, tmp_path):
    with pytest.raises(ClusterError, match="can't be read: No such file"):
        action()._profile("prod", str(tmp_path / "none.yml"), SPEC)


# -- precedence


def completed(made, host=None, **given):
    with direct.in_environment(made._environment()):
        return made._completed(given, SPEC, {"inventory_hostname": "exa-unit", **(host or {})})


def test_each_source_wins_over_the_next(action, profiles, monkeypatch):
    path = profiles({"prod": {"api_username": "of the profile"}})
    made = action()
    assert completed(made).get("api_username") is None
    monkeypatch.setenv("EXA_API_USERNAME", "of the environment")
    assert completed(made)["api_username"] == "of the environment"
    made._task.environment = [{"EXA_API_USERNAME": "of the play"}, {"EXA_API_USERNAME": "of the task"}]
    assert completed(made)["api_username"] == "of the task"
    assert completed(made, profile="prod", profiles_path=path)["api_username"] == "of the profile"
    given = completed(made, profile="prod", profiles_path=path, api_username="of the option")
    assert given["api_username"] == "of the option"


def test_a_task_of_a_hook_gets_the_connection_of_its_host(action, monkeypatch):
    """One of the other product doesn't; and a variable of it without a value is named."""
    made = action()
    made._templar.template = lambda value: "(omit)" if value == "{{ omit }}" else value
    connection = {"api_url": "https://n10", "api_username": "operator", "profile": "(omit)", "no_option": 1}
    host = {"exa_hook_connection": connection, "nuodb_hook_connection": {"api_url": "https://nuo"}}
    done = completed(made, host, api_username="of the option")
    assert (done["api_url"], done["api_username"]) == ("https://n10", "of the option")
    assert not {"profile", "no_option"} & set(done)

    def undefined(value):
        raise AnsibleError("'exa_secret' is undefined")

    made._templar.template = undefined
    with pytest.raises(ClusterError, match="exa-unit: the variables of the connection have no value: 'exa_secret' is"):
        completed(made, host)
    assert completed(action(), {"nuodb_hook_connection": {"api_url": "https://nuo"}}).get("api_url") is None


def test_an_option_that_is_none_is_not_given(action, monkeypatch):
    monkeypatch.setenv("EXA_API_USERNAME", "of the environment")
    assert completed(action(), api_username=None)["api_username"] == "of the environment"


def test_the_profile_may_be_named_by_the_environment(action, profiles):
    made = action()
    made._task.environment = [{"EXA_PROFILE": "prod", "EXA_PROFILES_PATH": profiles(PROD)}]
    assert completed(made)["api_password"] == PASSWORD


@pytest.fixture
def simulator(tmp_path, monkeypatch):
    """What the environment says of a simulator with one cluster, and of EXA_API_URL."""
    served = Simulator(load({"name": "a", "nodes": {"n0011": {"state": "online"}}}), directory=None)
    served.start()
    monkeypatch.setenv("DBFLEET_SIMULATOR", served.admin_url)
    monkeypatch.setenv("DBFLEET_SIMULATOR_TOKEN", served.admin_token)
    yield served.ready()["clusters"]["a"]["api_url"]
    served.stop()


def test_a_rehearsal_does_not_reach_the_real_cluster(action, profiles, simulator):
    """Who hands the simulator's environment to a play on hosts of the inventory means the simulator."""
    made = action()
    made._task.environment = [{"EXA_API_URL": simulator[0]}]
    assert completed(made)["api_url"] == simulator[0]
    assert completed(made, api_url=simulator)["api_url"] == simulator
    real = {"n10": {"api_url": "n10"}, "profile": {"profile": "prod", "profiles_path": profiles(PROD)}}
    real["a tunnel"] = {"api_url": "https://127.0.0.1:20003"}  # docker, ssh -L
    real["its host, another port"] = {"api_url": [simulator[0], simulator[0].rpartition(":")[0] + ":1"]}
    for meant in real.values():
        with pytest.raises(ClusterError, match=r"names a simulator \(DBFLEET_SIMULATOR\), but api_url .* override"):
            completed(made, **meant)
    made._task.environment = [{"EXA_API_URL": "https://127.0.0.1:20003"}]
    with pytest.raises(ClusterError, match="this would not be the rehearsal"):
        completed(made)


def test_behind_a_simulator_that_is_gone_nothing_is_reached(action, monkeypatch):
    monkeypatch.setenv("DBFLEET_SIMULATOR", "http://127.0.0.1:1")
    with pytest.raises(
        ClusterError, match=r"names a simulator \(.*127.0.0.1:1\) that does not answer, so api_url n10 may"
    ):
        completed(action(), api_url="n10")
    monkeypatch.setenv("DBFLEET_SIMULATOR", "")
    assert completed(action(), api_url="n10")["api_url"] == "n10"


def test_a_simulator_whose_token_is_not_known_says_nothing(action, simulator, monkeypatch):
    monkeypatch.setenv("DBFLEET_SIMULATOR_TOKEN", "another")
    with pytest.raises(ClusterError, match=r"refuses DBFLEET_SIMULATOR_TOKEN, so the task can't check whether api_url"):
        completed(action(), api_url=simulator)
    monkeypatch.delenv("DBFLEET_SIMULATOR_TOKEN")
    with pytest.raises(ClusterError, match="refuses DBFLEET_SIMULATOR_TOKEN") as caught:
        completed(action(), api_url=simulator)
    assert "export the DBFLEET_SIMULATOR_TOKEN that the simulator printed" in caught.value.hint


BORROWED = {
    "several hosts": ({"ansible_play_hosts_all": ["exa-unit", "exa-b"]}, r"used for each of 2 hosts"),
    "the other product": ({"nuodb_api_url": "nuo1"}, r"is a NuoDB host \(nuodb_api_url is set\) and names no Exasol"),
    "the other product's group": (
        {"group_names": ["nuodb_domains"]},
        r"is a NuoDB host \(it is in the group nuodb_domains\) and names no Exasol",
    ),
    "the other product's profile": ({"nuodb_profile": "p"}, r"is a NuoDB host \(nuodb_profile is set\)"),
    "misspelt": ({"exa_profil": "p"}, r"there is no variable exa_profil \(did you mean exa_profile\?\), and EXA_"),
    "an object": (
        {"dbfleet_object": "node", "dbfleet_cluster": "exa"},
        r"exa-unit is a node of exa, not a cluster, and E",
    ),
    "its own": ({"exa_profile": "p"}, r"exa_profile is set for this host, but this task has no connection options"),
}


@pytest.mark.parametrize("of", BORROWED)
@pytest.mark.parametrize("variable", ["EXA_API_URL", "EXA_PROFILE"])
def test_a_connection_of_the_environment_is_nobody_elses(action, monkeypatch, of, variable):
    monkeypatch.setenv(variable, "prod")
    host, says = BORROWED[of]
    with pytest.raises(ClusterError, match=says) as caught:
        completed(action(), host=host)
    if of != "its own":
        assert f"{variable} of the environment" in caught.value.message


OTHERS = {
    "its URL": ({"nuodb_api_url": ["nuo1"]}, r"is a NuoDB host \(nuodb_api_url is set\) and names no Exasol cluster"),
    "its profile": ({"nuodb_profile": "p"}, r"is a NuoDB host \(nuodb_profile is set\)"),
    "its group": ({"group_names": ["prod", "nuodb_domains"]}, r"\(it is in the group nuodb_domains\)"),
    "the environment": ({"group_names": ["ungrouped"]}, r"\(NUOCMD_API_SERVER of the environment is set\)"),
}


@pytest.mark.parametrize("of", OTHERS)
def test_a_host_of_the_other_product_that_names_no_connection(action, monkeypatch, of):
    """A newcomer who ran the wrong runbook read only that no api_url is given."""
    host, says = OTHERS[of]
    monkeypatch.setenv("NUOCMD_API_SERVER", "nuo1")
    with pytest.raises(ClusterError, match=says) as caught:
        completed(action(), host=host)
    assert (caught.value.number, caught.value.message.split()[0]) == ("DBF-7002", "exa-unit")
    assert caught.value.hint == "target hosts of Exasol, or run nuodb_... on this host"


def test_a_host_of_both_groups_or_none_may_lack_a_connection(action):
    for groups in ([], ["exa_clusters"], ["exa_clusters", "nuodb_domains"]):
        assert "api_url" not in completed(action(), host={"group_names": groups})


def test_the_tasks_own_environment_is_for_its_host(action):
    made = action()
    made._task.environment = [{"EXA_API_URL": "n10"}]
    for host, _says in BORROWED.values():
        assert completed(made, host=host)["api_url"] == "n10"


def test_a_connection_of_the_environment_serves_the_one_host_that_names_none(action, monkeypatch):
    monkeypatch.setenv("EXA_API_URL", "n10")
    one = {"ansible_play_hosts_all": ["exa-unit"], "exa_heartbeat": 5, "nuodb_databases": [], "exa_profile": ""}
    assert completed(action(), host=one)["api_url"] == "n10"
    many = {"ansible_play_hosts_all": ["exa-unit", "exa-b"]}
    assert completed(action(), host=many, api_url="n11")["api_url"] == "n11"


def test_the_rest_of_a_connection_may_come_from_the_environment(action, monkeypatch):
    """A fleet of one user: the URLs stand in the inventory, the password doesn't."""
    monkeypatch.setenv("EXA_API_PASSWORD", PASSWORD)
    many = {"ansible_play_hosts_all": ["exa-unit", "exa-b"]}
    assert completed(action(), host=many, api_url="n11")["api_password"] == PASSWORD


def test_an_empty_variable_is_none(action, monkeypatch):
    monkeypatch.setenv("EXA_CA_PATH", "")
    assert "ca_path" not in completed(action())


@pytest.mark.parametrize(("given", "name"), [({}, "exa-unit"), ({"cluster_name": "mine"}, "mine")])
def test_the_host_names_the_cluster(action, given, name):
    assert completed(action(), **given)["cluster_name"] == name


@pytest.mark.parametrize(
    "url", ["https://u:s3cret@n10", ["n10", "https://u:s3cret@n11"], "n10,u:s3cret@n11", {"https://u:s3cret@n10": 1}]
)
def test_credentials_in_a_url_are_refused_before_anything_runs(action, url):
    with pytest.raises(ClusterError, match="api_url contains credentials") as caught:
        completed(action(), api_url=url)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("empty", ["", " ", None, "None"])
def test_what_is_empty_leaves_the_word_to_the_next(action, monkeypatch, profiles, empty):
    """Option, profile, environment, default: each may have an empty text where AWX has an empty field."""
    path = profiles({"2024": {**PROD["prod"], "api_url": empty, "validate_certs": None, "ca_path": ""}})
    monkeypatch.setenv("EXA_API_URL", "n10\nn11")
    monkeypatch.setenv("EXA_VALIDATE_CERTS", "")
    monkeypatch.setenv("EXA_CA_PATH", "/ca.pem")
    found = completed(action(), profile=2024, profiles_path=path, api_url=empty, validate_certs="", api_username=" ")
    assert "validate_certs" not in found
    assert (found["ca_path"], found["api_username"]) == ("/ca.pem", "operator")
    values, problems = direct.validated(SPEC, found)
    assert (values["api_url"], values["validate_certs"], problems) == (["n10", "n11"], True, [])


def test_credentials_on_a_second_line_are_refused_too(action):
    with pytest.raises(ClusterError, match="api_url contains credentials"):
        completed(action(), api_url="n10\nhttps://u:s3cret@n11")


def test_a_number_is_no_url_but_no_traceback_either(action):
    assert completed(action(), api_url=10)["api_url"] == 10


# -- in this process


def test_the_password_is_in_no_result(action, monkeypatch):
    def run(task):
        task.warn(f"seen {PASSWORD}")
        task.say(f"said {PASSWORD}")
        raise RuntimeError(repr(task.params))

    shown = []
    monkeypatch.setattr(progress, "show", lambda lines, _place: shown.extend(lines))
    module = SimpleNamespace(SPEC=exa_cluster_info.SPEC, run=run)
    result = action()._in_process(module, {"api_url": ["n10"], "api_username": "u", "api_password": PASSWORD})
    assert result["failed"]
    assert result["msg"].startswith("unexpected error, please report it: RuntimeError")
    for text in (json.dumps(result), *shown):
        assert "w'" not in text
        assert "********" in text
    assert result["invocation"]["module_args"]["api_password"] == direct.HIDDEN


def test_no_log_shows_no_progress(action, monkeypatch):
    shown = []
    monkeypatch.setattr(progress, "show", lambda lines, _place: shown.extend(lines))
    made = action()
    made._task.no_log = True
    module = SimpleNamespace(SPEC=exa_cluster_info.SPEC, run=lambda task: task.say("progress") or {})
    assert made._in_process(module, {"api_url": ["n10"]})["changed"] is False
    assert shown == []


def test_arguments_are_validated_as_an_ordinary_module_would(action):
    module = SimpleNamespace(SPEC=exa_database.SPEC, run=pytest.fail)
    result = action()._in_process(module, {"databases": ["DB1"], "state": PASSWORD, "api_password": PASSWORD})
    assert result["failed"]
    assert "state" in result["msg"]
    assert PASSWORD not in result["msg"]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"databasess": ["DB1"]}, r"there is no option databasess \(did you mean databases\?\); missing required .*"),
        ({"config": {"mem_siz": "1 GiB"}}, r"there is no option config.mem_siz \(did you mean mem_size\?\)"),
        (
            {"config": {"zzz": 1}, "stat": 1},
            r"there is no option config.zzz \(there are addi.*, volume_quota\); there is no option stat \(.* state\?\)",
        ),
    ],
)
def test_an_option_that_is_not_there_is_named_with_a_near_one(action, told, says):
    module = SimpleNamespace(SPEC=exa_database.SPEC, run=pytest.fail)
    databases = {} if "databasess" in told else {"databases": ["DB1"]}
    result = action()._in_process(module, {**databases, **told, "api_password": PASSWORD})
    assert re.fullmatch(rf"{says} \[DBF-7001\]", result["msg"]), result["msg"]


@pytest.mark.parametrize(("option", "value"), [("config", -1), ("config", [None]), ("config", {"port": float("inf")})])
def test_what_ansible_core_fails_to_validate_is_said_by_the_options_name(action, option, value):
    """Of such a value it says no more than "argument of type 'int' is not iterable"; of .inf, 2.16 has a sentence."""
    module = SimpleNamespace(SPEC=exa_database.SPEC, run=pytest.fail)
    result = action()._in_process(module, {"databases": ["DB1"], option: value, "api_password": PASSWORD})
    assert (result["failed"], result["changed"]) == (True, False)
    own = f"option {option} has a value of the wrong type [DBF-7001]"
    assert result["msg"] == own or f"found in '{option}'" in result["msg"]


def test_only_files_that_are_here_are_sent_along(action, tmp_path):
    here = tmp_path / "ca.pem"
    here.write_text("x")
    sent = []
    made = action()
    made._make_tmp_path = lambda: "/there"
    made._transfer_file = lambda path, target: sent.append((path, target))
    made._fixup_perms2 = sent.append
    made._connection = SimpleNamespace(_shell=SimpleNamespace(join_path=lambda *parts: "/".join(parts)))
    args = made._with_files({"ca_path": str(here), "client_cert": "/of/there.pem", "api_url": "n10"})
    assert args == {"ca_path": "/there/dbfleet-sent-ca_path.pem", "client_cert": "/of/there.pem", "api_url": "n10"}
    assert sent == [(str(here), "/there/dbfleet-sent-ca_path.pem"), ("/there", "/there/dbfleet-sent-ca_path.pem")]
    assert made._with_files({"ca_path": "/of/there.pem"}) == {"ca_path": "/of/there.pem"}


@pytest.fixture
def ordinary(action, monkeypatch):
    """Runs a module as an ordinary one, whose result is given, and returns its result with what was shown."""

    def run(given, spec=exa_database.SPEC, task_vars=None, no_log=False, transport="ssh", **task):
        shown = []
        monkeypatch.setattr(progress, "show", lambda lines, place: shown.append(("\n".join(lines), place)))
        made = action(async_val=0, delegate_to=None, **task)
        made._task.no_log = no_log
        made._connection = SimpleNamespace(transport=transport, _shell=SimpleNamespace(tmpdir=None))
        made._used_interpreter = "#!/usr/bin/python3"

        def execute(**_given):
            if isinstance(given, Exception):
                raise given
            return dict(given)

        made._execute_module = execute
        made._remove_tmp_path = lambda _path: None
        made._low_level_execute_command = lambda command, **_more: {"stdout": "(3, 8, 18)\r\n"}
        module = SimpleNamespace(SPEC=spec, __name__="x.y.exa_database")
        args = {"databases": ["DB1"], "cluster_name": "exa-prod", "api_password": PASSWORD}
        variables = {"inventory_hostname": "far", **(task_vars or {})}
        return made._ordinary(module, args, variables, local=False), shown

    return run


RAN = {"changed": True, "invocation": {}}


def test_what_an_ordinary_module_said_is_shown_once(ordinary):
    said = {**RAN, "said": ["[exa-prod] one", f"[exa-prod] two {PASSWORD}"]}
    result, shown = ordinary(said)
    assert result == RAN
    assert shown == [("[exa-prod] one\n[exa-prod] two ********", progress.AUTO)]
    assert ordinary(said, task_vars={progress.VARIABLE: "off"})[1][0][1] == progress.OFF
    assert ordinary(said, no_log=True) == (RAN, [])
    assert ordinary(RAN) == (RAN, [])


def test_a_failure_of_an_ordinary_module_has_no_traceback(ordinary):
    failed = {**RAN, "failed": True, "msg": "exa-prod: no", "exception": object(), "said": ["[exa-prod] began"]}
    result, shown = ordinary(failed)
    assert result == {**RAN, "failed": True, "msg": "exa-prod: no"}
    assert [text for text, _place in shown] == ["[exa-prod] began"]


def test_a_module_that_never_ran_is_told_with_the_python_that_it_met(ordinary):
    result, _shown = ordinary({"failed": True, "msg": "No module named 'zoneinfo'", "exception": object()})
    assert result["msg"] == (
        "exa-prod: exa_database was to run on far, by ssh: /usr/bin/python3 is Python 3.8.18: modules need Python 3.9 "
        "or newer [DBF-1009]"
    )
    assert "ansible_python_interpreter" in result["hint"]
    assert "exception" not in result


def test_a_lost_connection_is_one_sentence_of_host_and_cluster(ordinary):
    with pytest.raises(AnsibleConnectionFailure) as caught:
        ordinary(AnsibleConnectionFailure("Shared connection to far closed.\r\n"))
    assert str(caught.value).startswith(
        "exa-prod: exa_database was to run on far, by ssh, and the connection was lost: Shared connection to far "
        "closed.;"
    )


@pytest.mark.parametrize(
    ("role", "fails"), [("dbfleet.cluster.maintenance", True), ("theirs.role", False), (None, False)]
)
def test_in_a_role_of_ours_a_lost_connection_is_a_failure(action, monkeypatch, role, fails):
    monkeypatch.setattr(direct.ActionBase, "run", lambda *_given: {})
    made = action(
        action="dbfleet.cluster.exa_plan", args={}, _role=role and SimpleNamespace(get_name=lambda: role)
    )

    def carried_out(*_given):
        raise AnsibleConnectionFailure("far: lost")

    made._carried_out, made._called = carried_out, lambda *_given: (None, {})
    if fails:
        assert made.run(None, {}) == {"changed": False, **failure("far: lost", "DBF-1008", "unreachable")}
        return
    with pytest.raises(AnsibleConnectionFailure, match="far: lost"):
        made.run(None, {})


@pytest.mark.parametrize(("option", "found"), [(3, True), ("2", True), (0, False), (None, False)])
def test_whether_a_connection_tries_again(action, option, found):
    made = action()
    made._connection = SimpleNamespace(get_option=lambda name: {"reconnection_retries": option}[name])
    assert made._has_retries() is found
    made._connection = SimpleNamespace(get_option={}.__getitem__)
    assert made._has_retries() is False


def test_files_that_can_t_be_removed_hide_no_failure(action, monkeypatch):
    def lost(*_given):
        raise AnsibleConnectionFailure("lost")

    monkeypatch.setattr(direct.ActionBase, "_remove_tmp_path", lost)
    action()._remove_tmp_path("/there")


@pytest.mark.parametrize(
    ("name", "transport", "become", "waits", "here"),
    [
        ("exa_plan", "ssh", False, 0, True),
        ("nuodb_plan", "ssh", True, 0, True),
        ("exa_plan", "ssh", False, 60, False),
        ("exa_database", "ssh", False, 0, False),
        ("exa_database", "local", False, 0, True),
        ("exa_database", "local", True, 0, False),
        ("simulator", "ssh", False, 0, False),
    ],
)
def test_what_asks_no_server_runs_here(action, name, transport, become, waits, here):
    made = action(async_val=waits, become=become)
    made._connection = SimpleNamespace(transport=transport)
    made._in_process = lambda *_given: "here"
    made._ordinary = lambda *_given: "elsewhere"
    assert made._carried_out(direct.module_of(name), {}, {}, {}) == ("here" if here else "elsewhere")


LOADS = """
import sys
from importlib import import_module
for name in sys.argv[1:]:
    action = import_module(f"ansible_collections.dbfleet.cluster.plugins.action.{name}").ActionModule
    loaded = f"ansible_collections.dbfleet.cluster.plugins.modules.{name}" in sys.modules
    print(name, "Direct" in [one.__name__ for one in action.mro()], loaded)
"""


def test_an_action_brings_its_module_along_before_a_worker_is_forked():
    folder = Path(direct.__file__).parent.parent / "action"
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "runbook"))
    command = [sys.executable, "-c", LOADS, *names]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == [f"{name} True True" for name in names]


@pytest.mark.parametrize("name", ["password", "sys_passwd", "license_token", "CREDENTIALS"])
def test_a_parameter_of_a_job_that_is_called_a_secret_is_one(action, monkeypatch, name):
    monkeypatch.setattr(direct, "Direct", exa_job.ActionModule)
    made, spec = action(), exa_job_module.SPEC["argument_spec"]
    host = {"inventory_hostname": "exa-unit"}
    done = made._completed({"api_url": "n10", "params": {"username": "dba", name: PASSWORD}}, spec, host)
    assert (done["params"], done["secret_params"]) == ({"username": "dba"}, {name: PASSWORD})
    given = {"params": {name: "open"}, "secret_params": {name: PASSWORD, "x": 1}}
    done = made._completed({"api_url": "n10", **given}, spec, host)
    assert (done["params"], done["secret_params"]) == ({}, {name: PASSWORD, "x": 1})
    given = {"params": {"username": "dba"}, "secret_params": {"x": 1}}
    assert made._completed({"api_url": "n10", **given}, spec, host).items() >= given.items()


SAID = {
    "EXA_API_PASSWORD": PASSWORD,
    "NUODB_API_PASSWORD": PASSWORD,
    "NUOCMD_BASIC_CREDS": f"admin:{PASSWORD}",
    "NUOCMD_CLIENT_KEY": "/operator.pem,/key.pem",
    "EXA_CA_PATH": " ",
    "DBFLEET_HEARTBEAT": "5",
    "HTTPS_PROXY": "http://proxy:3128",
    "NUOCMD_PLUGINS": "/plugins",
}
"""What a task may say of its environment."""


def test_an_ordinary_module_does_not_get_what_was_read_from_its_environment(action, monkeypatch):
    """A proxy and names that aren't ours go along; a blank one too, for it hides what the process has."""
    made = action(async_val=0, delegate_to=None)
    made._connection = SimpleNamespace(transport="local", _shell=SimpleNamespace(tmpdir=None))
    made._used_interpreter = None
    made._task.environment = [{"EXA_API_PASSWORD": "of the play"}, SAID]
    sent = []
    monkeypatch.setattr(
        made, "_execute_module", lambda **more: sent.append((made._task.environment, more["module_args"])) or {}
    )
    for _attempt in range(2):  # ansible-core runs the same action again, by until and retries
        with direct.in_environment(made._environment()):
            args = made._completed({"api_url": "n10", "databases": ["DB1"]}, exa_database.SPEC["argument_spec"], {})
        made._ordinary(exa_database, args, {}, local=True)
        (kept,), given = sent.pop()
        assert kept == {name: SAID[name] for name in ("EXA_CA_PATH", "HTTPS_PROXY", "NUOCMD_PLUGINS")}
        assert (given["api_password"], given["heartbeat"]) == (PASSWORD, 5)
    assert made._environment() == SAID


def test_the_environment_is_as_before_when_a_task_with_its_own_has_ended(monkeypatch):
    monkeypatch.setenv("DBFLEET_TEST_KEPT", "before")
    monkeypatch.delenv("DBFLEET_TEST_NEW", raising=False)
    before = dict(os.environ)
    with direct.in_environment({"DBFLEET_TEST_KEPT": "meanwhile", "DBFLEET_TEST_NEW": "meanwhile"}):
        assert (os.environ["DBFLEET_TEST_KEPT"], os.environ["DBFLEET_TEST_NEW"]) == ("meanwhile", "meanwhile")
    assert dict(os.environ) == before


def test_workers_do_not_collect_what_the_main_process_has_loaded() -> None:
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize("check", [False, True])
def test_what_a_module_sees_is_taken_down_where_a_report_is_wanted(action, check):
    """A preview sees nothing that happens."""
    made, given = action(), []
    made._task.check_mode = check
    made.timeline = Timeline()
    module = SimpleNamespace(SPEC={"argument_spec": {}}, run=lambda task: given.append(task.timeline) or {})
    made._in_process(module, {})
    assert given == [None if check else made.timeline]
