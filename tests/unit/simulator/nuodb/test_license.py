# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain's license."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import Lab


def test_license(lab: Callable[..., Lab]) -> None:
    one = lab(license={"type": "LIMITED", "holder": "Us", "expires": "2030-01-01T00:00:00.0"})
    row = one.ok("GET", "policies/license")
    assert row["decodedLicense"] == {"type": "LIMITED", "holder": "Us", "expires": "2030-01-01T00:00:00.0"}
    assert row["effectiveForDomain"] is True
    pem = "-----BEGIN LICENSE-----\nnew\n-----END LICENSE-----"
    for update, text in (("False", row["encodedLicense"]), ("True", pem)):
        one.ok("POST", f"policies/license?update={update}&allowDowngrade=False", {"encodedLicense": pem})
        assert one.ok("GET", "policies/license")["encodedLicense"] == text
    assert [row["changing"] for row in one.domain.record.calls()] == [False, False, False, True, False]
