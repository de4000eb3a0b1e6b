#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_connection_info
short_description: Whether each URL of an Exasol cluster can be used, by whom, and with which certificate
version_added: 0.1.0
description:
  - Tries every URL in O(api_url) by itself, shows the fingerprint of its certificate, and the role of the user.
  - It reports what is wrong instead of failing at the first problem. The password is sent only to a server that is
    trusted.
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Which fingerprint has the self-signed certificate?
  dbfleet.cluster.exa_connection_info:
    api_url: https://license-server
    api_username: admin
    api_password: "{{ vault_exa_password }}"
"""

RETURN = r"""
urls:
  description: Each URL.
  returned: success
  type: list
  elements: dict
  sample:
    - url: https://license-server:443
      tls_fingerprint: 3fa9…
      ok: true
      role: Administrator
problems:
  description: What is wrong, one sentence a URL.
  returned: success
  type: list
  elements: str
  sample: []
hints:
  description: What to do about it.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import connection, options
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec({})


def run(task):
    """Every URL by itself."""
    urls = task.params["api_url"]
    if not urls:
        raise ClusterError(
            f"{task.params['cluster_name']}: no api_url is given (option api_url, a profile, or EXA_API_URL)"
        )
    found = connection.examine(urls, lambda url: options.connect(task, [url]), task.params["request_timeout"])
    for entry in found:
        task.say(f"[{task.params['cluster_name']}] {connection.words(entry)}")
    bad = [entry for entry in found if not entry["ok"]]
    return {
        "urls": found,
        "problems": [entry["problem"] for entry in bad],
        "hints": list(dict.fromkeys(entry["hint"] for entry in bad if entry["hint"])),
    }


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
