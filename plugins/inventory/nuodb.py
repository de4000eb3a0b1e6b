# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: nuodb
short_description: Make inventory hosts of NuoDB domains
version_added: 1.0.0
description:
  - Each domain becomes a host that the runbooks of this collection can use directly. The plugin reads all domains side
    by side, as M(dbfleet.cluster.nuodb_domain_info) does, and changes nothing.
  - The name of the source file must end in C(nuodb.yml) or C(nuodb.yaml).
  - A domain that can't be read is also a host, in the group C(unreachable). Its C(dbfleet_summary) gives the reason.
  - The data is in variables that begin with C(dbfleet_). No password gets into a variable or into the cache.
options:
  plugin:
    description: Marks the file as a source of this plugin.
    type: str
    required: true
    choices: [dbfleet.cluster.nuodb]
  clusters:
    description:
      - The domains. Each is the name of a profile, a pattern of such names (V(nuo-*)), or a dictionary.
      - A dictionary has C(profile), or C(api_url), and other options of the connection, except the password. The
        password comes from the profile or from the environment (E(NUODB_API_PASSWORD)).
      - It may also have C(name) (of the host; the default is the profile's name), C(vars)
        (more variables of the host), C(region).
      - A pattern leaves out a profile that can only be of Exasol, and a profile that another item names.
      - The default is each profile that can only be of NuoDB,
        because it has C(verify_hostname).
        A profile that can be of both products is then refused.
    type: list
    elements: raw
  profiles_path:
    description:
      - The file of profiles, of mode 0600 or encrypted with Ansible Vault. A relative path is relative to the folder
        of the source file.
      - Falls back to the environment variable E(NUODB_PROFILES_PATH), and then to C(~/.config/dbfleet/profiles.yml).
    type: str
  hosts:
    description:
      - Objects of the domains that also become hosts, named C(<domain>-<server>)
        and C(<domain>-<database>-<sm or te>-<start ID>). They have no connection of
        a domain, and no group of a domain.
    type: list
    elements: str
    choices: [servers, processes]
    default: []
  side_by_side:
    description: Domains read at the same time.
    type: int
    default: 16
  timeout:
    description:
      - Most seconds per domain. A domain that takes longer counts as unreachable; it doesn't delay the others.
    type: float
    default: 60
extends_documentation_fragment:
  - constructed
  - inventory_cache
requirements:
  - urllib3 2.0 or newer
author:
  - dbfleet contributors (@dbfleet)
seealso:
  - module: dbfleet.cluster.nuodb_domain_info
  - module: dbfleet.cluster.fleet_info
"""

EXAMPLES = r"""
# A fleet.nuodb.yml for all domains with a profile named nuo-something needs only these lines:
#
# plugin: dbfleet.cluster.nuodb
# clusters: ['nuo-*']
#
# A list with variables for the runbooks, and the servers as hosts for SSH:
plugin: dbfleet.cluster.nuodb
clusters:
  - profile: nuo-prod
    region: eu-west
    vars:
      nuodb_databases:
        - name: shop
          te_server_ids: [server0, server1]
  - name: nuo-test
    api_url: [server0.test.example.com, server1.test.example.com]
    client_cert: /etc/nuodb/keys/operator.pem
    ca_path: /etc/nuodb/keys/ca.cert
hosts: [servers, processes]
keyed_groups:
  - key: dbfleet_object_labels.zone
    prefix: zone
"""

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.inventory import FleetInventory


class InventoryModule(FleetInventory):
    """NuoDB domains as hosts."""

    NAME = "dbfleet.cluster.nuodb"
    PRODUCT = "nuodb"
