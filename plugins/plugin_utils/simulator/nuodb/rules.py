# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The safety rules: what a client must never do to a domain, even if the server allows it."""

from __future__ import annotations

RULES = {
    "archive-start-repeated": "A start was requested for an archive that had a process already.",
    "archives-started-in-part": "A client tried to start a database with SMs of only some of its archives.",
    "last-sm-stopped-under-tes": "The last running SM of a database was stopped while TEs ran.",
    "last-sm-of-group-stopped-under-tes": "The last running SM of a storage group was stopped while TEs ran.",
    "server-stopped-under-processes": "An AP was shut down while database processes ran on it.",
    "majority-lost-under-database": "An AP was shut down, so the majority was lost while a database ran.",
    "archive-deleted-under-sm": "A client tried to delete an archive while its SM ran.",
    "archives-in-one-directory": "A client tried to create an archive in the directory of another one.",
    "database-deleted-while-running": "A client tried to delete a database while it ran.",
    "server-removed-while-connected": "A server was removed while it was connected.",
    "process-killed": "A client killed a process that would have obeyed a shutdown.",
}
