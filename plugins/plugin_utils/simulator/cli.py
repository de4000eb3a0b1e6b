# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: options, the ready file, the exports, signals."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from .checks import TopologyError
from .clock import Clock, ClockError
from .folder import of_certificates
from .simulator import Simulator
from .tls import TlsError
from .topology import read

_LOOK_FOR_STARTER = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Runs until POST /stop, a signal, or its starter's end. Returns 2 if it can't start, with a sentence on stderr."""
    options = _parser().parse_args(arguments)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, lambda *_: stopping.set())
    allow_open_files()
    try:
        Clock(options.clock)
        specs = read(options.topology)
        with of_certificates(options.directory) as directory:
            simulator = Simulator(
                specs,
                clock=options.clock,
                bind=options.bind,
                admin_port=options.admin_port,
                directory=directory if options.tls else None,
                client_certificates=options.client_certificates,
                stopping=stopping,
            )
            _serve(simulator, options)
    except (ClockError, TopologyError, TlsError) as error:
        print(printable(str(error)), file=sys.stderr)
        return 2
    except OSError as error:
        print(printable(f"The simulator can't be started: {error}."), file=sys.stderr)
        return 2
    return 0


def _serve(simulator: Simulator, options: argparse.Namespace) -> None:
    try:
        simulator.start()
        ready = simulator.ready()
        if options.ready_file:
            write_private(Path(options.ready_file), json.dumps(ready, indent=1) + "\n")
        if not options.quiet:
            print("\n".join(exports(ready)), flush=True)
        # a process whose starter has ended has another parent
        while not simulator.stopping.wait(None if options.starter is None else _LOOK_FOR_STARTER):
            if os.getppid() != options.starter:
                break
    finally:
        simulator.stop()
        if options.ready_file:
            Path(options.ready_file).unlink(missing_ok=True)


def allow_open_files() -> None:
    """Raises the limit of open files as far as the machine allows. Each listener is one; the usual limit is 1,024."""
    _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # a machine without a known maximum
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def exports(ready: dict[str, Any]) -> list[str]:
    """Shell lines that point clients to the first cluster, with those of the other clusters as comments."""
    lines: list[str] = []
    several = len(ready["clusters"]) > 1
    for number, (name, cluster) in enumerate(ready["clusters"].items()):
        values = {**cluster["environment"], **of_admin(ready)}
        lines += [f"# {printable(name)}"] if several else []
        lines += [f"{'# ' if number else ''}export {key}={shlex.quote(value)}" for key, value in values.items()]
    return lines


def of_admin(ready: dict[str, Any]) -> dict[str, str]:
    return {"DBFLEET_SIMULATOR": ready["admin_url"], "DBFLEET_SIMULATOR_TOKEN": ready["admin_token"]}


def printable(text: str) -> str:
    """A text as one line that neither a terminal nor a shell interprets."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def write_private(path: Path, text: str) -> None:
    """Writes a file with mode 0600, in one step: it is complete or missing."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator",
        description="Simulated Exasol clusters and NuoDB domains. Runs until it is stopped.",
    )
    add = parser.add_argument
    add(
        "--topology",
        required=True,
        help="YAML or JSON: what exa_cluster_info or nuodb_domain_info returns, or several of them",
    )
    add("--clock", default="seconds:1", help="immediate, seconds:<scale> or polls:<n> (default seconds:1)")
    add("--bind", default="127.0.0.1", help="address of the API's listeners (default 127.0.0.1)")
    add("--admin-port", type=int, default=0, help="port of the admin endpoint on 127.0.0.1 (default any)")
    add("--tls", action=argparse.BooleanOptionalAction, default=True, help="HTTPS by a certificate made at start")
    add("--client-certificates", action="store_true", help="demand a client certificate (written to the directory)")
    add("--directory", help="where certificates are written (default a temporary directory, removed at the end)")
    add("--quiet", action="store_true", help="print no exports (they hold the password and the token)")
    add("--ready-file", help="JSON with URLs, credentials and the token, written (mode 0600) when all servers listen")
    add(
        "--starter",
        type=int,
        metavar="PID",
        help="the process that started the simulator; the simulator ends when that process has ended",
    )
    return parser
