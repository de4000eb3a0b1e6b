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
      - URLs of the cluster's EXAoperation or ConfD, of any of its nodes. The first that answers is used. With ConfD, it
        names the master, and the calls go to the master. Name several nodes, because any of them may be down.
      - The default scheme is C(https). Without a port, ConfD is tried at 443 and 20003. Credentials in a URL are
        refused.
      - Falls back to the environment variable E(EXA_API_URL) (comma-separated).
    type: list
    elements: str
  api_username:
    description:
      - The user. With EXAoperation, reading needs the role Supervisor, starting and stopping the role Administrator.
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
      - The API of the cluster. V(auto) detects it, which needs a few more calls per task with ConfD.
      - Falls back to the environment variable E(EXA_PROVIDER).
    type: str
    choices: [auto, exaoperation, confd]
    default: auto
  validate_certs:
    description:
      - Whether the server's certificate is checked. For a self-signed certificate use O(tls_fingerprint) or O(ca_path)
        instead of V(false).
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
      - PEM file of the client certificate, if the cluster requires one. It may also contain the key.
      - Falls back to the environment variable E(EXA_CLIENT_CERT).
    type: path
  client_key:
    description:
      - PEM file of its key, if the key isn't in the file of O(client_cert).
      - Falls back to the environment variable E(EXA_CLIENT_KEY).
    type: path
  tls_fingerprint:
    description:
      - SHA-256 fingerprint of the server's certificate. It pins a self-signed certificate. Without O(ca_path), the name
        and the signer of the certificate don't matter then.
      - Falls back to the environment variable E(EXA_TLS_FINGERPRINT).
    type: str
  rpc_format:
    description:
      - The format of ConfD calls. The documents mention JSON, but not its form. V(json) is JSON-RPC 2.0 and was never
        tried on a real server.
      - Falls back to the environment variable E(EXA_RPC_FORMAT).
    type: str
    choices: [xml, json]
    default: xml
  json_rpc_path:
    description:
      - Path of the JSON-RPC endpoint. It is undocumented, so test it first.
      - Falls back to the environment variable E(EXA_JSON_RPC_PATH).
    type: str
    default: /json
  time_zone:
    description:
      - The cluster's time zone (C(Europe/Berlin)), for the times that its API sends and takes without a zone. Without
        this option, a time is sent exactly as written.
      - Falls back to the environment variable E(EXA_TIME_ZONE).
    type: str
  request_timeout:
    description:
      - Most seconds per answer.
      - Falls back to the environment variable E(EXA_REQUEST_TIMEOUT).
    type: float
    default: 30
  profile:
    description:
      - A named connection in O(profiles_path), on the controller. Options of the task take precedence over the profile,
        and the profile takes precedence over the environment.
      - It may inherit other profiles and the defaults of its file, and may contain lookups.
      - Falls back to the environment variable E(EXA_PROFILE).
    type: str
  profiles_path:
    description:
      - The YAML file of profiles. The default is V(~/.config/dbfleet/profiles.yml). It must have mode 0600 or be
        encrypted with Ansible Vault.
      - Falls back to the environment variable E(EXA_PROFILES_PATH).
    type: path
  cluster_name:
    description:
      - The name of the cluster in messages. The default is the inventory name of the host.
    type: str
attributes:
  action_group:
    description: Use C(group/dbfleet.cluster.exasol) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - dbfleet.cluster.exasol
notes:
  - You can write a list as text, with commas or one item per line, and seconds as V(20m), V(1h30m) or V(90s). An empty
    text means that the option isn't given, also in the environment.
requirements:
  - urllib3 2.0 or newer
"""
