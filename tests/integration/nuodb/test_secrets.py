# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The passwords of NuoDB domains, and of their DBAs, are in no output."""

from __future__ import annotations

import json
import sys

import yaml
from domains import all_run, database, domain
from secrecy import PASSWORD, WRONG, Dumper, Vaulted, Watch, assert_silent
from world import play

DBA = "dba's s&cret %w \"x"


def test_in_no_output(simulate, ansible, tmp_path, monkeypatch):
    """Every way of giving a password, at the highest verbosity; one is refused, one hangs."""
    names = ["vaulted", "profile", "environment", "refused", "hanging"]
    users = [{"name": "admin", "password": PASSWORD}]
    simulator = simulate(*(domain(name, databases={"shop": database()}, users=users) for name in names))
    simulator.fault("hang", cluster="hanging", method="*")
    hosts = simulator.inventory(nuodb_wait_timeout=20)
    for name in ("vaulted", "hanging"):
        hosts[name]["nuodb_api_password"] = Vaulted(PASSWORD)
    hosts["refused"]["nuodb_api_password"] = Vaulted(WRONG)
    hosts["hanging"].update(nuodb_request_timeout=1, nuodb_wait_timeout=2)
    one = simulator.ready["clusters"]["profile"]
    profile = {"api_url": one["api_url"], "api_username": "admin", "api_password": PASSWORD, "ca_path": one["ca_path"]}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"profile": profile}))
    (tmp_path / "profiles.yml").chmod(0o600)
    hosts["profile"] = {"nuodb_profile": "profile", "nuodb_profiles_path": str(tmp_path / "profiles.yml")}
    of_environment = simulator.ready["clusters"]["environment"]
    hosts["environment"] = {"nuodb_wait_timeout": 20, "nuodb_api_url": of_environment["api_url"]}  # else exported
    environment = {
        "NUOCMD_BASIC_CREDS": f"admin:{PASSWORD}",
        "NUOCMD_VERIFY_SERVER": of_environment["ca_path"],
    }
    (tmp_path / "vault").write_text("open sesame")

    def write(hosts):
        path = ansible.folder / "inventory.yml"
        shared = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        path.write_text(yaml.dump({"nuodb_domains": {"hosts": hosts, "vars": shared}}, Dumper=Dumper))
        return path

    monkeypatch.setattr(ansible, "write_inventory", write)
    arguments = ("-vvvv", "--diff", "--vault-password-file", str(tmp_path / "vault"))
    with Watch() as watch:
        run = ansible.run("nuodb_cold_start", hosts, *arguments, environment=environment)
    assert {name for name, row in run.stats.items() if row["failures"]} == {"refused", "hanging"}, run.out
    assert all(all_run(simulator, name) for name in ("vaulted", "profile", "environment"))
    assert "HTTP 401" in run.failures("refused")[0]
    assert_silent(run.out, "output")
    assert_silent(json.dumps(run.rows), "results")
    for line in watch.seen:
        assert_silent(line, "list of processes")

    # As an ordinary module too, and with a password that is none of the connection's.
    hosts = {name: hosts[name] for name in ("vaulted", "refused")}
    create = {"databases": ["hr"], "state": "present", "dba_user": "dba", "dba_password": "{{ dba }}"}
    task = {"dbfleet.cluster.nuodb_database": create, "ignore_errors": True}
    tasks = [{**task, "name": "here"}, {**task, "name": "there", "vars": {"ansible_connection": "elsewhere"}}]
    with Watch() as watch:
        run = ansible.run([play(tasks, "nuodb")], hosts, *arguments, variables={"dba": DBA}).ok()
    assert [run.one(name, "vaulted")["changed"] for name in ("here", "there")] == [True, False]
    said = [run.out, *(json.dumps(row["result"]) for row in run.rows if row["what"] != "stats"), *watch.seen]
    for text in said:
        assert_silent(text, "an ordinary module")
        assert all(word not in text for word in (DBA, json.dumps(DBA)[1:-1]))
