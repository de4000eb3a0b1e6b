# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of EXAoperation: its path, and its answer, however odd."""

from __future__ import annotations

import contextlib
import xmlrpc.client

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import AnswerLost, Fault, Garbled
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.eao.connection import EaoConnection
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.tests.unit.exasol.eao.wire import spoken
from hypothesis import given, settings, strategies as st


@pytest.mark.parametrize(
    ("name", "path"),
    [("DB 1", "/cluster1/db_DB+1"), ("a/b", "/cluster1/db_a%2Fb"), ("ü?#", "/cluster1/db_%C3%BC%3F%23")],
)
def test_names_are_quoted(name, path):
    _none, wire = spoken("start_database", name)
    assert wire.asked == [(path, "startDatabase")]


# -- odd answers: never mistaken for a state, never another exception

VALID = xmlrpc.client.dumps((["n0011", 3, {"a": None}],), methodresponse=True, allow_none=True).encode()
TAGS = ["int", "bigdecimal", "double", "dateTime.iso8601", "base64", "struct", "array", "member", "nil", "boolean"]


def answer_of(tag, text):
    value = f"<param><value><{tag}>{text}</{tag}></value></param>"
    return f"<methodResponse><params>{value}</params></methodResponse>".encode()


def nested(levels):
    value = b"<value><array><data>" * levels + b"</data></array></value>" * levels
    return b"<?xml version='1.0'?><methodResponse><params><param>" + value + b"</param></params></methodResponse>"


@settings(max_examples=200)
@given(
    body=st.binary(max_size=60)
    | st.integers(0, len(VALID) - 1).map(lambda end: VALID[:end])
    | st.builds(answer_of, st.sampled_from(TAGS), st.text("1x.-é ", max_size=4))
)
def test_no_bytes_make_another_exception(body):
    for method, kind in (("nodes", Garbled), ("stop_storage", AnswerLost)):
        with contextlib.suppress(kind):
            spoken(method, getNodeList=body, stopEXAStorage=body)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"<!DOCTYPE html><html>login</html>", "is an HTML page"),
        (b"  <HTML></HTML>", "is an HTML page"),
        (b"<?xml version='1.0'?><methodResponse><par", "broken or incomplete"),
        (b"<methodResponse></methodResponse>", "broken or incomplete"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + VALID.partition(b"?>")[2], "declares a document type, which is not read"),
        (nested(5_000), "nested more than 100 levels deep"),
        (b"", "is not XML-RPC"),
        (b"{}", "is not XML-RPC"),
    ],
)
def test_what_came_back_is_named(body, cause):
    with pytest.raises(Garbled, match=cause) as caught:
        spoken("nodes", getNodeList=body)
    assert caught.value.message.startswith("exa-unit: getNodeList() at https://n10:443: ")
    with pytest.raises(AnswerLost, match=f"{cause}.*the server may have carried it out"):
        spoken("start_database", "DB1", startDatabase=body)


def test_a_read_is_asked_again_where_its_answer_is_no_xml_and_a_change_never(serve, reply):
    """By the real HTTP layer; a fault is an answer, and asked for once."""
    answers = [
        b"<html>",
        VALID[:40],
        VALID,
        xmlrpc.client.dumps(xmlrpc.client.Fault(1, "no"), methodresponse=True).encode(),
    ]
    server = serve(lambda _asked: reply(answers.pop(0)))
    connection = EaoConnection(Http("exa-unit", [server.url]))
    with pytest.raises(AnswerLost, match="HTML page, not XML-RPC .*; the server may have carried it out$"):
        connection.change("stopEXAStorage", of="storage")
    assert connection.read("getNodeList") == ["n0011", 3, {"a": None}]
    with pytest.raises(Fault, match="the server refused: no"):
        connection.read("getNodeList")
    assert len(server.asked) == 4
