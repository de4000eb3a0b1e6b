# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bastion: an sshd of its own on loopback, with keys of its own, and an ordinary user behind it."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

import pytest
from world import ROOT, free_port, until

PYTHONS = ROOT / ".venv/far"
"""Interpreters for the far side, each with what the collection needs. `make bastion` puts them there."""

VERSIONS = ("3.9", "3.13")
"""The oldest and the newest Python that modules run on."""

SUDOERS = Path("/etc/sudoers.d")


def why_none() -> str:
    """Why there can't be a bastion on this machine; empty where there can."""
    if not _sshd():
        return "there is no sshd (Debian and Ubuntu: apt-get install openssh-server)"
    for program in ("ssh", "ssh-keygen"):
        if not shutil.which(program):
            return f"there is no {program} (Debian and Ubuntu: apt-get install openssh-client)"
    return "" if any(python(version) for version in VERSIONS) else f"no Python was prepared in {PYTHONS}: make bastion"


def _sshd() -> Optional[str]:
    return shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def python(version: str) -> Optional[str]:
    """The interpreter of a version for the far side, where it was prepared."""
    path = PYTHONS / version / "python"
    return str(path) if path.exists() else None


def _processes() -> list[tuple[int, int, str]]:
    command = ["ps", "-e", "-o", "pid=,ppid=,args=", "-ww"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [(int(pid), int(parent), args) for pid, parent, args in (row.split(None, 2) for row in listed.splitlines())]


def tree(pid: int) -> dict[int, str]:
    """A process and all that it has started: their command lines."""
    rows = _processes()
    found = [pid]
    for parent in found:
        found += [child for child, its_parent, _args in rows if its_parent == parent]
    return {one: args for one, _parent, args in rows if one in found}


class FarSide:
    """The bastion.

    :ivar user: whom a run connects as.
    :ivar home: of that user; what a module leaves behind on the far side is found here.
    :ivar sudo: whether the user becomes root without a password.
    """

    def __init__(self) -> None:
        # Not pytest's own folder, which nobody else may enter; the path is short, for sockets are made in it.
        self.folder = Path(tempfile.mkdtemp(prefix="bastion-"))
        self.folder.chmod(0o755)
        self._made = os.getuid() == 0
        self.user = f"bastion{os.getpid()}" if self._made else getpass.getuser()
        self.home = self.folder / "home" if self._made else Path(pwd.getpwuid(os.getuid()).pw_dir)
        self.process: Optional[subprocess.Popen[bytes]] = None
        self._rule = SUDOERS / self.user
        try:
            self._begin()
        except BaseException:
            self.end()
            raise

    def _begin(self) -> None:
        if self._made:
            # Where another one is just being made, useradd finds its lock taken.
            command = ["useradd", "--create-home", "--home-dir", str(self.home), "--shell", "/bin/sh", self.user]
            command[1:1] = ["--password", "*", "--no-log-init"]
            until("a user is made", lambda: subprocess.run(command, check=False, capture_output=True).returncode == 0)
        self.sudo = self._may_sudo()
        for name in ("host", "client"):
            self._key(name)
        self.port = free_port("127.0.0.1")
        for version in filter(python, VERSIONS):
            self._interpreter(version)
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}")
        self._configure()
        self.start()

    def _interpreter(self, version: str) -> None:
        """Modules can be told from those of another test, and so can what they leave behind."""
        path, temporary = self.folder / f"python{version}", self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        temporary.chmod(0o1777)
        path.write_text(f"#!/bin/sh\nTMPDIR='{temporary}' exec '{python(version)}' -X {self._mark} \"$@\"\n")
        path.chmod(0o755)

    @property
    def _mark(self) -> str:
        return f"bastion={self.port}"

    def _may_sudo(self) -> bool:
        if not shutil.which("sudo"):
            return False
        if not self._made:
            return subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
        if not SUDOERS.is_dir():
            return False
        self._rule.write_text(f"{self.user} ALL=(ALL) NOPASSWD: ALL\n")
        self._rule.chmod(0o440)
        return True

    def _key(self, name: str) -> None:
        path = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)

    def _configure(self) -> None:
        keys = self.folder / "authorized_keys"
        shutil.copy(self.folder / "client.pub", keys)
        keys.chmod(0o644)
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder / 'host'}",
            f"AuthorizedKeysFile {keys}",
            f"AllowUsers {self.user}",
            "AuthenticationMethods publickey",
            "KbdInteractiveAuthentication no",
            "PasswordAuthentication no",
            "UsePAM no",
            "StrictModes no",
            "PidFile none",
            "MaxStartups 100",
            "MaxSessions 100",
            "LogLevel VERBOSE",
            "Subsystem sftp internal-sftp",
        ]
        (self.folder / "sshd_config").write_text("\n".join([*lines, ""]))

    def start(self) -> None:
        """Starts sshd; again, where a test has ended it."""
        if self._made:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self.folder / "sshd.log").open("ab") as log:
            command = [str(_sshd()), "-D", "-e", "-f", str(self.folder / "sshd_config")]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(f"sshd listens ({self.log})", self._listens)

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            return True
        return False

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text(errors="replace")

    def variables(self, version: str, **more: Any) -> dict[str, Any]:
        """Inventory variables of a host whose modules run there.

        :param version: of Python. Where there is none, the test is skipped.
        """
        if not python(version):
            pytest.skip(f"there is no Python {version} for the far side")
        options = {"UserKnownHostsFile": self.folder / "known_hosts", "StrictHostKeyChecking": "yes"}
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": self.user,
            "ansible_private_key_file": str(self.folder / "client"),
            "ansible_ssh_common_args": " ".join(f"-o {name}={value}" for name, value in options.items()),
            "ansible_control_path_dir": str(self.folder / "cp"),
            "ansible_remote_tmp": "~/.ansible/tmp",
            "ansible_async_dir": "~/.ansible_async",
            "ansible_python_interpreter": str(self.folder / f"python{version}"),
            **more,
        }

    def environment(self, pipelining: bool) -> dict[str, str]:
        """What ansible-playbook sees, beside its usual environment."""
        return {"ANSIBLE_PIPELINING": str(pipelining), "SSH_AUTH_SOCK": ""}

    def modules(self) -> list[int]:
        """The processes that run a module there, whoever they became."""
        return [pid for pid, _parent, args in _processes() if f"-X {self._mark} " in f"{args} "]

    @property
    def _folders(self) -> list[Path]:
        return [self.home / ".ansible/tmp", self.folder / "tmp"]

    def left(self) -> list[str]:
        """What modules have left behind there: files that were sent along, arguments, their own code."""
        return [str(path) for folder in self._folders if folder.is_dir() for path in folder.rglob("*")]

    def files_sent(self) -> list[str]:
        """Files of a connection that are there."""
        return [path for path in self.left() if path.endswith(".pem")]

    def cut(self) -> None:
        """Ends every connection at once, as a network that breaks; sshd goes on listening."""
        for pid, command in self.sessions().items():
            if "sshd:" in command:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def sessions(self) -> dict[int, str]:
        """sshd's own processes for each connection."""
        assert self.process is not None
        rows = _processes()
        ours = {self.process.pid}
        for _generation in range(3):
            ours |= {pid for pid, parent, args in rows if parent in ours and "sshd" in args}
        return {pid: args for pid, _parent, args in rows if pid in ours - {self.process.pid}}

    def settle(self) -> None:
        """Ends what a failed test has left running, and removes what it has left behind."""
        for pid in self.modules():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for folder in self._folders:
            for path in folder.iterdir() if folder.is_dir() else ():
                shutil.rmtree(path, ignore_errors=True)

    def end(self) -> None:
        """Ends sshd, removes the user and all files."""
        if self.process and self.process.poll() is None:
            self.cut()
            self.process.terminate()
            self.process.wait(10)
        masters = self.folder / "cp"
        for path in masters.iterdir() if masters.is_dir() else ():
            subprocess.run(["ssh", "-O", "exit", "-S", str(path), "nobody"], check=False, capture_output=True)
        if self._made:
            self.settle()
            self._rule.unlink(missing_ok=True)
            subprocess.run(["userdel", "--force", self.user], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
