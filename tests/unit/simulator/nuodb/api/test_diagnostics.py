# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the servers tell of themselves."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


def test_diagnostics(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"license_type": "Community"})
    row = one.ok("POST", "diagnostics/log", {"message": "hi"})
    assert (row["licenseType"], row["serverTimeMillis"] > 1e12) == ("Community", True)
    assert one.ok("GET", "diagnostics/captureDomainState")["name"] == "nuo-unit"
    reply = one.send("GET", "diagnostics/logs?includeThreadDump=False")
    assert "filename=" in reply.headers["Content-Disposition"]
    assert "server0/nuoadmin.log" in zipfile.ZipFile(io.BytesIO(reply.body)).namelist()


def test_whether_kubernetes_manages_the_domain(lab: Callable[..., Lab]) -> None:
    assert lab().refused("GET", "diagnostics/kube") == (404, "Not running under Kubernetes")
    found = lab(settings={"kubernetes": True}).ok("GET", "diagnostics/kube")
    assert {"server0", "server1"} < set(found["pods"])
