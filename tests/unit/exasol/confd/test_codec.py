# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written and read: both codecs, and whatever else may come back."""

from __future__ import annotations

import contextlib
import datetime
import json
import xmlrpc.client

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.codec import (
    Json,
    Said,
    Unreadable,
    Unspeakable,
    Xml,
    codec,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._json import DEPTH
from hypothesis import given, settings, strategies as st

BOTH = [Xml(), Json()]

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text("ab é<&]>01 \t", max_size=6)
    | st.floats(-1e6, 1e6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab&", max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def xml_answer(value):
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


def nested(levels):
    start, end = "<value><array><data>", "</data></array></value>"
    inner = start * levels + end * levels
    return f"<methodResponse><params><param>{inner}</param></params></methodResponse>".encode()


# -- XML


def test_xml_is_written_as_xmlrpc_client_does():
    args = ("db_start", {"params": {"db_name": "DB1", "nodes": [11, 12], "owner": (1000, 1000), "x": None, "y": True}})
    assert Xml().dumps("job_exec", args) == xmlrpc.client.dumps(args, "job_exec", allow_none=True).encode()


@settings(max_examples=80)
@given(value=PLAIN)
def test_xml_is_read_as_xmlrpc_client_does(value):
    assert Xml().loads(xml_answer(value)) == value


def test_dates_and_bytes_become_texts():
    value = {"at": datetime.datetime(2020, 7, 7, 14, 5), "text": b"p\xc3\xa4\xff", "more": [b"x"]}
    assert Xml().loads(xml_answer(value)) == {"at": "2020-07-07 14:05:00", "text": "pä\ufffd", "more": ["x"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_other_encodings(encoding):
    text = f"<?xml version='1.0' encoding='{encoding}'?>" + xml_answer("pässe").decode().partition("?>")[2]
    assert Xml().loads(text.encode(encoding)) == "pässe"


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<methodResponse><params><param><value><string>&c;</string></value></param></params></methodResponse>"""
OUTER = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<methodResponse><params><param><value>&a;</value></param></params></methodResponse>"""


@pytest.mark.parametrize(
    "text", [BOMB, OUTER, "<!DOCTYPE methodResponse>" + xml_answer("a").decode().partition("?>")[2]]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_declarations_are_refused(text, encoding):
    with pytest.raises(Unreadable, match="^the XML of the answer declares a document type, which is not read$"):
        Xml().loads(text.encode(encoding))


def test_depth_has_an_end():
    assert Xml().loads(nested(50))
    for levels in (DEPTH + 2, 5 * DEPTH, 20_000):
        with pytest.raises(Unreadable, match="XML of the answer is nested more than 100 levels deep"):
            Xml().loads(nested(levels))
        body = b'{"result": ' + b"[" * levels + b"]" * levels + b"}"
        with pytest.raises(Unreadable, match="JSON of the answer is nested more than 100 levels deep"):
            Json().loads(body)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (2**31, "32 bits"),
        ({1, 2}, "of a kind"),
        ({1: 2}, "of a kind"),
        (object(), "of a kind"),
        ("a\0b", "control character"),
        ("a\x1bb", "control character"),
        ("a\udc80b", "control character"),
        ("a\uffffb", "control character"),
        ({"a\x01": 1}, "control character"),
    ],
)
def test_what_xml_cant_write(value, why):
    with pytest.raises(Unspeakable, match=why) as caught:
        Xml().dumps("m", (value,))
    assert repr(value) not in str(caught.value)


def test_what_holds_itself_cant_be_written():
    ring: list = []
    ring.append(ring)
    for one in BOTH:
        with pytest.raises(Unspeakable):
            one.dumps("m", (ring,))


# -- JSON


def test_json_is_written_as_json_rpc_2():
    call = json.loads(Json().dumps("job_exec", ("db_start", {"params": {"db_name": "DB1", "x": None}})))
    params = ["db_start", {"params": {"db_name": "DB1", "x": None}}]
    assert call == {"jsonrpc": "2.0", "id": 1, "method": "job_exec", "params": params}


@pytest.mark.parametrize(
    "answer", [{"result": [1, None]}, {"jsonrpc": "2.0", "id": 1, "error": None, "result": [1, None]}]
)
def test_json_is_read(answer):
    assert Json().loads(json.dumps(answer).encode()) == [1, None]


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan")])
def test_what_json_cant_write(value):
    with pytest.raises(Unspeakable):
        Json().dumps("m", (value,))


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        ({"code": -32601, "message": "no\n such method"}, -32601, "no such method"),
        ({"code": 1}, 1, "no reason given"),
        ("no such method", None, "no such method"),
        (["odd"], None, "['odd']"),
    ],
)
def test_a_json_error_is_the_servers_word(error, code, text):
    with pytest.raises(Said) as caught:
        Json().loads(json.dumps({"id": 1, "error": error}).encode())
    assert (caught.value.code, caught.value.text) == (code, text)


@pytest.mark.parametrize(
    "body", [b"[]", b"3", b"null", b"{}", b'{"id": 1}', b'{"result": NaN}', b'{"result":', b"\xff"]
)
def test_what_is_no_json_answer(body):
    with pytest.raises(Unreadable):
        Json().loads(body)


@pytest.mark.parametrize(("given", "path"), [(None, "/json"), ("", "/json"), ("/x", "/x"), ("x/y", "/x/y")])
def test_the_codec_of_an_option(given, path):
    assert codec("json", given).paths == (path,)
    assert isinstance(codec("xml", given), Xml)


# -- both


@pytest.mark.parametrize("one", BOTH)
@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"<!DOCTYPE html><html>login</html>", "is an HTML page"),
        (b"\n <HTML></HTML>", "is an HTML page"),
        (b"", "is not "),
        (b"OK", "is not "),
    ],
)
def test_what_came_back_is_named(one, body, cause):
    with pytest.raises(Unreadable, match=cause):
        one.loads(body)


VALID = xml_answer(["n11", 3, {"a": None}])
TAGS = ["int", "bigdecimal", "double", "dateTime.iso8601", "base64", "struct", "array", "member", "nil", "boolean"]


def answer_of(tag, text):
    value = f"<param><value><{tag}>{text}</{tag}></value></param>"
    return f"<methodResponse><params>{value}</params></methodResponse>".encode()


@settings(max_examples=250)
@given(
    body=st.binary(max_size=60)
    | st.integers(0, len(VALID) - 1).map(lambda end: VALID[:end])
    | st.builds(answer_of, st.sampled_from(TAGS), st.text("1x.-é ", max_size=4))
    | st.builds(lambda value: json.dumps(value).encode(), PLAIN)
)
def test_no_bytes_make_another_exception(body):
    for one in BOTH:
        with contextlib.suppress(Unreadable, Said):
            json.dumps(one.loads(body), allow_nan=False)


@pytest.mark.parametrize("end", range(2, len(VALID) - 17))
def test_no_truncated_answer_is_taken_for_a_whole_one(end):
    with pytest.raises(Unreadable):
        Xml().loads(VALID[:-end])


def test_a_fault_that_is_none():
    body = b"<methodResponse><fault><value><struct></struct></value></fault></methodResponse>"
    with pytest.raises(Unreadable):
        Xml().loads(body)


def test_several_values_are_no_answer():
    body = xmlrpc.client.dumps((1, 2)).encode()
    with pytest.raises(Unreadable):
        Xml().loads(body)
