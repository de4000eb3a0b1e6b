# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input and bad networks around NuoDB: one sentence that names domain, call and cause, and nothing changed."""

from __future__ import annotations

import datetime
import re
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from domains import all_run, database, domain
from world import Simulator

READER = "a reader's password"
EVERY = {"method": "*"}
STRANGE = {
    "data": [{"name": "shop", "state": "HIBERNATING", "incarnation": {"major": 1, "minor": 4}}],
    "hasNext": False,
}
OTHER = "Unexpected incarnation for database shop: expected=(2, 0), actual=(3, 0)"

FAULTS = {
    "html": {"kind": "html", "status": 200, **EVERY},
    "gateway": {"kind": "html", **EVERY},
    "truncated": {"kind": "truncate", "variant": "json", **EVERY},
    "cut": {"kind": "truncate", **EVERY},
    "reset": {"kind": "reset", **EVERY},
    "hang": {"kind": "hang", **EVERY},
    "broken-server": {"kind": "server_error", **EVERY},
    "no-servers": {"kind": "wrong_state", "method": "GET peers", "value": {"data": [], "hasNext": False}},
    "no-list": {"kind": "wrong_state", "method": "GET databases", "value": ["shop"]},
    "later-version": {"kind": "wrong_state", "method": "GET databases", "value": STRANGE},
    "somebody-else": {"kind": "fault", "method": "POST processes", "status": 409, "text": OTHER},
}
HEALTHY = (
    "wrong-password", "wrong-ca", "untrusted", "plain-http", "in-url", "missing-ca", "unknown-database", "nowhere",
    "no-name", "no-url",
)  # fmt: skip
CERTIFIED = ("mutual", "mutual-in-one", "no-client-key", "expired-key", "missing-key", "broken-key")
GOOD = ("mutual", "mutual-in-one", "first-dead", "first-isolated")
ENOUGH = {"nuodb_wait_timeout": 60}
"""The others wait for 3 s, which end between two looks."""

SAYS = {
    "wrong-password": r"GET peers at https://\S+: .*(HTTP 401)",
    "forbidden": r"POST \S+ of \S+ at https://\S+: User reader is not authorized .*\(HTTP 403\)",
    "wrong-ca": r"the server's certificate is (not signed by a trusted CA|self-signed)",
    "untrusted": r"the server's certificate is (not signed by a trusted CA|self-signed)",
    "plain-http": r"GET peers at http://\S+: (the connection was closed|the answer|no connection|.*HTTP 400)",
    "in-url": r"api_url contains credentials",
    "missing-ca": r"ca_path names /nowhere/ca.pem, which is not a readable file",
    "unknown-database": r"there is no database shoppe \(did you mean shop\?\); there are: shop",
    "nowhere": r"GET peers at https://127\.0\.0\.1:1: connection refused; the wait timed out after 3 s",
    "no-name": r"the host name can't be resolved",
    "no-url": r"no api_url is given",
    "no-client-key": r"the server requires a client certificate, and got none",
    "expired-key": r"the server refused the client certificate",
    "missing-key": r"client_cert names /nowhere/key.pem, which is not a readable file",
    "broken-key": r"client_cert and client_key are not a certificate and its key",
    "html": r"GET peers at .*: the answer is not JSON: '<html>",
    "gateway": r"a gateway answered HTTP 502",
    "truncated": r"GET peers at .*: the answer is not JSON",
    "cut": r"(the answer was cut off|the connection was closed before the answer)",
    "reset": r"GET peers at .*: the connection was closed before the answer; the wait timed out after 3 s",
    "hang": r"(GET peers at https://\S+: no answer within 1 s|no answer at https://)",
    "broken-server": r"the server answered HTTP 500",
    "no-servers": r"the API answers, but names no servers",
    "no-list": r"GET databases at .*: the answer lacks what the Admin REST API promises",
    "later-version": r"shop.*HIBERNATING",
    "somebody-else": r"POST processes of shop:archive0@server0 at .*: Unexpected incarnation for database shop",
}


@pytest.fixture
def other_ca(tmp_path):
    """The certificate of a CA that signed nothing here."""
    other = Simulator(tmp_path / "other", [domain("other")])
    kept = tmp_path / "of_another.pem"
    shutil.copy(other.variables("other")["nuodb_ca_path"], kept)
    other.stop()  # its own folder goes with it
    return str(kept)


