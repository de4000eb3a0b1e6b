# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAoperation behind the client's own HTTP layer: what is sent is kept, what is answered is set."""

from __future__ import annotations

import xmlrpc.client

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.eao.cluster import EaoCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Reply

NOT_FOUND = "Unexpected Zope exception: NotFound: Object: <EXAoperation object at 0x7f>, name: u'{}'"


class Wire:
    """Stands for Http: keeps the requests and gives the answers, by method."""

    cluster = "exa-unit"
    url = "https://n10:443"

    def __init__(self, **answers):
        self.answers_by_method = answers
        self.asked = []
        self.changing = []

    @property
    def calls(self):
        return len(self.asked)

    def fetch(self, call, request, read):
        return read(Reply(200, self.post(call, request.path, request.body)), self.url)

    def post(self, call, path, body, content_type="text/xml"):
        args, method = xmlrpc.client.loads(body)
        assert method == call.method.partition("(")[0]
        self.asked.append((path, method, *args))
        if call.changing:
            self.changing.append(method)
        answer = self.answers_by_method.get(method)
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, str) and answer.startswith("fault:"):
            fault = xmlrpc.client.Fault(-1, answer[6:])
            return xmlrpc.client.dumps(fault, methodresponse=True).encode()
        return xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True).encode()


def spoken(method, *args, **answers):
    """What a method of the provider returns, and what it asked."""
    wire = Wire(**answers)
    return getattr(EaoCluster(wire), method)(*args), wire
