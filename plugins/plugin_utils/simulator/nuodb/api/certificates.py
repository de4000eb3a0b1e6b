# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on certificates."""

from __future__ import annotations

from typing import Any

from ..certificates import described
from .routes import Call, route


@route("GET", "peers/certificates")
def certificates(call: Call) -> Any:
    domain = call.domain
    trusted, members = domain.trusted, [one.id for one in domain.servers.members()]
    return {
        "serverCertificates": {name: described("", name) for name in members},
        "processCertificates": {name: described("", f"engine-{name}") for name in domain.processes},
        "trustedCertificates": {alias: described(pem, alias) for alias, pem in trusted.items()},
        "serverTrusted": {name: sorted(trusted) for name in members},
        "processTrusted": {name: sorted(trusted) for name in domain.processes},
    }


@route("POST", "peers/certificates")
def trust(call: Call) -> None:
    alias = str(call.need("alias"))
    if call.flag("remove"):
        if call.domain.trusted.pop(alias, None) is None:
            raise call.domain.refuse("unknown_certificate", name=alias)
    else:
        call.domain.trusted[alias] = str(call.need("certificatePem"))
