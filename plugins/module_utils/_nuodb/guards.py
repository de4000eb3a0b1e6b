# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The rule before anything is changed: the APs must be able to agree on it."""

from __future__ import annotations

from .._errors import Refused
from .view import Snapshot


def refuse_without_quorum(cluster: str, snapshot: Snapshot) -> None:
    """The rule before anything is changed: the APs must be able to agree on it."""
    if snapshot.has_quorum:
        return
    says = ", ".join(f"{server.server_id} {server.words}" for server in snapshot.servers.values()) or "no server"
    raise Refused(
        f"{cluster}: nothing changed: the APs have no quorum ({says}), so they can't agree on a change",
        hint="start the nuoadmin services that are down (nuodb_server state=active waits for them); "
        "nothing overrides this",
        failed_object=" ".join(server.server_id for server in snapshot.servers.values() if not server.is_active),
        last_state={server.server_id: server.words for server in snapshot.servers.values()},
        number="DBF-6601",
    )
