# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work is in the module of the same name."""

from __future__ import annotations

from ..plugin_utils import direct

ActionModule = direct.action_of(__name__)
