# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks of Exasol share: the look at the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..run import Run


def license_servers(run: Run) -> list[str]:
    """The license servers, for a module that takes nodes."""
    return run.shared("license_servers", ["n0010"])


def plan(run: Run, runbook: str, info: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Shows the plan of a runbook, and refuses what stands against it.

    :param info: the result of exa_cluster_info.
    """
    return run.module(
        "plan",
        "exa_plan",
        "The plan, and all that stands against it",
        cluster=info["cluster"],
        runbook=runbook,
        license_servers=run.shared("license_servers"),
        log_service=run.shared("log_service"),
        **options,
    )
