# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that modules of both products share."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._options import refuse_unknown


def test_an_empty_name_can_be_seen():
    with pytest.raises(ClusterError, match="there is no database ''; there are: DB1"):
        refuse_unknown("exa-unit", "database", ["DB1", ""], ["DB1"])