def expired(folder):
    """A client's certificate and key whose time is over."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=9))
    certificate = builder.not_valid_after(now - datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "expired.pem").write_bytes(private + certificate.public_bytes(pem))
    return str(folder / "expired.pem")


def test_one_sentence_each(simulate, ansible, other_ca, tmp_path):
    one = {"shop": database(["server0"], ["server0"])}
    reader = [{"name": "reader", "authorizedRequests": [{"method": "GET", "url": "/api/1/*"}]}]
    users = [{"name": "owner"}, {"name": "reader", "password": READER, "roles": ["reader"]}]
    far = {"shop": database(["server1", "server2"], ["server1"])}
    simulator = simulate(
        *(domain(name, 1, databases=one) for name in (*HEALTHY, *FAULTS)),
        *(domain(name, 1, databases=one, authentication="certificate") for name in CERTIFIED),
        domain("forbidden", 1, databases=one, roles=reader, users=users),
        domain("first-dead", 3, databases=far, stopped=["server0"]),
        domain("first-isolated", 3, databases=far),
    )
    for name, fault in FAULTS.items():
        simulator.fault(**fault, cluster=name)
    simulator.admin("/partition", {"server": "server0", "isolated": True}, cluster="first-isolated")
    hosts = simulator.inventory(nuodb_wait_timeout=3, nuodb_request_timeout=20)
    url = {name: host["nuodb_api_url"][0] for name, host in hosts.items()}
    client = simulator.ready["clusters"]["mutual"]
    del hosts["untrusted"]["nuodb_ca_path"]
    for name in CERTIFIED:
        for option in ("nuodb_api_username", "nuodb_api_password"):
            hosts[name].pop(option)
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    changes = {
        "wrong-password": {"nuodb_api_password": "no, another"},
        "wrong-ca": {"nuodb_ca_path": other_ca},
        "plain-http": {"nuodb_api_url": url["plain-http"].replace("https:", "http:")},
        "in-url": {"nuodb_api_url": url["in-url"].replace("https://", "https://admin:tell%40tale@")},
        "missing-ca": {"nuodb_ca_path": "/nowhere/ca.pem"},
        "unknown-database": {"nuodb_databases": ["shoppe"]},
        "nowhere": {"nuodb_api_url": "https://127.0.0.1:1"},
        "no-name": {"nuodb_api_url": "https://no-such-host.invalid"},
        "no-url": {"nuodb_api_url": []},
        "hang": {"nuodb_request_timeout": 1},
        "mutual": {"nuodb_client_cert": client["client_cert"], "nuodb_client_key": client["client_key"], **ENOUGH},
        "mutual-in-one": {"nuodb_client_key": client["client_key"], **ENOUGH},
        "expired-key": {"nuodb_client_cert": expired(tmp_path)},
        "missing-key": {"nuodb_client_cert": "/nowhere/key.pem"},
        "broken-key": {"nuodb_client_cert": str(tmp_path / "broken.pem")},
        "forbidden": {"nuodb_api_username": "reader", "nuodb_api_password": READER},
        "first-dead": {"nuodb_cold_start_require": "quorum", **ENOUGH},
        "first-isolated": {"nuodb_cold_start_require": "quorum", **ENOUGH},
    }
    for name, more in changes.items():
        hosts[name].update(more)
    run = ansible.run("nuodb_cold_start", hosts, "--forks", "40").failed()

    succeeded = {name for name, row in run.stats.items() if not row["failures"]}
    assert succeeded == set(GOOD), run.out
    assert all(all_run(simulator, name) for name in GOOD)
    wrong = {}
    for name, pattern in SAYS.items():
        cause = run.failures(name)[0]
        if not re.search(pattern, cause) or not cause.startswith(f"{name}: "):
            wrong[name] = cause
        allowed = ("forbidden", "somebody-else")  # they were asked for, and refused
        reached = [row for row in simulator.calls(cluster=name, changing=True) if "fault" not in row]
        assert not [row for row in reached if row["method"] != "PUT kvstore"], name
        assert simulator.changes(name) == [] or name in allowed
        assert simulator.state(name)["processes"] == {}
        assert len(run.lines(rf"^\[{name}\] cause: ")) == 1
    assert not wrong, "\n".join(wrong.values())
    assert "tell" not in run.out
    for name in ("untrusted", "wrong-ca"):
        assert run.lines(rf"^\[{name}\] hint: .*ca_path.*tls_fingerprint")


def test_two_hosts_that_are_one_domain(simulate, ansible):
    simulator = simulate(domain("nuo-prod"), domain("nuo-test"))
    hosts = simulator.inventory()
    hosts["nuo-alias"] = {**hosts["nuo-prod"], "nuodb_api_url": [hosts["nuo-prod"]["nuodb_api_url"][1] + "/"]}
    run = ansible.run("nuodb_cold_start", hosts).failed()
    assert "nuo-prod and nuo-alias share an API endpoint" in run.failures("nuo-prod")[0]
    assert "nuo-alias and nuo-prod share an API endpoint" in run.failures("nuo-alias")[0]
    assert simulator.calls() == []
    assert all_run(simulator, "nuo-test")


def test_one_answer_that_cannot_be_read_is_asked_for_again(simulate, ansible):
    """Outside of a wait, too: a page of a proxy, and half an answer."""
    simulator = simulate(domain("nuo-page"), domain("nuo-half"))
    for method in ("GET peers", "GET databases"):
        simulator.fault("html", cluster="nuo-page", method=method, status=200, max_count=1)
        simulator.fault("truncate", cluster="nuo-half", method=method, variant="json", max_count=1)
    look = {"name": "look", "dbfleet.cluster.nuodb_domain_info": {}}
    run = ansible.run([look], simulator.inventory()).ok()
    assert all(run.one("look", name)["domain"]["databases"] for name in simulator.names)


def test_weather_that_clears(simulate, ansible):
    """Reads that fail now and then delay a run, and change nothing of what it does; an AP dies on the way."""
    simulator = simulate(domain(servers=3, databases={"shop": database(["server1", "server2"], ["server1"])}))
    for kind in ("reset", "truncate", "html", "server_error"):
        for method in ("GET peers", "GET databases", "GET processes", "GET archives"):
            simulator.fault(kind, method=method, probability=0.05)
    simulator.fault("stays", object="SM", state="CONFIGURED")
    run = ansible.start("nuodb_cold_start", simulator.inventory(nuodb_cold_start_require="quorum"))
    run.wait_line(r"processes: \d\d:\d\d  0/3 running")
    simulator.power("server0", False)  # the one that was asked
    for row in simulator.admin("/faults"):
        if row["kind"] == "stays":
            simulator.admin(f"/faults?id={row['id']}", method="DELETE")
    run.finish().ok()
    assert all_run(simulator)
    assert len(simulator.changes()) == 3
