# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: nuodb
short_description: NuoDB domains as inventory hosts, read side by side
version_added: 1.0.0
description:
  - Each domain becomes a host that the runbooks of this collection take as it is. It is read as
    M(dbfleet.cluster.nuodb_domain_info) does, and nothing of it is changed.
  - The source file ends in C(nuodb.yml) or C(nuodb.yaml).
  - A domain that can't be read is a host as well, in the group C(unreachable). Its C(dbfleet_summary) says why.
  - What was read is in variables that begin with C(dbfleet_). No password gets into a variable or into the cache.
options:
  plugin:
    description: Marks the file as a source of this plugin.
    type: str
    required: true
    choices: [dbfleet.cluster.nuodb]
  clusters:
    description:
      - The domains. Each is the name of a profile, a pattern of such names (V(nuo-*)), or a dictionary.
      - A dictionary has C(profile), or C(api_url), and other options of the connection, but for the password. That is
        taken from the profile or from the environment (E(NUODB_API_PASSWORD)).
      - Beside them it may have C(name) (what the host is called; the profile's name where nothing is given), C(vars)
        (more variables of the host), C(region).
      - A pattern takes no profile that can only be of Exasol, and none that another item names.
      - Where nothing is given, it is each profile that can only be of NuoDB,
        for it has C(verify_hostname).
        A profile that can be of both products is refused then.
    type: list
    elements: raw
  profiles_path:
    description:
      - The file of profiles, of mode 0600 or encrypted with Ansible Vault. A relative path counts from the folder of
        the source file.
      - Falls back to the environment variable E(NUODB_PROFILES_PATH), and then to C(~/.config/dbfleet/profiles.yml).
    type: str
  hosts:
    description:
      - Objects of the domains that become hosts too, called C(<domain>-<server>)
        and C(<domain>-<database>-<sm or te>-<start ID>). They have no connection of
        a domain, and no group that a domain is in.
    type: list
    elements: str
    choices: [servers, processes]
    default: []
  side_by_side:
    description: Domains that are read at a time.
    type: int
    default: 16
  timeout:
    description:
      - Seconds in which a domain must have told how it is; else it counts as unreachable. It holds up no other.
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
# fleet.nuodb.yml: all domains that have a profile called nuo-something
plugin: dbfleet.cluster.nuodb
clusters: ['nuo-*']

---
# A list, with what the runbooks want to know; and the servers as hosts that SSH reaches
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
