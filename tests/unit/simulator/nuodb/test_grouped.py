# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that are found by their database."""

from __future__ import annotations

from types import SimpleNamespace

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.grouped import Grouped


def of(name: str) -> SimpleNamespace:
    return SimpleNamespace(database=name)


def test_what_belongs_to_a_database() -> None:
    found: Grouped[str, SimpleNamespace] = Grouped(lambda one: one.database)
    a, b, c, d = of("x"), of("y"), of("x"), of("y")
    found["1"], found["2"], found["3"] = a, b, c
    assert (found.of("x"), found.of("y"), found.of("z")) == ([a, c], [b], [])
    found["3"] = d  # another object, of another database
    assert (found.of("x"), found.of("y")) == ([a], [b, d])
    assert found.pop("2") is b
    assert found.pop("2", None) is None
    del found["1"]
    assert (found.of("x"), found.of("y"), list(found)) == ([], [d], ["3"])
