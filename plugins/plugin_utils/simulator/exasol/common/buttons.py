# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions of the admin endpoint for both servers: power, and operations of databases."""

from __future__ import annotations

from typing import Any, Callable

from ...cluster import UsageError
from .base import ExasolCluster


class Buttons:
    cluster: ExasolCluster

    def _power(self, body: dict[str, Any]) -> Callable[[], Any]:
        machine, on = self.cluster.machines.get(str(body.get("node"))), body.get("on")
        if machine is None or not isinstance(on, bool):
            raise UsageError("Power needs a node of the cluster, and on: true or false.")
        if on:
            machine.power_on()
        else:
            machine.press_off()
        return lambda: {"node": machine.name, "state": machine.state}

    def _operation(self, body: dict[str, Any]) -> Callable[[], Any]:
        database = self.cluster.databases.get(str(body.get("database")))
        seconds = body.get("seconds")
        if database is None or not (seconds is None or isinstance(seconds, (int, float))):
            raise UsageError("Operation needs a database of the cluster, an operation, and seconds or none.")
        operation = str(body.get("operation", "Backup"))
        if operation == "None":
            database.abort_operation()
        else:
            database.begin_operation(operation, seconds)
        return lambda: {"database": database.name, "operation": database.operation}
