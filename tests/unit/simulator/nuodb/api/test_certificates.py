# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that the domain trusts."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


def test_certificates(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("POST", "peers/certificates?remove=False&waitFullyReplicatedSec=3", {"alias": "a", "certificatePem": "PEM"})
    found = one.ok("GET", "peers/certificates")
    assert found["trustedCertificates"]["a"]["certificatePem"] == "PEM"
    assert set(found["serverCertificates"]) == {"server0", "server1", "server2"}
    assert set(found["processCertificates"]) == {"0", "1", "2", "3"}
    one.ok("POST", "peers/certificates?remove=True", {"alias": "a", "certificatePem": None})
    assert one.ok("GET", "peers/certificates")["trustedCertificates"] == {}
