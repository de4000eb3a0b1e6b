# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work is in the module of the same name. This action also hides parameters whose names suggest a secret."""

from __future__ import annotations

from typing import Any

from ..module_utils._secrets import SECRETIVE
from ..plugin_utils import direct


class ActionModule(direct.action_of(__name__)):  # type: ignore[misc]
    """Runs exa_job."""

    def _completed(self, args: dict[str, Any], spec: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Moves parameters whose names suggest a secret from `params` to `secret_params`."""
        done = super()._completed(args, spec, task_vars)
        open_ones = done.get("params")
        if isinstance(open_ones, dict) and isinstance(done.get("secret_params") or {}, dict):
            secret = {name: value for name, value in open_ones.items() if SECRETIVE.search(str(name))}
            if secret:
                done["params"] = {name: value for name, value in open_ones.items() if name not in secret}
                done["secret_params"] = {**secret, **(done.get("secret_params") or {})}
        return done
