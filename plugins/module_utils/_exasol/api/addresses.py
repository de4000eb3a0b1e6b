# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many nodes some URLs can be of: hosts, and the ports on which ConfD listens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional
from urllib.parse import urlsplit

PORTS = (443, 20003)
"""Where ConfD listens: 6.2, 7.x, and 8.x."""


Place = tuple[str, Optional[int]]
"""Host and port; without the port where ConfD's two may be one node's."""


def places(urls: Iterable[str]) -> list[Place]:
    """Where these URLs lead to, each place once: as many nodes as they can be of, at most."""
    found = [(parts.hostname or "", parts.port) for parts in map(urlsplit, urls)]
    return list(dict.fromkeys((host, None if port in PORTS else port) for host, port in found))
