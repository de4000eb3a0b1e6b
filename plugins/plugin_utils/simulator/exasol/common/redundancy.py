# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text about a database's copies in its info (EXA-60)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .databases import Database


def told(database: Database) -> str:
    """The text in the server's words; empty if every segment is online and near, or if EXAStorage is down."""
    volume = database.data_volume
    if volume is None or database.cluster.storage.state != "online":
        return ""
    number = database.cluster.number
    homeless = [node for node in database.active if node not in volume.nodes] if database.up else []
    hosts = [node for node in volume.nodes[: volume.masters] if node not in database.active]
    texts = [
        f"Payload of database node {number(node)} resides on volume master node {number(host)}."
        for node, host in zip(homeless, hosts)
    ]
    missing = sum(row["state"] != "ONLINE" for row in volume.segments())
    if missing:
        texts.append(f"{missing} segments of the database volume are not online (missing redundancy)")
    return " ".join(texts)
