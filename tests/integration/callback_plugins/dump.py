# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every task's result, one JSON line each, into the file that $DBFLEET_DUMP names: what the tests look at."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: dump
type: aggregate
short_description: Results as JSON lines
description: Writes every task's result as a line of JSON into the file that E(DBFLEET_DUMP) names.
"""


class CallbackModule(CallbackBase):
    """One row a result: what, host, task, action, result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "dump"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, **row):
        with open(os.environ["DBFLEET_DUMP"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, default=str) + "\n")

    def _result(self, what, result, **more):
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        data = getattr(result, "result", None) or result._result
        self._write(what=what, host=host.get_name(), task=task.get_name(), action=task.action, result=data, **more)

    def v2_runner_on_ok(self, result):
        self._result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("failed", result, ignored=ignore_errors)

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in stats.processed}
        self._write(what="stats", hosts=hosts, custom=stats.custom)
