# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a play's hosts, read in the task of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any, Optional

LISTS = ("_hosts", "_hosts_all")
"""Arguments with which ansible-core need not list all hosts of the play again for each host."""

OF_PLAY = ("ansible_play_hosts_all", "ansible_play_hosts", "ansible_play_batch", "play_hosts")
"""Variables with those lists, which are the same for all hosts of the play."""


class HostVariables:
    """The variables that a task would see on another host, without those registered since the task began.

    :param task: a task of the play.
    :param task_vars: the variables of any host of the play.
    :param whole: whether to include the variables of the task and its role, besides those of the play.
    """

    def __init__(self, task: Any, task_vars: Mapping[str, Any], whole: bool = True) -> None:
        self._play, self._task = task.play, task if whole else None
        self._manager = task_vars["hostvars"]._variable_manager
        self._inventory = task_vars["hostvars"]._inventory
        self._of_play = {name: task_vars[name] for name in OF_PLAY if name in task_vars}
        self._alone = [name for name in LISTS if name in signature(self._manager.get_vars).parameters]

    def of(self, name: str) -> Optional[dict[str, Any]]:
        """The variables of a host; None if the inventory has no such host."""
        host = self._inventory.get_host(name)
        if host is None:
            return None
        lists = dict.fromkeys(self._alone, [name])
        return {**self._manager.get_vars(play=self._play, host=host, task=self._task, **lists), **self._of_play}
