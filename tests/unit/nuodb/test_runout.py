# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may run out of a domain: it is read as far as it is told, and judged."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import runout
from ansible_collections.dbfleet.cluster.plugins.module_utils._runout import OffTime
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import wired

PARAMS = {"request_timeout": 5, "client_cert": None, "client_key": None, "ca_path": None}
LICENSE = {"decodedLicense": {"type": "ENTERPRISE", "expires": "2026-12-05T15:33:40.465134"}}


def info(pem, subject):
    return {"certificatePem": pem, "expires": 1796428800000, "subjectName": subject, "issuerName": "CN=ca"}


def test_all_that_is_told(new_task, serve, reply, authority):
    """The certificate that an AP shows is told by the domain too, and stands once."""
    own = authority.sign("ap", "127.0.0.1")
    server = serve(reply(), own.context())
    peers = {
        "serverCertificates": {"server0": info(own.cert.read_text(), "CN=ap")},
        "processCertificates": {"0": info("", "CN=engine")},
        "trustedCertificates": {"ca": info("", "CN=ca")},
    }
    domain, adapter = wired((200, peers), (200, LICENSE), urls=(server.url,))
    found = runout.read(new_task(**PARAMS), domain)
    calls = [("GET", f"/api/1/{path}", None) for path in ("peers/certificates", "policies/license")]
    assert adapter.requests == calls
    assert [(one["of"], one["subject"]) for one in found["certificates"]] == [
        (f"{server.url}, admin process server0", "CN=ap"),
        ("the trusted ca", "CN=ca"),
    ]
    assert found["certificates"][1]["expires"] == "2026-12-05T00:00:00+00:00"
    assert found["license"] == {"type": "ENTERPRISE", "expires": "2026-12-05T15:33:40.465134"}
    assert found["unread"] == []
    off = OffTime(datetime(2026, 12, 4, tzinfo=timezone.utc), 2 * 86400)
    assert [one.kind for one in runout.findings(found, off)][0] == "license"
    assert "the trusted ca" in [one.of for one in runout.findings(found, off)]


def test_what_isn_t_told_hides_nothing_else(new_task):
    """A user without the right, and a version that has no such call (NUODB-26)."""
    no = {"code": 403, "messages": ["not authorized"]}
    domain, _adapter = wired((403, no), (404, {"code": 404, "messages": ["no such call"]}), urls=("http://ap0:8888",))
    found = runout.read(new_task(**PARAMS), domain)
    assert (found["license"], found["certificates"]) == (None, [])
    assert [text.partition(":")[0] for text in found["unread"]] == ["the domain's certificates", "the license"]
    assert "not authorized (HTTP 403)" in found["unread"][0]
    off = OffTime(datetime(2026, 12, 4, tzinfo=timezone.utc), 60)
    assert [one.kind for one in runout.findings(found, off)] == ["unread", "unread"]


def test_answers_that_lack_what_is_promised(new_task):
    domain, _adapter = wired((200, {"serverCertificates": {"a": {}}}), (200, {}), urls=("http://ap0:8888",))
    found = runout.read(new_task(**PARAMS), domain)
    assert all("the answer lacks what the Admin REST API promises" in text for text in found["unread"])
    assert len(found["unread"]) == 2
