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
        (self.folder / "known_hosts").write_text(
            f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}"
        )
        self._configure()
        self.start()

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

        :param version: of Python.
        """
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
            "ansible_python_interpreter": python(version),
            **more,
        }

    def environment(self, pipelining: bool) -> dict[str, str]:
        """What ansible-playbook sees, beside its usual environment."""
        return {"ANSIBLE_PIPELINING": str(pipelining), "SSH_AUTH_SOCK": ""}

    def processes(self, user: Optional[str] = None) -> dict[int, str]:
        """The processes of the far side's user (or another's) that run a module of ours: their command lines."""
        command = ["ps", "-e", "-o", "pid=,user:32=,args=", "-ww"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()]
        return {int(row[0]): row[2] for row in rows if len(row) == 3 and row[1] == (user or self.user)}

    def cut(self) -> None:
        """Ends every connection at once, as a network that breaks; sshd goes on listening."""
        for pid, command in self.sessions().items():
            if "sshd:" in command:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def sessions(self) -> dict[int, str]:
        """sshd's own processes for each connection."""
        assert self.process is not None
        command = ["ps", "-e", "-o", "pid=,ppid=,args=", "-ww"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows = [(int(pid), int(parent), args) for pid, parent, args in (r.split(None, 2) for r in listed.splitlines())]
        ours = {self.process.pid}
        for _generation in range(3):
            ours |= {pid for pid, parent, args in rows if parent in ours and "sshd" in args}
        return {pid: args for pid, _parent, args in rows if pid in ours - {self.process.pid}}

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
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._rule.unlink(missing_ok=True)
            subprocess.run(["userdel", "--force", self.user], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
