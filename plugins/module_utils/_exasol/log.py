# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A log service of EXAoperation: its messages, boot messages, and following it."""

from __future__ import annotations

import re
import threading
import time
from typing import Any, Callable, Optional

from .._errors import ClusterError, NoSuchObject
from .._foreign import one_line
from .._wording import near
from .api.cluster import Cluster
from .api.providers import eao_node

FRESH = 1.0
"""Seconds for which one reading of the log serves all nodes."""

STAGES = re.compile(r"^Boot process stages\b")
FINISHED = re.compile(r"^Boot process finished after\b")
"""Messages of a booting node (EAO-130, EAO-131)."""

PRIORITIES = ("Information", "Notice", "Warning", "Error")


def key(entry: dict[str, Any]) -> tuple[str, ...]:
    """The parts that identify a message."""
    return tuple(str(entry.get(part, "")) for part in ("strtime", "system", "node", "message"))


def line(entry: dict[str, Any]) -> str:
    """One message as a line."""
    source = " ".join(str(entry[part]) for part in ("system", "node") if entry.get(part))
    parts = (entry.get("strtime"), entry.get("priority"), source, entry.get("message"))
    return one_line(" ".join(str(part) for part in parts if part))


class Log:
    """The messages of a log service: those from before this object was made, and those since.

    :param service: the log service's name (`logservice1`).
    :raises NoSuchObject: the cluster has no such log service; the message names those that it has.
    """

    def __init__(self, cluster: Cluster, service: str) -> None:
        self._cluster = cluster
        self._service = service
        self._lock = threading.Lock()
        self._read_at = time.monotonic()
        try:
            self._entries = cluster.log_entries(service)
        except NoSuchObject as error:
            known = cluster.log_services()
            raise NoSuchObject(
                f"{cluster.name}: there is no log service {service}{near(service, known)}; "
                f"there are: {' '.join(known) or 'none'}",
                text=error.text,
                failed_object=service,
            ) from None
        self._before = {key(entry) for entry in self._entries}
        self._shown = set(self._before)

    def entries(self, fresh: float = FRESH) -> list[dict[str, Any]]:
        """All messages, oldest first. Reads them again if the last read is older than `fresh` seconds.

        While another thread reads, it returns the earlier messages, so that a log service that hangs blocks no thread.
        """
        if time.monotonic() - self._read_at > fresh and self._lock.acquire(blocking=False):
            try:
                self._entries = self._cluster.log_entries(self._service)
                self._read_at = time.monotonic()
            finally:
                self._lock.release()
        return self._entries

    def boot_finished(self, node: str) -> bool:
        """Whether the node has written since this object was made that its boot process finished."""
        return any(
            FINISHED.match(str(e.get("message"))) and _of(e, node) and key(e) not in self._before
            for e in self.entries()
        )

    def is_booting(self, node: str) -> bool:
        """Whether the last boot message of the node is from before the end of its boot process."""
        last: Optional[str] = None
        for entry in self.entries():
            message = str(entry.get("message"))
            if _of(entry, node) and (STAGES.match(message) or FINISHED.match(message)):
                last = message
        return bool(last and STAGES.match(last))

    def news_of(self, names: list[str]) -> list[str]:
        """The lines about these databases that weren't returned before."""
        lines = []
        for entry in self.entries(fresh=0):
            about = str(entry.get("system")) in names or any(
                re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(entry.get("message")), re.IGNORECASE)
                for name in names
            )
            if about and key(entry) not in self._shown:
                self._shown.add(key(entry))
                lines.append(f"log: {line(entry)}")
        return lines


def _of(entry: dict[str, Any], node: str) -> bool:
    name = eao_node(node)
    return str(entry.get("node")) in (name, str(int(name[1:])))


def message_filter(
    since: Optional[str], level: str, pattern: Optional[str], nodes: list[str], databases: list[str]
) -> Callable[[dict[str, Any]], bool]:
    """Makes a function that returns whether a message is wanted.

    :param since: a time as the log service writes it; such times sort as text.
    :raises ClusterError: the pattern is not a regular expression.
    """
    try:
        wanted = re.compile(pattern) if pattern else None
    except re.error as error:
        raise ClusterError(f"pattern {pattern!r} is not a regular expression: {error}") from None

    def passes(entry: dict[str, Any]) -> bool:
        priority = str(entry.get("priority"))
        # An unknown priority of a later version is shown.
        loud = priority not in PRIORITIES or PRIORITIES.index(priority) >= PRIORITIES.index(level)
        return (
            loud
            and (not since or str(entry.get("strtime", "")) >= since)
            and (not wanted or bool(wanted.search(str(entry.get("message", "")))))
            and (not nodes or any(_of(entry, node) for node in nodes))
            and (not databases or str(entry.get("system", "")) in databases)
        )

    return passes
