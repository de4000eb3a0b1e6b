# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Power controllers of the simulator's machines: sushy-tools' emulator (Redfish) and Debian's ipmi_sim (IPMI)."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import bcrypt
from ansible_collections.dbfleet.cluster.tests.admin import headers
from world import Simulator, free_port, until

USER, PASSWORD = "operator", "pw-of-the-cards"


class Controller:
    """A process that ends with the test."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Redfish(Controller):
    """A card with a system for each machine. What is set there presses the machine's power button.

    :ivar pressed: machine and state, each time that somebody asked for one.
    """

    def __init__(self, folder: Path, simulator: Simulator, identity: Any, states: dict[str, str]) -> None:
        """:param states: of the machines, in words of Redfish."""
        folder.mkdir()
        self.pressed: list[tuple[str, str]] = []
        self._notified = ThreadingHTTPServer(("127.0.0.1", 0), self._presses(simulator))
        threading.Thread(target=self._notified.serve_forever, daemon=True).start()
        self.port = free_port("127.0.0.1")
        self.ids = {name: f"27946b59-9e44-4fa7-8e91-f3527a1e{name[1:]}" for name in states}
        systems = [
            {"uuid": self.ids[name], "name": name, "power_state": state, "external_notifier": True, "nics": []}
            for name, state in states.items()
        ]
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
        settings = {
            "SUSHY_EMULATOR_LISTEN_IP": "127.0.0.1",
            "SUSHY_EMULATOR_LISTEN_PORT": self.port,
            "SUSHY_EMULATOR_SSL_CERT": str(identity.cert),
            "SUSHY_EMULATOR_SSL_KEY": str(identity.key),
            "SUSHY_EMULATOR_AUTH_FILE": str(folder / "htpasswd"),
            "SUSHY_EMULATOR_FAKE_DRIVER": True,
            "SUSHY_EMULATOR_STATE_DIR": str(folder),
            "EXTERNAL_NOTIFICATION_URL": f"http://127.0.0.1:{self._notified.server_port}",
            "SUSHY_EMULATOR_FAKE_SYSTEMS": systems,
        }
        (folder / "sushy.conf").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
        program = str(Path(sys.executable).parent / "sushy-emulator")
        super().__init__(folder, [program, "--config", str(folder / "sushy.conf")])
        until(f"the emulator listens: {self.log}", self._listens)

    def _presses(self, simulator: Simulator) -> type[BaseHTTPRequestHandler]:
        pressed = self.pressed

        class Notified(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                system = json.loads(self.rfile.read(int(self.headers["content-length"])))
                pending = system.get("pending_power")
                if pending:  # told again, without it, once it is done
                    pressed.append((system["name"], pending["power_state"]))
                    simulator.power(system["name"], pending["power_state"] == "On")
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Notified

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def all_on(self) -> bool:
        """Whether every card shows its machine on, which the emulator does up to 11 seconds after the press."""
        return all(self._power_of(name) == "On" for name in self.ids)

    def _power_of(self, machine: str) -> str:
        asked = Request(f"https://127.0.0.1:{self.port}/redfish/v1/Systems/{self.ids[machine]}")
        coded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        asked.add_header("Authorization", f"Basic {coded}")
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=ssl._create_unverified_context()))
        with opener.open(asked, timeout=30) as answer:
            return str(json.loads(answer.read())["PowerState"])

    def card(self, machine: str, **more: Any) -> dict[str, Any]:
        return {"address": f"127.0.0.1:{self.port}", "resource_id": self.ids[machine], **more}

    def end(self) -> None:
        super().end()
        self._notified.shutdown()
        self._notified.server_close()


CHASSIS = """#!{python}
# ipmi_sim calls it: ADDRESS get|set NAME [VALUE] ...
import json, sys
from urllib.request import Request, urlopen
words = sys.argv[2:]
headers = {headers}
verb = words.pop(0)
while words:
    name = words.pop(0)
    if verb == "set":
        value = words.pop(0)
        if name in ("power", "shutdown"):
            on = name == "power" and value == "1"
            body = json.dumps({{"node": "{machine}", "on": on}}).encode()
            urlopen(Request("{admin}/power?cluster={cluster}", body, headers, method="POST"), timeout=30).read()
    elif name == "power":
        state = json.load(urlopen(Request("{admin}/state?cluster={cluster}", headers=headers), timeout=30))
        machine = {{**state["machines"], **state["nodes"]}}["{machine}"]
        print("power:%d" % (machine["state"] not in ("off", "offline")))
    elif name == "boot":
        print("boot:default")
"""

LAN = """name "{machine}"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{chassis} 0x20"
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""

EMULATED = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""


class Ipmi(Controller):
    """The card of one machine. Its power is the simulated machine's."""

    def __init__(self, program: str, folder: Path, simulator: Simulator, machine: str) -> None:
        folder.mkdir()
        self.port = free_port("127.0.0.1")
        chassis = folder / "chassis_control"
        ready = simulator.ready
        where = {"admin": ready["admin_url"], "headers": headers(ready), "cluster": simulator.names[0]}
        chassis.write_text(CHASSIS.format(python=sys.executable, machine=machine, **where))
        chassis.chmod(0o700)  # it holds the token
        lan = {"machine": machine, "port": self.port, "chassis": chassis, "user": USER, "password": PASSWORD}
        (folder / "lan.conf").write_text(LAN.format(**lan))
        (folder / "sim.emu").write_text(EMULATED)
        (folder / "kept").mkdir()
        command = [program, "-c", "lan.conf", "-f", "sim.emu", "-s", str(folder / "kept"), "-n"]
        super().__init__(folder, command)
        until(f"ipmi_sim listens: {self.log}", self._listens)

    def _listens(self) -> bool:
        """Whether somebody has the port."""
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                return True
        return False

    def card(self, **more: Any) -> dict[str, Any]:
        return {"address": "127.0.0.1", "port": self.port, **more}
