#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_connection_info
short_description: Check each URL of an Exasol cluster, its certificate and the user's role
version_added: 1.0.0
description:
  - Tries every URL in O(api_url) separately, and returns the fingerprint of its certificate and the role of the user.
  - It reports all problems instead of failing at the first one. It sends the password only to a trusted server. Once a
    server has refused the password, it sends it to no other URL.
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Show the fingerprint of a self-signed certificate
  dbfleet.cluster.exa_connection_info:
    api_url: https://license-server
    api_username: admin
    api_password: "{{ vault_exa_password }}"
"""

RETURN = r"""
urls:
  description:
    - Each URL.
    - C(trusted) is whether its certificate was accepted, through a CA or O(tls_fingerprint). It is null if this is
      unknown, for example if nothing answers, or with http.
  returned: success
  type: list
  elements: dict
  sample:
    - url: https://license-server:443
      tls_fingerprint: 3fa9…
      trusted: true
      ok: true
      role: Administrator
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
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options, report
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect, given_urls
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec({})


def run(task):
    """Checks each URL by itself."""
    clusters = {}

    def role(url):
        clusters[url] = connect(task, [url])
        try:
            return clusters[url].rights()
        except ClusterError as error:
            raise report.doubted(task, error) from None

    def enough(url, role):
        return report.role_is_enough_for(clusters[url], role)

    return _connection_check.report(task, given_urls(task), role, enough)


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
