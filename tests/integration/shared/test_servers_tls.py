# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a playbook says of servers that no simulator is: their TLS, and addresses of IPv6."""

from __future__ import annotations

import re
import ssl
from typing import Any

import pytest

COLD = {"exa": "exa_cold_start", "nuodb": "nuodb_cold_start"}
PLAIN = {"api_username": "admin", "api_password": "a password"}


def told(ansible: Any, product: str, **options: Any) -> str:
    """The cause of a cold start's end, with its hint."""
    host = {f"{product}_{name}": value for name, value in {**PLAIN, **options}.items()}
    run = ansible.run(COLD[product], {"strange": host}, "--check").failed()
    return " ".join(re.findall(r"\] (?:cause|hint): (.*)", run.out))


@pytest.mark.parametrize("product", COLD)
def test_a_server_that_wants_a_client_certificate(ansible: Any, serve: Any, authority: Any, product: str) -> None:
    context = authority.sign("wants", "127.0.0.1").context(client_ca=authority.ca_path)
    url = serve(b"", context).url
    said = told(ansible, product, api_url=url, ca_path=str(authority.ca_path))
    assert "client certificate" in said, said
    assert "client_cert" in said, said


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("product", COLD)
def test_a_server_of_old_tls(ansible: Any, serve: Any, authority: Any, product: str) -> None:
    context = authority.sign("old", "127.0.0.1").context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    said = told(ansible, product, api_url=serve(b"", context).url, ca_path=str(authority.ca_path))
    assert re.search(r"TLS 1\.[23]|older than TLS", said), said
    assert "ca_path" not in said, said


@pytest.mark.parametrize("product", COLD)
def test_a_certificate_for_another_name(ansible: Any, serve: Any, authority: Any, product: str) -> None:
    server = serve(b"", authority.sign("other", "db.example").context())
    said = told(ansible, product, api_url=server.url, ca_path=str(authority.ca_path))
    assert f"{server.url}: the server's certificate is for another host name" in said, said
    assert "give the server a certificate with this name" in said, said
    assert "put the CA's certificate in ca_path" not in said, said
    assert ("verify_hostname" in said) == (product == "nuodb"), said


@pytest.mark.parametrize("product", COLD)
def test_an_address_of_ipv6(ansible: Any, serve_v6: Any, reply: Any, authority: Any, product: str) -> None:
    """With brackets and a port; without brackets, where no port can follow, it is taken at the product's port."""
    server = serve_v6(reply(b"no page", "404 Not Found"), authority.sign("six", "::1").context())
    said = told(ansible, product, api_url=server.url, ca_path=str(authority.ca_path))
    assert "HTTP 404" in said, said
    assert f"[::1]:{server.port}" in said, said
    host = {f"{product}_{name}": value for name, value in {**PLAIN, "api_url": "::1"}.items()}
    alone = ansible.run("check", {"strange": host}).failed()
    assert re.search(r"https://\[::1\]:\d+: .*connection refused", alone.failures()[0]), alone.out
