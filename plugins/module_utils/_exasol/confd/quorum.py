# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a ConfD cluster has its quorum, and the one job that it takes without it (CONFD-19)."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any, Optional

from ..._errors import ClusterError, Denied, Fault
from ..api.states import OFFLINE, ONLINE, SUSPENDED
from .answers import is_node_states, words_of_nodes
from .job_results import NO_QUORUM
from .jobs import ConfdJobs
from .session import Session

STATES = {"online": ONLINE, "suspended": SUSPENDED, "deactivated": SUSPENDED, "off": OFFLINE, "down": OFFLINE}
"""What node_state says of a node (CONFD-104; deactivated is 6.2's; off and down are a guess)."""

AGE = 2.0
"""Seconds for which a look at the nodes tells of the quorum: databases are read side by side."""


class Quorum:
    """What node_state tells of it: more than half of the nodes that aren't suspended are online (EXA-50)."""

    def __init__(self, jobs: ConfdJobs) -> None:
        self._jobs = jobs
        self._looking = threading.Lock()
        self._seen: Optional[tuple[float, bool]] = None

    def note(self, told: Mapping[Any, Any]) -> None:
        """Takes an answer of node_state."""
        words = [STATES.get(str(word).lower(), OFFLINE) for word in words_of_nodes(dict(told)).values()]
        counted = [word for word in words if word != SUSPENDED]
        self._seen = time.monotonic(), words.count(ONLINE) * 2 <= len(counted)

    def is_lost(self) -> bool:
        """Whether it is certainly lost; who may not ask for nodes doesn't know."""
        with self._looking:
            if self._seen is None or time.monotonic() - self._seen[0] > AGE:
                self._look()
            return self._seen is not None and self._seen[1]

    def _look(self) -> None:
        try:
            self.note(self._jobs.read("node_state", fits=is_node_states))
        except Denied:
            self._seen = time.monotonic(), False
        except Fault as fault:
            self._seen = time.monotonic(), bool(NO_QUORUM.search(fault.text))


def suspend_without_quorum(session: Session, nodes: list[str]) -> None:
    """Marks nodes as offline for good while nobody tells of nodes or of jobs.

    :param nodes: by the names that tell their numbers (n13).
    :raises ClusterError: a name tells none, or no node has taken the job.
    """
    numbers = [re.fullmatch(r"n?0*(\d+)", node) for node in nodes]
    ids = [int(found.group(1)) for found in numbers if found]
    if len(ids) < len(nodes):
        raise ClusterError(
            f"{session.name}: without a quorum the numbers of {' '.join(nodes)} can't be read: "
            "name the nodes by their numbers (n13)"
        )
    of = " ".join(nodes)
    given = {"params": {"nid": ids}}
    answer = session.change_without_master("job_exec", "node_suspend", given, of=of, says="node_suspend")
    ConfdJobs(session).outcome(answer, "node_suspend", of)
