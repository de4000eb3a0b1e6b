# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster that is asked over HTTP, and two calls."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Call, Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust

READ = Call("getNodeList")
CHANGE = Call("startDatabase", "db_DB1", changing=True)


def connect(*urls, **options):
    trust = Trust(**{key: options.pop(key) for key in list(options) if key in Trust.__dataclass_fields__})
    return Http(
        "exa-unit", list(urls), options.pop("username", "admin"), options.pop("password", "pw"), trust, **options
    )


def ask(http, call=READ):
    return http.post(call, "/cluster1", b"<call/>")
