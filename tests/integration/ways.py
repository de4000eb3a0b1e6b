# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way in which a password comes to a run, and every place at which it is looked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import quote

import yaml
from domains import database, domain
from secrecy import VAULT, Dumper, Vaulted, Watch, assert_silent, encrypt, paths_below
from world import GROUPS, HERE, PREFIXES, cluster, play, until

WAYS = (
    "option",
    "vaulted",
    "profile",
    "vaulted-profile",
    "task",  # its `environment`, which a play or a role may say as well
    "process",  # the environment of ansible-playbook
    "survey",  # an extra variable, which AWX writes into a file
    "url",  # by mistake; such a cluster isn't reached
)
"""How a cluster's password comes. Each cluster is called as its way, and has a password of its own."""

PASSWORDS = {way: f"{way} p@ss w%o&r\"d'x<y>/ü" for way in WAYS}

PROCESS = {"exasol": "EXA_API_PASSWORD", "nuodb": "NUODB_API_PASSWORD"}

INFO = {"exasol": "exa_cluster_info", "nuodb": "nuodb_domain_info"}

OF_TASK = "{{ of_task | default({}) }}"
"""The `environment` of a play: that of the cluster whose way it is."""

INPUT = ("inventory", "profile.yml", "variables", "topology", "ready", "extravars", "hosts.yml")
"""Beginnings of the files that hold passwords since the test, or its simulator, has written them there."""


