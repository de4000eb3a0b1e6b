#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_connection_info
short_description: Whether each admin process of a NuoDB domain can be used, by whom, and with which certificate
version_added: 1.0.0
description:
  - Tries every URL in O(api_url) separately, and shows the fingerprint of its certificate, and the roles of the user if
    the domain returns them.
  - It reports all problems instead of failing at the first one. The password is sent only to a trusted server, and to
    no other URL after a server has refused it.
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Show the fingerprints of the admin processes' certificates
  dbfleet.cluster.nuodb_connection_info:
    api_url: [server0, server1, server2]
    api_username: admin
    api_password: "{{ vault_nuodb_password }}"
"""

RETURN = r"""
urls:
  description:
    - Each URL.
    - C(trusted) is whether its certificate was accepted, through a CA or O(tls_fingerprint). It is null if this is
      unknown, for example if nothing answers, or with http.
    - C(role) contains the names of the user's roles. It is null if the domain doesn't return them, for example for a
      user with a client certificate, or for a user who may not read the users.
  returned: success
  type: list
  elements: dict
  sample:
    - url: https://server0:8888
      tls_fingerprint: 3fa9…
      trusted: true
      ok: true
      role: operators
problems:
  description: The problems, one sentence per URL.
  returned: success
  type: list
  elements: str
  sample: []
hints:
  description: The next steps to solve the problems.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils import _connection_check
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options, users
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.domain import has_quorum
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec({})


def run(task):
    """Checks each URL by itself."""

    def role(url):
        domain = connect(task, [url])
        if not has_quorum(domain.servers()):
            task.warn(
                f"{domain.name}: the AP at {url} is cut off from the majority of its peers, and can't change anything"
            )
        return users.role(domain, task.params["api_username"])

    def enough(_url, role):
        return users.role_is_enough_for(role)

    return _connection_check.report(task, connect(task).urls, role, enough)


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
