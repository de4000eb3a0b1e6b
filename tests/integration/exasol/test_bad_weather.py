# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input and bad networks: one sentence that names cluster, call and cause, and nothing changed."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import ssl
import xmlrpc.client
from urllib.error import HTTPError

import pytest
from world import Simulator, cluster, confd

EVERY = {"method": "*"}

FAULTS = {
    "html": {"kind": "html", "status": 200, **EVERY},
    "gateway": {"kind": "html", **EVERY},
    "truncated": {"kind": "truncate", "variant": "xml", **EVERY},
    "cut": {"kind": "truncate", **EVERY},
    "reset": {"kind": "reset", **EVERY},
    "hang": {"kind": "hang", **EVERY},
    "broken-server": {"kind": "server_error", **EVERY},
    "no-nodes": {"kind": "wrong_state", "method": "getNodeList", "value": []},
    "no-services": {"kind": "wrong_state", "method": "getServiceState", "value": "fine"},
    "strange-state": {"kind": "wrong_state", "method": "getDatabaseInfo", "value": {"state": "migrating"}},
}
HEALTHY = (
    "wrong-password", "forbidden", "wrong-ca", "untrusted", "pinned", "wrong-pin", "no-pin", "plain-http", "in-url",
    "missing-ca", "unknown-database", "unknown-node", "nowhere", "no-name", "no-url",
)  # fmt: skip

SAYS = {
    "wrong-password": r"getNodeList\(\) at https://\S+: the server refused user 'admin' and its password \(HTTP 401\)",
    "forbidden": r": the user may not do this \(.*role User",
    "wrong-ca": r"the server's certificate is (not signed by a trusted CA|self-signed)",
    "untrusted": r"the server's certificate is (not signed by a trusted CA|self-signed)",
    "wrong-pin": r"not the one that tls_fingerprint names",
    "no-pin": r"tls_fingerprint must be the 64 hexadecimal digits",
    "plain-http": r"getNodeList\(\) at http://\S+: (the connection was closed|the answer|no connection|.*HTTP 400)",
    "in-url": r"api_url contains credentials",
    "missing-ca": r"ca_path names /nowhere/ca.pem, which is not a readable file",
    "unknown-database": r"there is no database DB11 \(did you mean DB1\?\); there are: DB1",
    "unknown-node": r"there is no node n0099",
    "nowhere": r"getNodeList\(\) at https://127\.0\.0\.1:1: connection refused; the wait timed out after 3 s",
    "no-name": r"the host name can't be resolved",
    "no-url": r"no api_url is given",
    "html": r"getNodeList\(\) at .*: the answer is an HTML page",
    "gateway": r"a gateway answered HTTP 502",
    "truncated": r"getNodeList\(\) at .*: the XML of the answer is broken or incomplete",
    "cut": r"(the answer was cut off|the connection was closed before the answer)",
    "reset": r"getNodeList\(\) at .*: the connection was closed before the answer; the wait timed out after 3 s",
    "hang": r"(getNodeList\(\) at https://\S+: no answer within 1 s|no answer at https://)",
    "broken-server": r"the server answered HTTP 500",
    "no-nodes": r"the API answers, but names no nodes",
    "no-services": r"getServiceState at .*: the answer has an unknown form \('fine'\)",
    "strange-state": r"DB1: state 'migrating' is not one in which this is known to be safe",
}


@pytest.fixture
def other_ca(tmp_path):
    """The certificate of a CA that signed nothing here."""
    other = Simulator(tmp_path / "other", [cluster("other")])
    kept = tmp_path / "of_another.pem"
    shutil.copy(other.variables("other")["exa_ca_path"], kept)
    other.stop()  # its own folder goes with it
    return str(kept)


def test_one_sentence_each(simulate, ansible, other_ca):
    special = {"forbidden": {"users": [{"name": "admin", "password": "p", "role": "User"}]}}
    simulator = simulate(*(cluster(name, **special.get(name, {})) for name in (*HEALTHY, *FAULTS)))
    for name, fault in FAULTS.items():
        simulator.fault(**fault, cluster=name)
    hosts = simulator.inventory(exa_wait_timeout=3, exa_request_timeout=20)
    url = {name: host["exa_api_url"][0] for name, host in hosts.items()}
    port = int(url["pinned"].rpartition(":")[2])
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
    fingerprint = hashlib.sha256(certificate).hexdigest().upper()
    pinned = ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2))
    for name in ("untrusted", "pinned", "wrong-pin", "no-pin"):
        del hosts[name]["exa_ca_path"]
    changes = {
        "wrong-password": {"exa_api_password": "no, another"},
        "wrong-ca": {"exa_ca_path": other_ca},
        "pinned": {"exa_tls_fingerprint": pinned},
        "wrong-pin": {"exa_tls_fingerprint": "ab" * 32},
        "no-pin": {"exa_tls_fingerprint": "abc"},
        "plain-http": {"exa_api_url": url["plain-http"].replace("https:", "http:")},
        "in-url": {"exa_api_url": url["in-url"].replace("https://", "https://admin:tell%40tale@")},
        "missing-ca": {"exa_ca_path": "/nowhere/ca.pem"},
        "unknown-database": {"exa_cold_start_databases": ["DB11"]},
        "unknown-node": {"exa_cold_start_ignore_nodes": ["n0099"]},
        "nowhere": {"exa_api_url": "https://127.0.0.1:1"},
        "no-name": {"exa_api_url": "https://no-such-host.invalid"},
        "no-url": {"exa_api_url": []},
        "hang": {"exa_request_timeout": 1},
    }
    for name, more in changes.items():
        hosts[name].update(more)
    run = ansible.run("exa_cold_start", hosts, "--forks", "30").failed()

    succeeded = {name for name, row in run.stats.items() if not row["failures"]}
    assert succeeded == {"pinned"}, run.out
    assert simulator.all_connectable("pinned")
    wrong = {}
    for name, pattern in SAYS.items():
        cause = run.failures(name)[0]
        if not re.search(pattern, cause) or not cause.startswith(f"{name}: "):
            wrong[name] = cause
        assert simulator.changes(name) == []
        assert len(run.lines(rf"^\[{name}\] cause: ")) == 1
    assert not wrong, "\n".join(wrong.values())
    assert "tell" not in run.out
    for name in ("untrusted", "wrong-ca"):
        assert run.lines(rf"^\[{name}\] hint: .*ca_path.*tls_fingerprint")


