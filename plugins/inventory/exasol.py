# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: exasol
short_description: Make inventory hosts of Exasol clusters
version_added: 1.0.0
description:
  - Each cluster becomes a host that the runbooks of this collection can use directly. The plugin reads all clusters
    side by side, as M(dbfleet.cluster.exa_cluster_info) does, and changes nothing.
  - The name of the source file must end in C(exasol.yml) or C(exasol.yaml).
  - A cluster that can't be read is also a host, in the group C(unreachable). Its C(dbfleet_summary) gives the reason.
  - The data is in variables that begin with C(dbfleet_). No password gets into a variable or into the cache.
options:
  plugin:
    description: Marks the file as a source of this plugin.
    type: str
    required: true
    choices: [dbfleet.cluster.exasol]
  clusters:
    description:
      - The clusters. Each is the name of a profile, a pattern of such names (V(exa-*)), or a dictionary.
      - A dictionary has C(profile), or C(api_url), and other options of the connection, except the password. The
        password comes from the profile or from the environment (E(EXA_API_PASSWORD)).
      - It may also have C(name) (of the host; the default is the profile's name), C(vars)
        (more variables of the host), C(region)
        and C(license_servers).
      - A pattern leaves out a profile that can only be of NuoDB, and a profile that another item names.
      - The default is each profile that can only be of Exasol,
        because it has C(provider), C(rpc_format), C(json_rpc_path) or C(time_zone).
        A profile that can be of both products is then refused.
    type: list
    elements: raw
  profiles_path:
    description:
      - The file of profiles, of mode 0600 or encrypted with Ansible Vault. A relative path is relative to the folder
        of the source file.
      - Falls back to the environment variable E(EXA_PROFILES_PATH), and then to C(~/.config/dbfleet/profiles.yml).
    type: str
  hosts:
    description:
      - Objects of the clusters that also become hosts, named C(<cluster>-<node>). They have no connection of
        a cluster, and no group of a cluster.
    type: list
    elements: str
    choices: [nodes]
    default: []
  side_by_side:
    description: Clusters read at the same time.
    type: int
    default: 16
  timeout:
    description:
      - Most seconds per cluster. A cluster that takes longer counts as unreachable; it doesn't delay the others.
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
  - module: dbfleet.cluster.exa_cluster_info
  - module: dbfleet.cluster.fleet_info
"""

EXAMPLES = r"""
# A fleet.exasol.yml for all clusters with a profile named exa-something needs only these lines:
#
# plugin: dbfleet.cluster.exasol
# clusters: ['exa-*']
#
# A list with variables for the runbooks, and your own groups:
plugin: dbfleet.cluster.exasol
profiles_path: profiles.yml
clusters:
  - exa-prod
  - profile: exa-test
    region: eu-west
    vars:
      exa_log_service: logservice1
  - name: exa-lab
    api_url: [https://n10.lab.example.com]
    api_username: operator
    ca_path: /etc/ssl/company-ca.pem
hosts: [nodes]
strict: true
keyed_groups:
  - key: dbfleet_databases | default({})
    prefix: database
    separator: '_'
groups:
  needs_attention: dbfleet_state | default('up') != 'up'
compose:
  nodes_off: dbfleet_nodes | default({}) | dict2items | rejectattr('value', 'eq', 'online') | map(attribute='key')
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/dbfleet
cache_timeout: 300
"""

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.inventory import FleetInventory


class InventoryModule(FleetInventory):
    """Exasol clusters as hosts."""

    NAME = "dbfleet.cluster.exasol"
    PRODUCT = "exa"
