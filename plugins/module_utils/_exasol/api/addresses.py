# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many different nodes a list of URLs can reach, by their hosts and ports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional
from urllib.parse import urlsplit

PORTS = (443, 20003)
"""The ports of ConfD: 443 in 6.2 and 7.x, 20003 in 8.x."""


Place = tuple[str, Optional[int]]
"""Host and port. The port is None for both ports of ConfD, because one node may have both."""


def places(urls: Iterable[str]) -> list[Place]:
    """The places that these URLs lead to, each once. There are at most as many nodes as places."""
    found = [(parts.hostname or "", parts.port) for parts in map(urlsplit, urls)]
    return list(dict.fromkeys((host, None if port in PORTS else port) for host, port in found))
