# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain whose AP answers what the test sets, and what is asked of it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import wired

EMPTY = (200, b"")
ODD = "a/b c?#%é\n"
QUOTED = "a%2Fb%20c%3F%23%25%C3%A9%0A"


def asked(method, *args, answer=EMPTY, **kwargs):
    """What a method returns, and its requests: verb, path, query as pairs, body."""
    domain, adapter = wired(answer)
    found = getattr(domain, method)(*args, **kwargs)
    sent = []
    for verb, path, body in adapter.requests:
        parts = urlsplit(path)
        sent.append(
            (verb, parts.path, parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)), body)
        )
    return found, sent
