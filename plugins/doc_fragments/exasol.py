# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an Exasol cluster is reached."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every Exasol module."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - URLs of the cluster's EXAoperation or ConfD, of any of its nodes. The first that answers is used; ConfD's nodes
        name their master, which is used then. Name several, for any of them may be down.
      - C(https) is taken where no scheme is given, and for ConfD the ports 443 and 20003 where no port is. Credentials
        in a URL are refused.
      - Falls back to the environment variable E(EXA_API_URL) (comma-separated).
    type: list
    elements: str
  api_username:
    description:
      - The user. With EXAoperation, status needs the role Supervisor, starting and stopping the role Administrator.
        With ConfD, runbooks need the group exaadm or root; exadbadm is enough for databases.
      - Falls back to the environment variable E(EXA_API_USERNAME).
    type: str
  api_password:
    description:
      - The user's password.
      - Falls back to the environment variable E(EXA_API_PASSWORD).
    type: str
  provider:
    description:
      - The API that the cluster speaks. V(auto) asks it, which takes a few calls more for ConfD in each task.
      - Falls back to the environment variable E(EXA_PROVIDER).
    type: str
    choices: [auto, exaoperation, confd]
    default: auto
  validate_certs:
    description:
      - Whether the server's certificate is checked. For a self-signed one use O(tls_fingerprint) or O(ca_path) instead
        of V(false).
      - Falls back to the environment variable E(EXA_VALIDATE_CERTS).
    type: bool
    default: true
  ca_path:
    description:
      - PEM file of the CA that signed the server's certificate.
      - Falls back to the environment variable E(EXA_CA_PATH).
    type: path
  client_cert:
    description:
      - PEM file of the client certificate, where the cluster asks for one. It may hold the key too.
      - Falls back to the environment variable E(EXA_CLIENT_CERT).
    type: path
  client_key:
    description:
      - PEM file of its key, where that isn't in the file of O(client_cert).
      - Falls back to the environment variable E(EXA_CLIENT_KEY).
    type: path
  tls_fingerprint:
    description:
      - SHA-256 fingerprint of the server's certificate. It pins a self-signed certificate, whatever its name and
        signer.
      - Falls back to the environment variable E(EXA_TLS_FINGERPRINT).
    type: str
  rpc_format:
    description:
      - How calls of ConfD are written. That it speaks JSON is documented, how is not; V(json) is JSON-RPC 2.0 and
        untried on a server.
      - Falls back to the environment variable E(EXA_RPC_FORMAT).
    type: str
    choices: [xml, json]
    default: xml
  json_rpc_path:
    description:
      - Where ConfD takes JSON. Not documented either, so it is a setting.
      - Falls back to the environment variable E(EXA_JSON_RPC_PATH).
    type: str
    default: /json
  time_zone:
    description:
      - The cluster's time zone (C(Europe/Berlin)), for times that its API takes and tells without one. Where it
        isn't given, a time is only sent as it was written.
      - Falls back to the environment variable E(EXA_TIME_ZONE).
    type: str
  request_timeout:
    description:
      - Seconds that one answer may take.
      - Falls back to the environment variable E(EXA_REQUEST_TIMEOUT).
    type: float
    default: 30
  profile:
    description:
      - A named connection in O(profiles_path), on the controller. Options of the task go before it, it goes before the
        environment.
      - It may inherit other profiles and the defaults of its file, and have values from lookups.
      - Falls back to the environment variable E(EXA_PROFILE).
    type: str
  profiles_path:
    description:
      - The YAML file of profiles, V(~/.config/dbfleet/profiles.yml) where nothing is said. Encrypted with Ansible
        Vault, or of mode 0600.
      - Falls back to the environment variable E(EXA_PROFILES_PATH).
    type: path
  cluster_name:
    description:
      - What messages call the cluster. The inventory name of the host where nothing is said.
    type: str
attributes:
  action_group:
    description: Use C(group/dbfleet.cluster.exasol) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - dbfleet.cluster.exasol
notes:
  - A list may be given as a text, with commas or one item per line, and seconds as V(20m), V(1h30m) or V(90s). An empty
    text is not given, for options and the environment alike.
requirements:
  - urllib3 2.0 or newer
"""
