# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what: passwords, certificates, roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import PASSWORD, UP, Lab

BOB = [*UP["users"], {"name": "bob", "password": "bob's", "roles": ["own"]}]


def role(*requests: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"name": "own", "authorizedRequests": list(requests), **more}]


def allowed(one: Lab, method: str, path: str, body: Any = None) -> bool:
    reply = one.send(method, path, body, user="bob", password="bob's")
    assert reply.status in (200, 403), reply.body
    return reply.status == 200


@pytest.mark.parametrize(
    ("authentication", "password", "certificate", "status"),
    [
        ("basic", PASSWORD, None, 200),
        ("basic", "wrong", None, 401),
        ("basic", None, None, 401),
        ("basic", None, "admin", 200),
        ("certificate", None, "client", 200),
        ("certificate", PASSWORD, None, 401),
        ("certificate", None, None, 401),
        ("both", PASSWORD, None, 200),
        ("both", None, "client", 200),
        ("both", "wrong", "client", 401),
        ("both", None, None, 401),
        ("none", None, None, 200),
    ],
)
def test_credentials(
    lab: Callable[..., Lab], authentication: str, password: Any, certificate: Any, status: int
) -> None:
    one = lab(authentication=authentication)
    assert one.send("GET", "peers", password=password, certificate=certificate).status == status


def test_a_certificate_is_its_user_or_the_first(lab: Callable[..., Lab]) -> None:
    one = lab(users=BOB, roles=role({"method": "GET", "url": "/api/1/peers"}), authentication="certificate")
    for name, status in (("bob", 403), ("client", 200)):
        assert one.send("GET", "databases", password=None, certificate=name).status == status


@pytest.mark.parametrize("header", ["Bearer x", "Basic x", "Basic \u00e4", "Basic YWRtaW4="])
def test_what_is_no_password(lab: Callable[..., Lab], header: str) -> None:
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Request

    answer = lab().service.answer("server0", Request("GET", "/api/1/peers", {"authorization": header}, b""))
    assert answer.status == 401


@pytest.mark.parametrize(
    ("request_", "method", "path", "body", "may"),
    [
        ({"method": "GET", "url": "/api/1/*"}, "GET", "databases/test", None, True),
        ({"method": "GET", "url": "*"}, "GET", "peers", None, True),
        ({"method": "GET", "url": "/api/1/*"}, "POST", "databases/test/shutdown", None, False),
        ({"method": "*", "url": "/api/1/databases/*"}, "POST", "databases/test/shutdown", None, True),
        ({"method": "*", "url": "/api/1/databases/*"}, "GET", "databases", None, True),
        ({"method": "*", "url": "/api/1/databases/*"}, "GET", "archives", None, False),
        ({"method": "*", "url": "/api/1/databases/*", "pathParamConstraints": {"dbName": "test"}},
         "POST", "databases/test/options", {}, True),
        ({"method": "*", "url": "/api/1/databases/*", "pathParamConstraints": {"dbName": "other"}},
         "POST", "databases/test/options", {}, False),
        ({"method": "*", "url": "/api/1/processes/*", "payloadParamConstraints": {"dbName": "te*"}},
         "POST", "processes", {"dbName": "test"}, True),
        ({"method": "*", "url": "/api/1/processes/*", "payloadParamConstraints": {"dbName": "other"}},
         "POST", "processes", {"dbName": "test"}, False),
        ({"method": "DELETE", "url": "/api/1/processes/*", "queryParamConstraints": {"kill": "False"}},
         "DELETE", "processes/2?kill=False", None, True),
        ({"method": "DELETE", "url": "/api/1/processes/*", "queryParamConstraints": {"kill": "False"}},
         "DELETE", "processes/2?kill=True", None, False),
    ],
)  # fmt: skip
def test_a_role_allows(
    lab: Callable[..., Lab], request_: dict[str, Any], method: str, path: str, body: Any, may: bool
) -> None:
    assert allowed(lab(users=BOB, roles=role(request_)), method, path, body) is may


def test_parent_of_a_glob_and_sub_roles(lab: Callable[..., Lab]) -> None:
    request = {"method": "*", "url": "/api/1/databases/*"}
    assert not allowed(lab(users=BOB, roles=role(request), settings={"glob_matches_parent": False}), "GET", "databases")
    nested = [*role(subRoles=["deep", "own"]), {"name": "deep", "authorizedRequests": [request]}]
    assert allowed(lab(users=BOB, roles=nested), "GET", "databases")


def test_users_and_roles_change(lab: Callable[..., Lab]) -> None:
    one = lab()
    read = {"method": "GET", "url": "/api/1/*"}
    assert one.ok("PUT", "policies/roles/own", {"name": "own"})["authorizedRequests"] == []
    row = one.ok("PUT", "policies/users/bob", {"name": "bob", "roles": ["own"], "password": "bob's"})
    assert row == {"name": "bob", "roles": ["own"]}
    assert not allowed(one, "GET", "peers")
    assert one.ok("POST", "policies/roles/own", {"policiesToAdd": [read, read]})["authorizedRequests"] == [read]
    assert allowed(one, "GET", "peers")
    one.ok("POST", "policies/roles/own", {"policiesToRemove": [read]})
    assert not allowed(one, "GET", "peers")
    one.ok("PUT", "policies/roles/read", {"subRoles": ["own"], "authorizedRequests": [read]})
    assert one.ok("GET", "policies/roles/read")["subRoles"] == ["own"]
    row = one.ok("POST", "policies/users/bob/roles", {"rolesToAdd": ["read"], "rolesToRemove": ["own"]})
    assert row["roles"] == ["read"]
    assert allowed(one, "GET", "peers")
    one.ok("POST", "policies/users/bob/credentials", {"newPassword": "s3cond", "newCertificatePem": "PEM"})
    assert one.send("GET", "peers", user="bob", password="bob's").status == 401
    assert one.send("GET", "peers", user="bob", password="s3cond").status == 200
    assert [row["name"] for row in one.ok("GET", "policies/users")["data"]] == ["admin", "bob"]
    assert [row["name"] for row in one.ok("GET", "policies/roles")["data"]] == ["own", "read"]
    assert one.ok("GET", "policies/users/bob")["roles"] == ["read"]
    one.ok("DELETE", "policies/users/bob")
    for name in ("read", "own"):
        one.ok("DELETE", f"policies/roles/{name}")
    record = str(one.domain.record.calls())
    assert "s3cond" not in record
    assert "bob's" not in record
