# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One JSON document on standard output at the end of the run, as ansible.posix.json writes it."""

from __future__ import annotations

import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: json
type: stdout
short_description: One JSON document
description: Writes all results and the stats as one JSON document when the run ends.
"""


class CallbackModule(CallbackBase):
    """Shows nothing before the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "json"

    def __init__(self):
        super().__init__()
        self._results = []

    def _keep(self, result, **_more):
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        data = getattr(result, "result", None) or result._result
        self._results.append({"host": host.get_name(), "task": task.get_name(), "result": data})

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = _keep

    def v2_playbook_on_stats(self, stats):
        found = {"results": self._results, "stats": {host: stats.summarize(host) for host in stats.processed}}
        self._display.display(json.dumps({**found, "custom": stats.custom}, indent=4, default=str))