def test_two_hosts_that_are_one_cluster(simulate, ansible):
    simulator = simulate(cluster("exa-prod"), cluster("exa-test"))
    hosts = simulator.inventory()
    hosts["exa-alias"] = {**hosts["exa-prod"], "exa_api_url": hosts["exa-prod"]["exa_api_url"][0] + "/"}
    run = ansible.run("exa_cold_start", hosts).failed()
    assert "exa-prod and exa-alias share an API endpoint" in run.failures("exa-prod")[0]
    assert "exa-alias and exa-prod share an API endpoint" in run.failures("exa-alias")[0]
    assert simulator.calls() == []
    assert run.stats["exa-test"]["failures"] == 0
    assert simulator.all_connectable("exa-test")


def test_one_answer_that_cannot_be_read_is_asked_for_again(simulate, ansible):
    """Outside of a wait, too: a page of a proxy, half an answer, and of ConfD one reset of each GET /master."""
    alone = confd("alone", databases=0)
    simulator = simulate(cluster("page"), cluster("half"), confd("named", databases=0), alone)
    for method in ("getNodeList", "getEXAoperationMaster"):
        simulator.fault("html", cluster="page", method=method, status=200, max_count=1)
        simulator.fault("truncate", cluster="half", method=method, variant="xml", max_count=1)
    simulator.fault("reset", cluster="named", method="master", after=1, max_count=1)
    simulator.fault("reset", cluster="alone", method="master", max_count=1)
    hosts = simulator.inventory()
    for name in ("named", "alone"):
        hosts[name]["exa_provider"] = "confd"
    hosts["alone"]["exa_api_url"] = hosts["alone"]["exa_api_url"][:1]
    look = {"gather": ["nodes"]}
    run = ansible.run([{"name": "look", "dbfleet.cluster.exa_cluster_info": look}], hosts).ok()
    told = {name: run.one("look", name)["cluster"]["master"] for name in simulator.names}
    assert told == {"page": "n0010", "half": "n0010", "named": "n11", "alone": "n11"}


def test_a_refused_connection_carried_nothing(serve, reply, ansible):
    """The last read is answered, and nobody takes the connection of the call that follows."""
    answers = {"getDatabaseList": ["DB1"], "getDatabaseState": "setup", "getDatabaseOperation": "None"}

    def answer(asked):
        _args, method = xmlrpc.client.loads(asked.body)
        if method == "getServiceState":
            server._listener.shutdown(socket.SHUT_RDWR)
        told = answers.get(method, [["Storaged", "OK"]])
        return reply(xmlrpc.client.dumps((told,), methodresponse=True).encode())

    server = serve(answer)
    variables = {"api_url": [server.url], "api_username": "admin", "api_password": "pw", "provider": "exaoperation"}
    start = {"databases": ["DB1"], "state": "started", "wait": False}
    hosts = {"exa-prod": {f"exa_{name}": value for name, value in variables.items()}}
    run = ansible.run([{"name": "start", "dbfleet.cluster.exa_database": start}], hosts).failed()
    result = run.one("start")
    says = f"exa-prod: startDatabase of db_DB1 at {server.url}: connection refused; the call was not sent [DBF-1007]"
    assert (result["msg"], result["message_number"]) == (says, "DBF-1007")
    assert result["changed"] is False
    assert [step.get("refused") for step in result["steps"]] == [True]


def test_weather_that_no_server_can_make(simulate):
    """An integer that XML-RPC has no room for is refused where it is given, not where it is sent."""
    simulator = simulate(cluster("exa-a"))
    for value in (2**31, [{"size": -(2**31) - 1}]):
        with pytest.raises(HTTPError) as refused:
            simulator.fault("wrong_state", method="getDatabaseList", value=value)
        with refused.value as answer:
            assert answer.code == 400
            assert b"an integer of XML-RPC has 32 bits" in answer.read()
    assert simulator.admin("/faults") == []


def test_weather_that_clears(simulate, ansible):
    """Reads that fail now and then delay a run, and change nothing of what it does."""
    simulator = simulate(cluster(databases=2))
    for kind in ("reset", "truncate", "html", "server_error"):
        for method in ("getHardwareInformation", "getServiceState", "getDatabaseState", "getNodeState"):
            simulator.fault(kind, method=method, probability=0.05)
    ansible.run("exa_cold_start", simulator.inventory()).ok()
    assert simulator.all_connectable()
    assert sorted(simulator.changes()) == [
        "startDatabase db_DB1",
        "startDatabase db_DB2",
        "startEXAStorage storage",
        "startupNode n0011",
        "startupNode n0012",
    ]
