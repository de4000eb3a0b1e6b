# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that nuocmd itself makes, which Python 3.13 refuses by default: their CA has no keyUsage."""

from __future__ import annotations

import os
import shutil
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Untrusted
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import transport, trust as trusts
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Call, Http, Request
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from nuocmd import NuoCmd

PASSWORD = "passw0rd"
KEYTOOL = shutil.which("keytool", path=os.defpath)
"""Java's, where nuocmd finds it: it runs it without a PATH."""

NUOKEYMGR = f"""#!/bin/sh
# export --keystore FILE --storetype TYPE --alias NAME --storepass PASSWORD ...
exec {KEYTOOL} -exportcert -rfc -keystore "$3" -storetype "$5" -alias "$7" -storepass "$9"
"""
"""What comes with a NuoDB, not with nuocmd, and prints a certificate."""


@dataclass
class Domain:
    """An AP whose certificate the domain's CA has signed."""

    url: str
    ca_path: str
    ca: x509.Certificate


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    if not KEYTOOL:
        pytest.skip(f"nuocmd makes certificates by Java's keytool, and there is none in {os.defpath}")
    folder = tmp_path_factory.mktemp("nuocmd-certificates")
    (folder / "nuokeymgr").write_text(NUOKEYMGR)
    (folder / "nuokeymgr").chmod(0o755)
    prompt = NuoCmd("localhost:1", None, None, folder)
    store = f"--store-type PKCS12 --store-password {PASSWORD}"
    prompt(f"create keypair --ca --keystore ca.p12 {store} --dname CN=ca.nuodb.com")
    prompt(f"create keypair --keystore ap.p12 {store} --dname CN=ap0 --sub-altnames ip:127.0.0.1")
    prompt.run(
        f"sign certificate --update --keystore ap.p12 {store} --ca-keystore ca.p12 --ca-store-type PKCS12 "
        f"--ca-store-password {PASSWORD} --sub-altnames ip:127.0.0.1 --nuokey-cmd {folder}/nuokeymgr"
    )
    ca = pkcs12.load_pkcs12((folder / "ca.p12").read_bytes(), PASSWORD.encode()).cert
    ap = pkcs12.load_pkcs12((folder / "ap.p12").read_bytes(), PASSWORD.encode())
    assert ca
    assert ap.key
    assert ap.cert
    (folder / "ca.pem").write_bytes(ca.certificate.public_bytes(serialization.Encoding.PEM))
    key = ap.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ap.pem").write_bytes(key + ap.cert.certificate.public_bytes(serialization.Encoding.PEM))
    with _answering(folder / "ap.pem") as server:
        yield Domain(f"https://127.0.0.1:{server.server_port}", str(folder / "ca.pem"), ca.certificate)
        server.shutdown()


def _answering(both: Path) -> ThreadingHTTPServer:
    class Ok(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ok)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Contexts as Python 3.13 makes them."""
    made = trusts.create_default_context

    def create(**given: Any) -> ssl.SSLContext:
        context = made(**given)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(trusts, "create_default_context", create)
    trusts._shared_context.cache_clear()  # those of other tests aren't made so
    yield
    trusts._shared_context.cache_clear()


def _ask(url: str, **trust: str) -> bytes:
    return Http("nuo-unit", [url], trust=Trust(**trust)).send(Call("GET peers"), Request("/", verb="GET")).body


@pytest.mark.usefixtures("strict")
def test_a_ca_of_nuocmd_is_trusted(domain: Domain) -> None:
    with pytest.raises(x509.ExtensionNotFound):
        domain.ca.extensions.get_extension_for_class(x509.KeyUsage)
    assert _ask(domain.url, ca_path=domain.ca_path) == b"ok"


@pytest.mark.usefixtures("strict")
def test_all_else_is_still_checked(domain: Domain) -> None:
    with pytest.raises(Untrusted, match="for another host name"):
        _ask(domain.url.replace("127.0.0.1", "localhost"), ca_path=domain.ca_path)
    with pytest.raises(Untrusted, match="not signed by a trusted CA"):
        _ask(domain.url)


def test_python_3_13_alone_would_refuse_it(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the day is seen on which the vendor's certificates, or Python, need no help any more."""

    def strictly(trust: Trust) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=trust.ca_path)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(transport, "context_of", strictly)
    with pytest.raises(Untrusted, match="not signed by a trusted CA"):
        _ask(domain.url, ca_path=domain.ca_path)
