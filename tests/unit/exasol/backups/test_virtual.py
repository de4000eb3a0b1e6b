# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups don't expire while a database is given virtual access to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Failed, Fault
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.catalogue import Catalogue
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.virtual import KeptExpiries, backup_set
from ansible_collections.dbfleet.cluster.tests.unit.exasol.backups.fake_server import BERLIN, DOWN, UP, Server, backup

END = "2099-01-01 10:00"


class Expiring(Server):
    """Its backups expire when they are told."""

    def change_expiry(self, changed: Any, expire: str, _zone: Any) -> None:
        super().change_expiry(changed.bid, expire)
        self.rows = [replace(row, expire=expire[:16]) if row.id == changed.id else row for row in self.rows]


def virtual(server: Server, lines: list[str], number: int = 0) -> tuple[KeptExpiries, list[Any]]:
    catalogue = Catalogue(server, ["DB1"])  # type: ignore[arg-type]
    catalogue.look_at_all()
    kept = KeptExpiries(server, catalogue, {"DB1": server.rows[number]}, BERLIN, lines.append)  # type: ignore[arg-type]
    return kept, kept.stages(lambda: None)


def test_a_set_is_a_backup_with_all_that_it_builds_on() -> None:
    rows = [backup(1), backup(2, 1, dependencies=(1,)), backup(3, 2, dependencies=(1, 2)), backup(4)]
    assert [one.bid for one in backup_set(rows[2], rows)] == [3, 1, 2]


def test_expiries_are_taken_away_and_given_back(brought: Any) -> None:
    rows = [backup(1, expire=END), backup(2, 1, expire=END, dependencies=(1,)), backup(3, expire=END)]
    server, lines = Expiring(*rows, **DOWN), list[str]()
    kept, stages = virtual(server, lines, 1)
    assert brought(stages)["changed"]
    assert server.sent == [("expire", 2, ""), ("expire", 1, "")]
    assert [row.expire for row in server.rows] == ["", "", END]
    assert lines[0].endswith(f"killed, set it with exa_backup state=present backup_ids='id 2' expire='{END}'")
    steps = kept.give_back()
    assert [row.expire for row in server.rows] == [END, END, END]
    assert [(step["object"], step["to"]) for step in steps] == [("id 1", f"expires {END}"), ("id 2", f"expires {END}")]
    assert kept.give_back() == [], "once"


def test_what_never_expires_is_left_alone() -> None:
    assert virtual(Expiring(backup(1), **DOWN), [])[1] == []


def test_of_a_restore_that_has_begun_nothing_is_taken_away(brought: Any) -> None:
    server = Expiring(backup(1, expire=END), **UP)
    kept, stages = virtual(server, [])
    assert not brought(stages)["changed"]
    assert kept.give_back() == server.sent == []


def test_the_rules_of_the_restore_come_first(brought: Any) -> None:
    server = Expiring(backup(1, expire=END), **DOWN)
    kept, _stages = virtual(server, [])

    def guard() -> None:
        raise ClusterError("exa-unit: not confirmed")

    with pytest.raises(ClusterError, match="not confirmed"):
        brought(kept.stages(guard))
    assert server.sent == []


def test_an_expiry_that_can_not_be_told_for_sure_is_refused_before() -> None:
    server = Expiring(backup(1, expire=END), **DOWN)

    def unsure(*_args: Any) -> None:
        raise ClusterError("exa-unit: no zone")

    server.check_expiry = unsure  # type: ignore[method-assign]
    with pytest.raises(ClusterError, match="no zone"):
        virtual(server, [])


def test_what_is_not_given_back_is_a_failure_that_says_how(brought: Any) -> None:
    server = Expiring(backup(1, expire=END), **DOWN)
    kept, stages = virtual(server, [])
    brought(stages)

    def broken(*_args: Any) -> None:
        raise Fault("exa-unit: the volume is gone", text="gone")

    server.change_expiry = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(
        Failed, match="removed the expiry of id 1 .* could not set it again: .*the volume is gone"
    ) as told:
        kept.give_back()
    assert "exa_backup state=present backup_ids='id 1' expire='2099-01-01 10:00'" in str(told.value.hint)
