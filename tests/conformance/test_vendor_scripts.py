# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of the vendor's start and stop scripts' shape, on plain xmlrpc.client: the order of calls is theirs."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlsplit
from xmlrpc.client import Fault, ProtocolError, ServerProxy

import pytest

NODES = ("n0011", "n0012")
TOPOLOGY: dict[str, Any] = {
    "name": "exa-vendor",
    "version": "6.2.1",
    "nodes": {name: {"state": "offline"} for name in NODES},
    "storage_online": False,
    "databases": {"DB1": {}, "TEST DB": {}},
}
UP: dict[str, Any] = {
    **TOPOLOGY,
    "nodes": {name: {"state": "online"} for name in NODES},
    "storage_online": True,
    "databases": {"DB1": {"state": "running"}, "TEST DB": {"state": "running"}},
}


def api(simulation: Any, path: str = "", password: str | None = None) -> Any:
    """As the scripts connect: TLS 1.2 only, nothing verified, credentials quoted into the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    host = urlsplit(simulation.cluster["api_url"][0]).netloc
    secret = quote_plus(password or simulation.cluster["password"]).replace("+", "%20")
    return ServerProxy(f"https://{simulation.cluster['username']}:{secret}@{host}/cluster1{path}", context=context)


def until(done: Callable[[], bool], seconds: float = 120) -> int:
    """How often it had to be asked."""
    deadline, asked = time.monotonic() + seconds, 1
    while not done():
        assert time.monotonic() < deadline
        asked += 1
        time.sleep(0.01)
    return asked


def test_start(simulate: Any) -> None:
    simulation = simulate(TOPOLOGY)
    cluster, storage = api(simulation, "/"), api(simulation, "/storage")
    for node in NODES:
        simulation.admin("POST", "/power", {"node": node, "on": True})

    until(
        lambda: all(api(simulation, "/" + name).getNodeState()["status"] == "Running" for name in cluster.getNodeList())
    )
    assert storage.serviceIsOnline() is False
    assert storage.startEXAStorage() == "OK"
    # the script asks no more: what it started is up when the call returns
    for name in cluster.getDatabaseList():
        database = api(simulation, "/db_" + quote_plus(name))
        assert database.runningDatabase() is False
        assert database.startDatabase() is None
    state = simulation.wait(lambda state: all(row["state"] == "running" for row in state["databases"].values()))
    assert state["storage_online"] is True
    assert simulation.broken_rules() == []


def test_stop(simulate: Any) -> None:
    simulation = simulate(UP, "polls:3")
    cluster, storage = api(simulation, "/"), api(simulation, "/storage")
    holder = f"n{cluster.getCurrentLicenseServer():04d}"
    assert holder == "n0010"
    for name in cluster.getDatabaseList():
        database = api(simulation, "/db_" + quote_plus(name))
        assert database.runningDatabase() is True
        database.shutdownDatabase()
        assert until(lambda database=database: not database.runningDatabase()) > 1
    assert storage.serviceIsOnline() is True
    storage.stopEXAStorage()
    assert until(lambda: not storage.serviceIsOnline()) > 1
    for name in cluster.getNodeList():
        assert name != holder
        api(simulation, "/" + name).shutdownNode()
    until(lambda: all(api(simulation, "/" + name).getNodeState()["status"] != "Running" for name in NODES))
    simulation.admin("POST", "/clock", {"clock": "seconds:0.001"})  # nobody can poll what goes off
    cluster.haltLicenseServer(holder)
    simulation.wait(lambda state: state["machines"]["n0010"]["state"] == "off")
    with pytest.raises(ConnectionRefusedError):
        api(simulation, "/").getNodeList()
    assert simulation.broken_rules() == []


def test_exaoperation_on_a_node_goes_back(simulate: Any) -> None:
    """The stop script's other half: it waits until EXAoperation has moved back to the license server."""
    simulation = simulate({**UP, "databases": {}, "storage_online": False, "master": "n0011"})
    cluster = api(simulation, "/")
    assert f"n{cluster.getCurrentLicenseServer():04d}" == "n0011"
    api(simulation, "/n0012").shutdownNode()
    until(lambda: api(simulation, "/n0012").getNodeState()["status"] != "Running")
    api(simulation, "/n0011").shutdownNode()
    simulation.wait(lambda state: state["nodes"]["n0011"]["state"] == "off" and state["exaoperation_running"])
    cluster = api(simulation, "/")
    assert cluster.getCurrentLicenseServer() == 10
    cluster.haltLicenseServer("n0010")
    simulation.wait(lambda state: not state["exaoperation_running"])


