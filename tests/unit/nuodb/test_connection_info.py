# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nuodb_connection_info over real sockets: each URL by itself.

A scenario: the module nuodb_connection_info: certificates, users and APs together.
"""

from __future__ import annotations

import json
import os

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.modules import nuodb_connection_info
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import server_row


@pytest.fixture
def go(new_task, monkeypatch):
    """Runs the module; C(go.task) is the task that it ran for."""
    for name in [name for name in os.environ if name.startswith(("NUODB_", "NUOCMD_"))]:
        monkeypatch.delenv(name)

    def run(*urls, **given):
        options = {"api_url": list(urls), "cluster_name": "nuo-unit", "request_timeout": 5, **given}
        found = ArgumentSpecValidator(nuodb_connection_info.SPEC["argument_spec"]).validate(options)
        assert not found.error_messages
        run.task = new_task(**found.validated_parameters)
        return nuodb_connection_info.run(run.task)

    return run


def ap(reply, users=None, servers=None, status="200 OK"):
    """An AP that tells of itself, and of its users where it is asked for these."""

    def answer(asked):
        if "policies/users" in asked.line:
            found = users or {"code": 403, "messages": ["not authorized"]}
            return reply(json.dumps(found).encode(), "200 OK" if users else "403 Forbidden")
        rows = {"data": servers or [server_row("server0", local=True)], "hasNext": False}
        return reply(json.dumps(rows).encode(), status)

    return answer


def users(*names):
    return {"data": [{"name": name, "roles": ["operators", "backup"]} for name in names], "hasNext": False}


def test_each_url_is_tried_by_itself(go, serve, reply, authority, dead_url):
    identity = authority.sign("ap", "127.0.0.1")
    good, other = serve(ap(reply, users("eve", "admin")), identity.context()), serve(ap(reply), identity.context())
    result = go(good.url, other.url, dead_url, api_username="admin", api_password="pw", ca_path=str(authority.ca_path))
    assert [entry["ok"] for entry in result["urls"]] == [True, True, False]
    assert [entry["role"] for entry in result["urls"]] == ["operators, backup", None, None]
    assert [entry["tls_fingerprint"] for entry in result["urls"]] == [identity.fingerprint, identity.fingerprint, None]
    assert len(result["problems"]) == 1
    assert "connection refused" in result["problems"][0]
    said = "\n".join(go.task.lines)
    assert f"{good.url}, ok, certificate sha256:{identity.fingerprint}, role operators, backup: enough to read" in said
    assert f"{dead_url}, NOT USABLE" in said
    lines = [asked.line.split(" ")[1] for asked in good.asked]
    assert lines == ["/api/1/peers?offset=0&limit=100&orderBy=id", "/api/1/policies/users?offset=0&limit=100"]


def test_the_password_isnt_sent_to_a_server_that_isnt_trusted(go, serve, reply, authority):
    server = serve(ap(reply), authority.sign("own", "127.0.0.1", self_signed=True).context())
    result = go(server.url, api_username="admin", api_password="pw")
    assert "self-signed" in result["problems"][0]
    assert "tls_fingerprint" in result["hints"][0]
    assert server.asked == []


def test_a_client_certificate_has_no_name_that_the_api_tells(go, serve, reply):
    server = serve(ap(reply, users("admin")))
    assert go(server.url)["urls"][0]["role"] is None
    assert len(server.asked) == 1


def test_a_user_that_isnt_among_the_users(go, serve, reply):
    assert go(serve(ap(reply, users("eve"))).url, api_username="admin", api_password="pw")["urls"][0]["role"] is None


def test_a_wrong_password(go, serve, reply):
    body = json.dumps({"code": 401, "messages": ["bad credentials"]}).encode()
    result = go(serve(reply(body, "401 Unauthorized")).url, api_username="admin", api_password="pw")
    assert not result["urls"][0]["ok"]
    says = "the server refused user 'admin' and its password (HTTP 401): bad credentials [DBF-2001]"
    assert result["problems"][0].endswith(says)


def test_a_server_that_wants_a_user(go, serve, reply):
    body = json.dumps({"code": 401, "messages": ["Authentication required"]}).encode()
    result = go(serve(reply(body, "401 Unauthorized")).url)
    assert "the server refused a call without a user (HTTP 401): Authentication required" in result["problems"][0]


def test_a_refused_password_is_not_tried_at_the_next_url(go, serve, reply):
    """A server may lock a user out."""
    body = json.dumps({"code": 401, "messages": ["bad credentials"]}).encode()
    first, second = (serve(reply(body, "401 Unauthorized")) for _number in range(2))
    result = go(first.url, second.url, api_username="admin", api_password="pw")
    assert sum(len(one.asked) for one in (first, second)) == 1
    assert any("not tried, because" in str(one["problem"]) for one in result["urls"])


def test_an_ap_that_is_cut_off_is_warned_of(go, serve, reply):
    rows = [server_row("server0", None, local=True), server_row("server1", None, connected="Disconnected")]
    server = serve(ap(reply, servers=rows))
    assert go(server.url)["urls"][0]["ok"]
    assert any("cut off from the majority" in text for text in go.task.warnings)


def test_without_a_url(go):
    with pytest.raises(ClusterError, match="no api_url"):
        go()
