# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the parts of a ConfD cluster."""

from __future__ import annotations

ON_MACHINES = {
    "never_boots": "a node that is switched on stays booting",
    "never_stops": "a node or database that is being stopped never stops",
    "fails_to_start": "a database (or 'storage') that is being started stops again; `text` is the reason",
    "never_connects": "a database that runs never becomes connectible",
    "fails_backup": "a backup or restore of a database fails with `text`",
    "job_stays": "a job (its name) hangs in the stage `state` until the fault is deleted",
    "dies": "a node, database or the storage fails, at once or after `delay` seconds",
}