class Fleet:
    """A cluster for each way, and what a run needs to reach them.

    :param folder: everything that a run writes on this machine is below it.
    :param far: folders of the far side, which the environment of its modules names.
    """

    def __init__(self, product, simulate, ansible, folder, ways=WAYS, far=()):
        self.product, self.prefix, self._ansible, self.folder = product, PREFIXES[product], ansible, folder
        self.ways, self._far = ways, far
        ansible.write_inventory = self.write
        users = {way: [{"name": "admin", "password": word}] for way, word in PASSWORDS.items()}
        make = {
            "exasol": lambda way: cluster(way, nodes=1, users=users[way]),
            "nuodb": lambda way: domain(way, databases={"shop": database()}, users=users[way]),
        }
        self.simulator = simulate(*map(make[product], ways))
        self.secrets = list(PASSWORDS.values())
        for name in ways:
            self.simulator.fault("slow", cluster=name, method="*", delay=0.3, max_count=1)
        (folder / "vault").write_text(VAULT)

    def hosts(self, **more):
        found = self.simulator.inventory(**{f"{self.prefix}_wait_timeout": 20}, **more)
        for way, row in found.items():
            getattr(self, f"_{way.replace('-', '_')}", lambda _row: None)(row)
        return found

    def _name(self, option):
        return f"{self.prefix}_{option}"

    def _vaulted(self, row):
        row[self._name("api_password")] = Vaulted(PASSWORDS["vaulted"])

    def _survey(self, row):
        row[self._name("api_password")] = "{{ answer }}"

    def _process(self, row):
        del row[self._name("api_password")], row[self._name("api_username")]

    def _task(self, row):
        self._process(row)
        password = PROCESS[self.product]
        row["of_task"] = {password: PASSWORDS["task"], password.replace("PASSWORD", "USERNAME"): "admin"}

    def _profile(self, row, way="profile", written=str):
        options = ("api_url", "api_username", "api_password", "ca_path")
        text = yaml.safe_dump({way: {option: row.pop(self._name(option)) for option in options}})
        path = self.folder / f"{way}.yml"
        path.write_text(written(text))
        path.chmod(0o600)
        row.update({self._name("profile"): way, self._name("profiles_path"): str(path)})

    def _vaulted_profile(self, row):
        self._profile(row, "vaulted-profile", encrypt)

    def _url(self, row):
        scheme, _separator, place = row[self._name("api_url")][0].partition("://")
        row[self._name("api_url")] = f"{scheme}://admin:{quote(PASSWORDS['url'], safe='')}@{place}"
        del row[self._name("api_password")]

    def write(self, hosts):
        shared = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        path = self.folder / "inventory.yml"
        path.write_text(yaml.dump({GROUPS[self.product]: {"hosts": hosts, "vars": shared}}, Dumper=Dumper))
        return path

    def environment(self):
        """Everything that a run writes is below the folder."""
        places = {"TMPDIR": "tmp", "ANSIBLE_LOCAL_TEMP": "local", "ANSIBLE_REMOTE_TEMP": "remote", "HOME": "home"}
        for name in places.values():
            (self.folder / name).mkdir(exist_ok=True)
        user = PROCESS[self.product].replace("PASSWORD", "USERNAME")
        return {
            **{name: str(self.folder / place) for name, place in places.items()},
            "ANSIBLE_ASYNC_DIR": str(self.folder / "home/async"),
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            "ANSIBLE_BECOME_PLUGINS": str(HERE / "become_plugins"),
            PROCESS[self.product]: PASSWORDS["process"],
            user: "admin",
        }

    def looks(self, ways):
        """A play whose tasks look at every cluster and print the result.

        :param ways: by the name of a task, what it says besides.
        """
        look = {f"dbfleet.cluster.{INFO[self.product]}": {}, "ignore_errors": True}
        tasks = [
            task
            for name, more in ways.items()
            for task in (
                {"name": name, **look, "register": f"of_{name}", **more},
                {"name": f"show {name}", "ansible.builtin.debug": {"var": f"of_{name}"}},
            )
        ]
        return [play(tasks, self.product, environment=OF_TASK)]

    def cold_start(self, **keywords):
        """A play with the role, whose `environment` is the tasks' own."""
        role = {"name": f"dbfleet.cluster.{self.prefix}_cold_start", "rolespec_validate": False}
        given = {"gather_facts": False, "strategy": "host_pinned", "environment": OF_TASK, **keywords}
        return [{"hosts": GROUPS[self.product], **given, "tasks": [{"ansible.builtin.import_role": role}]}]

    def reached(self, run, task):
        """A task has reached every cluster, but for one whose URL holds a password."""
        for name in self.ways:
            assert run.went(task, name) == ("failed" if name == "url" else "ok"), run.out
            assert name != "url" or "api_url contains credentials" in run.one(task, name)["msg"]

    def run(self, playbook, hosts, variables=None, **environment):
        given = {"answer": PASSWORDS["survey"], **(variables or {})}
        arguments = ("-vvvv", "--diff", "--vault-password-file", str(self.folder / "vault"))
        environment = {**self.environment(), **environment}
        with Watch(self.folder, *self._far) as watch:
            run = self._ansible.run(playbook, hosts, *arguments, variables=given, environment=environment)
        # The wrapper of an async task removes the module's file when it has written the result.
        until("modules are removed", lambda: not [path for path in paths_below(*self._far) if "AnsiballZ" in path.name])
        assert len(watch.seen) > 5
        assert watch.children
        self._look(watch)
        assert_silent(run.out, "output", self.secrets)
        for row in run.rows:
            assert_silent(json.dumps(row), "results", self.secrets)
            assert_silent(json.dumps(row, ensure_ascii=False), "results", self.secrets)
        return run

    def _look(self, watch):
        assert_silent("\n".join(watch.seen), "list of processes", self.secrets)
        # Who exports a password gives it to every process that is begun from there.
        not_exported = [word for word in self.secrets if word != PASSWORDS["process"]]
        for line, environment in watch.children.items():
            assert_silent(environment, f"environment of {line}", not_exported)
        files = {**watch.files, **files_of(self.folder, *self._far)}
        assert any("ansible.log" in path for path in files)
        for path, text in files.items():
            if not Path(path).name.startswith(INPUT):
                assert_silent(text, path, self.secrets)
        for name in self.ways:
            assert_silent(json.dumps(self.simulator.calls(cluster=name)), "record of the simulator", self.secrets)


def files_of(*folders):
    """What stands in the files that are there now."""
    return {str(path): path.read_text(errors="replace") for path in paths_below(*folders) if path.is_file()}
