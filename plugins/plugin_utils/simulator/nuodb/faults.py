# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a domain's engines and servers."""

from __future__ import annotations

ON_ENGINES = {
    "never_starts": "an engine exits right after the fork with `exit_code` and `text`; object is an archive id, 'TE', "
    "'SM', a database or a server",
    "stays": "an engine hangs in the durable state `state` until the fault is deleted; object likewise, or "
    "'start_id 5'",
    "loses_history": "the history of an archive (its id) never comes",
    "fails_hotcopy": "a hot copy of a database fails with `text`; object is the database or the coordinator's start id",
    "dies": "the process of a start id ends with `exit_code`, all of a database, or the AP of a server; at once or "
    "after `delay` seconds",
}
