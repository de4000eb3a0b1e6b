# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cause of a TLS failure in words, and the next step: which option to set, or what to change on the server."""

from __future__ import annotations

import re
from typing import Callable, Optional

from .trust import Trust

SHOWN = "(the playbook dbfleet.cluster.check shows it)"

CA_HINT = f"put the CA's certificate in ca_path, or pin the server's own with tls_fingerprint {SHOWN}"

CLIENT_HINT = "set client_cert to a client certificate that the server accepts, and client_key to its key"

PIN_HINT = f"or pin the server's certificate with tls_fingerprint, without ca_path {SHOWN}"
"""If ca_path is set too, a pinned certificate must also pass all other checks."""

WANTED = "the server requires a client certificate, and got none"
REFUSED = "the server refused the client certificate (has it expired, or is it of another CA?)"

PROXY_PAGES = {
    b"No required SSL certificate was sent": WANTED,
    b"The SSL certificate error": REFUSED,
}
"""Texts in the HTTP 400 of nginx, which sends it where other servers end the handshake."""

MISMATCH = ("doesn't match", "Hostname mismatch", "IP address mismatch")

WEAK = (
    ("CA certificate key too weak", "the key of the CA that signed the server's certificate is too weak"),
    ("EE certificate key too weak", "the key of the server's certificate is too weak"),
    ("digest algorithm too weak", "a signature of the server's certificate or of its CA is too weak (SHA-1 or MD5)"),
)

CAUSES = (
    (
        "Fingerprints did not match",
        "the server's certificate is not the one that tls_fingerprint names",
        f"compare the fingerprint with the server's own {SHOWN}; all URLs must show the same certificate",
    ),
    ("self-signed|self signed", "the server's certificate is self-signed and not trusted", CA_HINT),
    (
        "certificate has expired|certificate is not yet valid",
        "the server's certificate has expired or is not valid yet",
        f"renew the certificate, check this machine's clock, {PIN_HINT}",
    ),
    (
        "invalid CA certificate|does not include certificate signing",
        "the certificate that signed the server's certificate is not a CA certificate",
        "let a CA (basicConstraints CA:TRUE, keyUsage with keyCertSign or none) sign the server's certificate, and "
        f"name that CA in ca_path, {PIN_HINT}",
    ),
    ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not signed by a trusted CA", CA_HINT),
    (
        "handshake failure|HANDSHAKE_FAILURE",
        "the server refused the TLS handshake (it may want a client certificate)",
        CLIENT_HINT,
    ),
    (
        "PEM lib|PEM_LIB|KEY_VALUES_MISMATCH",
        "client_cert and client_key are not a certificate and its key",
        CLIENT_HINT,
    ),
    (
        "key is encrypted",
        "client_key is encrypted, and a task can't ask for its password",
        "name a key without a password (openssl pkey -in KEY -out PLAIN_KEY)",
    ),
    (
        "(EE|CA)_KEY_TOO_SMALL|CA_MD_TOO_WEAK",
        "the key or the signature of client_cert is too weak",
        "let the CA sign a new client certificate: RSA of 2048 bits or more, or EC, and SHA-256",
    ),
    (
        "ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_SSL_VERSION",
        "the server does not support TLS 1.2 or newer",
        "enable TLS 1.2 on the server, or put a proxy that supports TLS 1.2 before it; older versions are never used",
    ),
    (
        "WRONG_VERSION_NUMBER",
        "the server does not speak TLS on this port",
        "check the port in api_url; if TLS is off on the server, write http:// there",
    ),
    (
        "(?i)no.certificate.or.crl.found",
        "the file that ca_path names contains no certificate",
        "ca_path takes a PEM file of certificates (BEGIN CERTIFICATE)",
    ),
)


def distrust(error: Exception, trust: Trust, nameless: Callable[[], bool]) -> tuple[str, Optional[str]]:
    """The cause of a TLS error and the hint.

    :param nameless: finds out whether the server's certificate names no host at all; called if it doesn't name ours.
    """
    text = str(error)
    if "no appropriate subjectAltName" in text or (any(words in text for words in MISMATCH) and nameless()):
        cause, step = "the server's certificate names no host (it has no subjectAltName)", "a subjectAltName"
    elif any(words in text for words in MISMATCH):
        cause, step = "the server's certificate is for another host name", "this name"
    else:
        return _other(text, trust)
    unnamed = "or set verify_hostname to false (the CA is still checked), " if trust.optional_hostname else ""
    return cause, f"give the server a certificate with {step}, {unnamed}{PIN_HINT}"


def _other(text: str, trust: Trust) -> tuple[str, Optional[str]]:
    if "CERTIFICATE_REQUIRED" in text or ("ALERT_BAD_CERTIFICATE" in text and not trust.client_cert):
        return (REFUSED if trust.client_cert else WANTED), CLIENT_HINT
    if re.search("ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)", text):
        return REFUSED, CLIENT_HINT
    for words, cause in WEAK:
        if words in text:
            return cause, f"renew it with RSA of 2048 bits or more, or EC, and SHA-256, {PIN_HINT}"
    found = next((row for row in CAUSES if re.search(row[0], text)), None)
    if found:
        return found[1:]
    reason = re.search(r"\[SSL: (\w+)\]", text)
    said = f" ({reason[1].lower().replace('_', ' ')})" if reason else ""
    return f"the TLS connection failed{said}", "openssl s_client -connect HOST:PORT shows what the server offers"
