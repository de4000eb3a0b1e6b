#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile
short_description: Add a connection to the file of profiles
version_added: 1.0.0
description:
  - Adds a profile to the file with the connections of this collection's modules (O(path)). It runs on the controller,
    and calls no cluster.
  - The present contents of the file stay unchanged, including comments. If the file has a profile of the same name with
    other contents, the task fails and changes nothing.
  - A file that is encrypted with Ansible Vault is decrypted and encrypted with the secrets of the play. Its plain text
    is never written to a file.
options:
  name:
    description:
      - The profile's name.
    type: str
    required: true
  path:
    description:
      - The file. If it doesn't exist, it is made with mode 0600, and its folder with mode 0700.
    type: path
    default: ~/.config/dbfleet/profiles.yml
  vaulted:
    description:
      - Whether a new file is encrypted, with the first vault secret of the play. An existing file isn't encrypted or
        decrypted; with V(true), the task fails if the existing file isn't encrypted.
    type: bool
    default: false
  connection:
    description:
      - The options of the connection without the password, with the names of the modules' options (C(api_url),
        C(tls_fingerprint)). Options without a value are left out.
    type: dict
    required: true
  api_password:
    description:
      - The password, if the connection has one.
    type: str
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: none
  action:
    description: Runs on the controller.
    support: full
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Add the connection of exa-prod
  dbfleet.cluster.profile:
    name: exa-prod
    connection:
      api_url: [https://license-server.example.com, https://n11.example.com]
      api_username: operator
      ca_path: /etc/ssl/company-ca.pem
    api_password: "{{ exa_prod_password }}"
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /home/dba/.config/dbfleet/profiles.yml
vaulted:
  description: Whether it is encrypted.
  returned: success
  type: bool
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "path": {"type": "path", "default": "~/.config/dbfleet/profiles.yml"},
        "vaulted": {"type": "bool", "default": False},
        "connection": {"type": "dict", "required": True},
        "api_password": {"type": "str", "no_log": True},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work. A module alone can't do it."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="profile is an action: call it as dbfleet.cluster.profile in a play [DBF-7014]")


if __name__ == "__main__":
    main()
