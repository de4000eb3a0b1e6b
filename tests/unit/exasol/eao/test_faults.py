# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a fault of EXAoperation becomes a sentence."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Denied, Fault, NoSuchObject
from ansible_collections.dbfleet.cluster.tests.unit.exasol.eao.wire import NOT_FOUND, spoken


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (NOT_FOUND.format("db_DB1"), NoSuchObject, "there is no object db_DB1 or it has no call startDatabase"),
        ("Volume could not be found", Fault, "the server refused: Volume could not be found"),
        ("Unexpected Zope exception: Unauthorized: (<x>, 'startDatabase')", Denied, "the user may not do this"),
        ("Unexpected Zope exception: Forbidden: ('startDatabase', <x>)", Denied, "the user may not do this"),
        ("line one\n   line two", Fault, "line one line two"),
        ("", Fault, "the server refused"),
    ],
)
def test_a_fault_becomes_a_sentence(text, kind, says):
    with pytest.raises(kind, match=re.escape(says)) as caught:
        spoken("start_database", "DB1", startDatabase="fault:" + text)
    assert caught.value.__class__ is kind
    assert caught.value.message.startswith("exa-unit: startDatabase of db_DB1 at https://n10:443: ")
    assert "\n" not in caught.value.message


def test_an_unknown_node_is_not_an_offline_one():
    with pytest.raises(NoSuchObject):
        spoken("node_is_online", "n0099", getHardwareInformation="fault:" + NOT_FOUND)


@pytest.mark.parametrize("method", ["node_is_online", "node_status"])
def test_who_may_not_ask_is_told_so(method):
    text = "fault:Unexpected Zope exception: Unauthorized: ()"
    with pytest.raises(Denied):
        spoken(method, "n0011", getHardwareInformation=text, getNodeState=text)
