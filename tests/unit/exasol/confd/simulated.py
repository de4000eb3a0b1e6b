# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfD clients of a simulated cluster."""

from __future__ import annotations

from typing import Any

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs import ConfdJobs
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.session import Session, is_own
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connection import candidates
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from ansible_collections.dbfleet.cluster.tests.unit.exasol.simulated import SimulatedCluster


def calls(simulated: Simulated) -> list[str]:
    return [row.get("job") or row["method"] for row in simulated.service.cluster.record.calls()]


NODES = ("n11", "n12", "n13")
USERS = [
    {"name": "admin", "password": "s3cret"},
    {"name": "guest", "password": "guest", "groups": ["exausers"]},
    {"name": "databases", "password": "databases", "groups": ["exadbadm"]},
    {"name": "storage", "password": "storage", "groups": ["exastoradm"]},
    {"name": "nobody", "password": "nobody", "groups": ["night"]},
]


class Simulated(SimulatedCluster):
    """A simulated cluster of three nodes, and a client."""

    def __init__(self, **settings: Any) -> None:
        topology = {
            "product": "exasol", "provider": "confd", "name": "exa-unit", "users": USERS, "nodes": list(NODES),
            "groups": {"night": {}},
            "master": "n12", "databases": {"DB1": {"state": "setup"}},
            "settings": {"master_answer": "{name}", **settings},
        }  # fmt: skip
        super().__init__(topology)

    def jobs(self, codec: Any = None, username: str = "admin", password: str = "s3cret") -> ConfdJobs:
        http = Http("exa-unit", candidates(NODES), username, password, Trust(validate=False), is_own=is_own)
        http._transport = self  # type: ignore[assignment]
        return ConfdJobs(Session(http, codec))
