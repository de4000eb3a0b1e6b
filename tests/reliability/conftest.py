# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual nights: the clocks of this process go by them before anything of the collection is imported."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.tests.reliability.loom import take_clocks

take_clocks()
