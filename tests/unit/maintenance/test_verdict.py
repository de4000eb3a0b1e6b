# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster is as it was."""

from __future__ import annotations

from typing import Any

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance import verdict


def row(state: str = "up", node: str = "online", **more: Any) -> dict[str, Any]:
    cluster = {"nodes": {"n11": {"state": node}}, "services": {}, "databases": {}}
    return {"state": state, "product": "exasol", "problem": "a: down: DB1", "cluster": cluster, **more}


def test_as_it_was() -> None:
    assert verdict.of("a", row(), row()) == ""
    assert verdict.of("a", row(node="offline"), row()) == ""


def test_not_up_whatever_it_was() -> None:
    assert verdict.of("a", row("down"), row("down")) == "a: down: DB1"


def test_why_it_does_not_answer() -> None:
    """What status says of it points at another line."""
    now = row("unreachable", summary="a: unreachable: refused")
    assert verdict.of("a", row(), now) == verdict.why(now) == "a: unreachable: refused"


def test_up_and_less_than_before() -> None:
    """A node that need not be online counts where it was."""
    assert (
        verdict.of("a", row(), row(node="offline")) == "a: up before the maintenance, not up now: nodes n11 (offline)"
    )


def test_nothing_to_compare_with() -> None:
    """Of a cluster that could not be read before, being up is all that can be asked."""
    unread = {name: value for name, value in row("unreachable").items() if name != "cluster"}
    assert verdict.of("a", unread, row()) == ""
