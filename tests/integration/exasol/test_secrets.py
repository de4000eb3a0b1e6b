# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A password is in no output, however it is given and whatever goes wrong."""

from __future__ import annotations

import json
import sys

import pytest
import yaml
from secrecy import PASSWORD, VAULT, WRONG, Dumper, Vaulted, Watch, assert_silent, encrypt
from world import HERE, cluster, play


def profile_file(path, simulator, name, encrypted=False, mode=0o600, **more):
    one = simulator.ready["clusters"][name]
    entry = {"api_url": one["api_url"], "api_username": "admin", "api_password": PASSWORD, "ca_path": one["ca_path"]}
    text = yaml.safe_dump({name: {**entry, **more}})
    path.write_text(encrypt(text) if encrypted else text)
    path.chmod(mode)
    return {"exa_profile": name, "exa_profiles_path": str(path)}


@pytest.fixture
def inventory(simulate, ansible, tmp_path, monkeypatch):
    """One cluster for each way in which a password is given, or in which something goes wrong."""
    names = [
        "vaulted",
        "profile",
        "vaulted-profile",
        "environment",
        "refused",
        "hanging",
        "open-profile",
        "odd-profile",
    ]
    users = [{"name": "admin", "password": PASSWORD}]
    simulator = simulate(*(cluster(name, users=users) for name in names))
    simulator.fault("hang", cluster="hanging", method="*")
    hosts = simulator.inventory(exa_wait_timeout=20)
    for name in ("profile", "vaulted-profile", "open-profile", "odd-profile", "environment"):
        hosts[name] = {"exa_wait_timeout": 20}
    for name in ("vaulted", "hanging"):
        hosts[name]["exa_api_password"] = Vaulted(PASSWORD)
    hosts["refused"]["exa_api_password"] = Vaulted(WRONG)
    hosts["hanging"].update(exa_request_timeout=1, exa_wait_timeout=2)
    hosts["profile"].update(profile_file(tmp_path / "profiles.yml", simulator, "profile"))
    hosts["vaulted-profile"].update(profile_file(tmp_path / "secret.yml", simulator, "vaulted-profile", encrypted=True))
    hosts["open-profile"].update(profile_file(tmp_path / "open.yml", simulator, "open-profile", mode=0o644))
    hosts["odd-profile"].update(profile_file(tmp_path / "odd.yml", simulator, "odd-profile", api_pasword=PASSWORD))
    (tmp_path / "vault").write_text(VAULT)

    def write(hosts, group="exa_clusters"):
        path = ansible.folder / "inventory.yml"
        shared = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        path.write_text(yaml.dump({group: {"hosts": hosts, "vars": shared}}, Dumper=Dumper))
        return path

    monkeypatch.setattr(ansible, "write_inventory", write)
    of_environment = simulator.ready["clusters"]["environment"]
    hosts["environment"]["exa_api_url"] = of_environment["api_url"]  # the rest is exported
    environment = {
        "EXA_API_USERNAME": "admin",
        "EXA_API_PASSWORD": PASSWORD,
        "EXA_CA_PATH": of_environment["ca_path"],
    }
    return simulator, hosts, environment


def test_in_no_output(inventory, ansible, tmp_path):
    simulator, hosts, environment = inventory
    arguments = ("-vvvv", "--diff", "--vault-password-file", str(tmp_path / "vault"))
    with Watch() as watch:
        run = ansible.run("exa_cold_start", hosts, *arguments, environment=environment)
    failed = {name for name, row in run.stats.items() if row["failures"]}
    assert failed == {"refused", "hanging", "open-profile", "odd-profile"}, run.out
    for name in set(hosts) - failed:
        assert simulator.all_connectable(name)
    assert "HTTP 401" in run.failures("refused")[0]
    assert "hanging: " in run.failures("hanging")[0]
    assert "no answer" in run.failures("hanging")[0]
    assert "may be read by others" in run.failures("open-profile")[0]
    assert "api_pasword" in run.failures("odd-profile")[0]
    assert_silent(run.out, "output")
    assert_silent(json.dumps(run.rows), "results")
    assert len(watch.seen) > 5
    for line in watch.seen:
        assert_silent(line, "list of processes")


def test_in_no_output_of_ordinary_modules_and_unexpected_errors(inventory, ansible, tmp_path):
    """A library that fails with the password in its text; in-process, as an ordinary module, and asynchronously."""
    _simulator, hosts, environment = inventory
    hosts = {name: hosts[name] for name in ("vaulted", "vaulted-profile", "environment", "refused")}
    shim = {"PYTHONPATH": f"{HERE / 'shim'}:{ansible.environment()['PYTHONPATH']}", "LEAK": PASSWORD}
    failing = {"ignore_errors": True, "register": "leak"}
    tasks = [
        {"dbfleet.cluster.exa_cluster_info": {}, "name": "in-process", **failing},
        {
            "dbfleet.cluster.exa_cluster_info": {},
            "name": "ordinary",
            "vars": {"ansible_connection": "elsewhere"},
            **failing,
        },
        {"dbfleet.cluster.exa_cluster_info": {}, "name": "asynchronous", "async": 30, "poll": 1, **failing},
        {"ansible.builtin.debug": {"var": "leak"}},
    ]
    with Watch() as watch:
        run = ansible.run(
            [play(tasks)], hosts, "-vvvv", "--vault-password-file", str(tmp_path / "vault"),
            environment={**environment, **shim},
        )  # fmt: skip
    for way in ("in-process", "ordinary", "asynchronous"):
        for name in set(hosts) - {"refused"}:
            message = run.one(way, name)["msg"]
            assert message.startswith("unexpected error, please report it: RuntimeError: can't send"), (
                way,
                name,
                message,
            )
            assert message.count("********") == 2
        assert "HTTP 401" in run.one(way, "refused")["msg"]
    assert "Traceback" not in run.out
    assert_silent(run.out, "output")
    assert_silent(json.dumps(run.rows), "results")
    for line in watch.seen:
        assert_silent(line, "list of processes")
