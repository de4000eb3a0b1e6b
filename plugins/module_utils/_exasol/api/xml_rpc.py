# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads answers in XML-RPC, which both servers use. Refuses declarations, and values that are nested too deep."""

from __future__ import annotations

import xmlrpc.client
from typing import Any
from xml.parsers import expat

from ..._json import DEPTH

TOO_DEEP = f"the XML of the answer is nested more than {DEPTH} levels deep"

ODD = (
    expat.ExpatError, xmlrpc.client.Error, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip
"""What the standard library raises for bytes that are not an XML-RPC answer."""


class Forbidden(ValueError):
    """An answer has something in it that no Exasol server sends; the text names it."""


def value_of(body: bytes) -> Any:
    """The value of an answer.

    :raises xmlrpc.client.Fault: if the server refused the call.
    :raises Forbidden: if the answer declares a document type, or is nested too deep.
    """
    reader = xmlrpc.client.Unmarshaller(use_builtin_types=True)
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > 4 * DEPTH:  # each level of a struct takes four elements
            raise Forbidden(TOO_DEEP)
        reader.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        reader.end(tag)

    def refuse(*_declaration: Any) -> None:
        raise Forbidden("the XML of the answer declares a document type, which is not read")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = reader.data
    reader.xml("", None)  # the parser already gives text, not bytes
    parser.Parse(body, True)
    (value,) = reader.close()
    return value
