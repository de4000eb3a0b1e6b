# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a ConfD cluster has its quorum, and the one job that it accepts without a quorum (CONFD-19)."""

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
"""The words of node_state (CONFD-104). `deactivated` is from 6.2; `off` and `down` are guesses."""

AGE = 2.0
"""Seconds for which one read of the nodes is used: databases are read in parallel, and each asks for the quorum."""


class Quorum:
    """The quorum by node_state: more than half of the nodes that aren't suspended are online (EXA-50)."""

    def __init__(self, jobs: ConfdJobs) -> None:
        self._jobs = jobs
        self._looking = threading.Lock()
        self._seen: Optional[tuple[float, bool]] = None

    def note(self, told: Mapping[Any, Any]) -> None:
        """Remembers what an answer of node_state shows."""
        words = [STATES.get(str(word).lower(), OFFLINE) for word in words_of_nodes(dict(told)).values()]
        counted = [word for word in words if word != SUSPENDED]
        self._seen = time.monotonic(), words.count(ONLINE) * 2 <= len(counted)

    def is_lost(self) -> bool:
        """Whether the quorum is certainly lost. A user who may not read nodes can't know that."""
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
    """Marks nodes as offline for good while the cluster has no quorum and lists neither nodes nor jobs.

    :param nodes: by names that contain their numbers (n13).
    :raises ClusterError: a name contains no number, or no node has accepted the job.
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
