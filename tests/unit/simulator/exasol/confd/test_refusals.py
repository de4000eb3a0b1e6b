# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ConfD refuses."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


def test_refusals_may_be_faults(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"rpc_errors": "fault"})
    for arguments, text in (
        (("db_nope",), "does not exist"),
        (("db_state",), "mandatory parameter db_name is missing"),
        (("db_state", {"params": {"db_name": []}}), "must be of type str"),
    ):
        with pytest.raises(xmlrpc.client.Fault, match=text):
            one.call("job_start", *arguments)
    with pytest.raises(xmlrpc.client.Fault, match="is not allowed"):
        one.call("job_start", "node_list", user="dba")
    assert "could not be found" in one.refused("db_state", db_name="DB9")