def test_what_the_scripts_tell_errors_by(simulate: Any) -> None:
    simulation = simulate(UP)
    with pytest.raises(ProtocolError, match="401 Unauthorized"):
        api(simulation, "/", password="wrong").getNodeList()
    with pytest.raises(Fault, match="Unexpected Zope exception: NotFound: Object: <.*>, name: u'db_nope'"):
        api(simulation, "/db_nope").getDatabaseState()
    with pytest.raises(Fault) as caught:
        api(simulation, "/storage").getVolumeInfo("v9999")
    assert (caught.value.faultCode, caught.value.faultString) == (-1, "Volume could not be found")


def test_help_script_order(simulate: Any) -> None:
    """Every listed call of every object has a help, or none, as the help script asks for it."""
    simulation = simulate(UP)
    cluster = api(simulation, "/")
    logservice = cluster.getAllLogServices()[0]["name"]
    for path in ("/", "/storage", "/users", "/db_DB1", "/" + logservice, "/" + cluster.getNodeList()[0]):
        handle = api(simulation, path)
        methods = handle.listMethods()
        assert {"getPath", "listMethods", "methodHelp"} <= set(methods)
        assert all(handle.methodHelp(method) is None or handle.methodHelp(method).strip() for method in methods)


def test_monitoring(simulate: Any) -> None:
    """What monitoring checks read, by the fields they use."""
    simulation = simulate({**UP, "volumes": {"v0000": {}, "v0001": {}, "v0002": {"kind": "archive"}}})
    cluster, storage = api(simulation, "/"), api(simulation, "/storage")
    assert [state for _name, state in cluster.getServiceState()] == ["OK"] * 4
    assert {cluster.getNodeState(node)["status"] for node in cluster.getNodeList()} == {"Running"}
    info = api(simulation, "/db_DB1").getDatabaseInfo()
    assert (info["state"], info["connectible"], info["operation"]) == ("running", "Yes", "None")
    # the disk space check divides usage and size by the number of segments
    for kind in ("persistent", "temporary"):
        volume = storage.getVolumeInfo(info[f"{kind} volume"])
        assert info[f"usage {kind}"] / float(len(volume["segments"][0])) * volume["redundancy"] >= 0
        assert len(volume["segments"]) == volume["redundancy"]
        assert set(volume["segments"][0]) <= set(cluster.getNodeList())
        assert volume["disk"] in [disk["name"] for disk in api(simulation, "/n0011").getDiskStates()]
    for name in storage.getVolumeList():
        assert {"disk", "redundancy", "size", "segments"} <= set(storage.getVolumeInfo(name))
    logservice = api(simulation, "/logservice1")
    api(simulation, "/db_DB1").backupDatabase("v0002", 0, "1w")
    first = logservice.logEntriesTagged("watch")[2]
    assert [row["message"] for row in first] == ["Backup started."]
    assert logservice.logEntriesTagged("watch")[2] == []
    assert {"strtime", "system", "node", "message", "priority"} <= set(first[0])
    database = api(simulation, "/db_DB1")
    until(lambda: database.getDatabaseOperation() == "None")
    assert database.getBackupList() == [[1, 2]]
    assert database.getBackupInfo(1)["usable"] is True
    assert database.getBackups()[0]["volume"] == "v0002"


def test_latest_backup_is_restored(simulate: Any) -> None:
    """As the restore scripts do it: the newest usable backup of a database, its expiry taken away and given back."""
    topology = {**UP, "remote_volumes": {"remote1": {"url": "ftp://10.0.0.9:2021/v0003"}}}
    simulation = simulate(topology)
    source, database = api(simulation, "/db_DB1"), api(simulation, "/db_TEST DB".replace(" ", "+"))
    source.backupDatabase("r0001", 0, "1w")
    until(lambda: source.getDatabaseOperation() == "None")
    rows = [row for row in database.getBackups(True, True) if row["system"] == "DB1" and row["usable"]]
    row = max(rows, key=lambda one: one["bid"])
    number = int(row["volume"].replace("r", "")) + 10000
    until(lambda: database.getDatabaseConnectionState() == "Yes")
    assert database.runningDatabase()
    database.shutdownDatabase()
    until(lambda: not database.runningDatabase())
    prefix = row["expire_alterable"].split(" ")[1]
    expires = int(time.mktime(time.strptime(row["expire"], "%Y-%m-%d %H:%M")))
    database.changeBackupExpiration(number, prefix, 0)
    assert source.getBackups()[0]["expire"] == ""
    database.restoreDatabase(row["id"], "virtual access")
    database.changeBackupExpiration(number, prefix, expires)
    assert source.getBackups()[0]["expire"] == row["expire"]
    until(lambda: database.getDatabaseConnectionState() == "Yes")
