# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts of databases, and what was requested for them."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import Memory

ONE_TE = [{"name": "test", "te_server_ids": ["server0"]}]
TWO_TES = [{"name": "test", "te_server_ids": ["server0", "server1"]}]


def starts(domain):
    """What was requested, and when."""
    return [of for what, of, _request in (row for row in domain.log if row[0] == "start")]


def requests(domain):
    return {row[1]: row[2] for row in domain.log if row[0] == "start"}


class Timed(Memory):
    """Keeps the time of each change too."""

    def _did(self, what, *about):
        super()._did(what, *about)
        self.times = [*getattr(self, "times", []), (self.time.since, *self.log[-1][:2])]


def away(domain, *names):
    for name in names:
        domain.servers_now[name] = replace(domain.servers_now[name], connected="Disconnected")
    return domain
