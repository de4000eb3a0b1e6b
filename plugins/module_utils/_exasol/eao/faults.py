# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns a fault of EXAoperation, or an answer that is not XML-RPC, into an error with a clear sentence."""

from __future__ import annotations

from ..._errors import AnswerLost, ClusterError, Denied, Fault, Garbled, NoSuchObject
from ..._foreign import one_line
from ..._http.client import ELSEWHERE, Call


def refused(where: str, text: str, call: Call) -> ClusterError:
    """The error for a fault, whose kind its text shows.

    :param where: the beginning of the message: cluster, call and URL.
    """
    words, lowered = one_line(text), text.lower()
    if "unauthorized" in lowered or "forbidden" in lowered:
        return Denied(f"{where}: the user may not do this ({words})")
    if "NotFound: Object" in words:
        what = f"there is no object {call.target}" if call.target else "there is no such object"
        return NoSuchObject(f"{where}: {what} or it has no call {call.method} ({words})", text=words)
    return Fault(f"{where}: the server refused: {words}", text=words)


def unreadable(where: str, answer: bytes, call: Call, why: str = "") -> ClusterError:
    """The error for an unreadable answer. For a change, nobody knows then whether the server carried it out.

    :param why: the cause, if it is already known.
    """
    head = answer[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        cause = "the answer is an HTML page, not XML-RPC (a proxy's, or another service's)"
    elif why:
        cause = why
    elif head.startswith(b"<?xml") or head.startswith(b"<methodresponse"):
        cause = "the XML of the answer is broken or incomplete"
    else:
        cause = "the answer is not XML-RPC"
    if call.changing:
        return AnswerLost(f"{where}: {cause}; the server may have carried it out")
    return Garbled(f"{where}: {cause}", hint=ELSEWHERE if "HTML" in cause else None)
