# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domain's license."""

from __future__ import annotations

from typing import Any


class License:
    def __init__(self, options: dict[str, Any]) -> None:
        self.type = str(options.get("type", "ENTERPRISE"))
        self.holder = str(options.get("holder", "Simulated"))
        self.expires = str(options.get("expires", "2099-12-31T23:59:59.000000"))
        self.encoded = str(options.get("encoded", "-----BEGIN LICENSE-----\nsimulated\n-----END LICENSE-----"))

    @property
    def allows_several_sms(self) -> bool:
        return self.type.upper() == "ENTERPRISE"

    def decoded(self) -> dict[str, Any]:
        return {"expires": self.expires, "holder": self.holder, "type": self.type}

    def row(self) -> dict[str, Any]:
        """The object as the API shows it."""
        return {"decodedLicense": self.decoded(), "effectiveForDomain": True, "encodedLicense": self.encoded}

    def summary(self) -> dict[str, Any]:
        """The object in the form of a topology."""
        return {"type": self.type, "holder": self.holder, "expires": self.expires, "encoded": self.encoded}
