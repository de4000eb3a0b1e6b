# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bodies as values, and those that are none."""

from __future__ import annotations

import xmlrpc.client

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.bodies import LEVELS, of_call, of_json


def test_json() -> None:
    assert of_json(b'{"a": [1, -2.5e3, null, "\\u00e9"]}') == {"a": [1, -2500.0, None, "\u00e9"]}
    assert of_json(b"[" * LEVELS + b"]" * LEVELS)
    for body in (
        b"", b"x", b"NaN", b"[-Infinity]", b"1e999", b"9" * 5000, b"\xff", b"[" * 300000,
        b"[" * (LEVELS + 1) + b"]" * (LEVELS + 1), b'{"a":' * 20000 + b"1" + b"}" * 20000,
    ):  # fmt: skip
        with pytest.raises(ValueError, match="."):
            of_json(body)


def value(inner: str) -> bytes:
    params = f"<params><param><value>{inner}</value></param></params>"
    return f"<methodCall><methodName>m</methodName>{params}</methodCall>".encode()


def test_a_call_of_xml_rpc() -> None:
    assert of_call(xmlrpc.client.dumps(("a", [1, None]), "m", allow_none=True).encode()) == (("a", [1, None]), "m")
    for body in (
        b"", b"x", b"<a/>", b"<?xml version='1.0' encoding='none'?><methodCall/>", value("<int>x</int>"),
        value("<bigdecimal>x</bigdecimal>"), value("<int>" + "9" * 5000 + "</int>"),
        value("<array><data><value>" * 20000 + "x" + "</value></data></array>" * 20000), value("<array></value>"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="."):
            of_call(body)
