# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a domain's engines and servers."""

from __future__ import annotations

ON_ENGINES = {
    "never_starts": "an engine exits right after the fork with `exit_code` and `text`; object is an archive id, 'TE', "
    "'SM', a database or a server",
    "stays": "an engine hangs in the durable state `state` until the fault is deleted; object as for never_starts, or "
    "'start_id 5'",
    "loses_history": "the history of an archive (its id) never comes",
    "fails_hotcopy": "a hot copy of a database fails with `text`; object is the database or the coordinator's start id",
    "dies": "a process (its start id), all processes of a database, or the AP of a server ends with `exit_code`; "
    "at once or after `delay` seconds",
}
