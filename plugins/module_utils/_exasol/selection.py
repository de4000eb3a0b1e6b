# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a task names; `all` selects all of them."""

from __future__ import annotations

from .._errors import ClusterError
from .._options import refuse_unknown
from .view import ClusterView


def chosen(
    cluster: ClusterView, wanted: list[str], known: list[str], noun: str, others: tuple[str, ...] = ()
) -> list[str]:
    """The selected names; `all` selects all known ones.

    :param others: names that the user may give, but that `all` doesn't select.
    :raises ClusterError: the user gives no name, or one that doesn't exist.
    """
    if not wanted:
        raise ClusterError(f"{cluster.name}: no {noun} is named: give names, or all")
    if "all" in wanted:
        return known
    refuse_unknown(cluster.name, noun, [name for name in wanted if name not in others], known)
    return list(dict.fromkeys(wanted))
