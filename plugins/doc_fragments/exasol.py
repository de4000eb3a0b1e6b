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
      - URLs of the cluster's EXAoperation, of any of its nodes. The first that answers is used.
      - C(https) is taken where no scheme is given. Credentials in a URL are refused.
      - Falls back to the environment variable E(EXA_API_URL) (comma-separated).
    type: list
    elements: str
  api_username:
    description:
      - The user. Status needs the role Supervisor, starting and stopping the role Administrator.
      - Falls back to the environment variable E(EXA_API_USERNAME).
    type: str
  api_password:
    description:
      - The user's password. Falls back to the environment variable E(EXA_API_PASSWORD).
    type: str
  provider:
    description:
      - The API that the cluster speaks. V(auto) asks it.
      - Falls back to the environment variable E(EXA_PROVIDER).
    type: str
    choices: [auto, exaoperation]
    default: auto
  validate_certs:
    description:
      - Whether the server's certificate is checked. For a self-signed one use O(tls_fingerprint) or O(ca_path)
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
      - PEM file of a client certificate. Falls back to the environment variable E(EXA_CLIENT_CERT).
    type: path
  client_key:
    description:
      - PEM file of its key. Falls back to the environment variable E(EXA_CLIENT_KEY).
    type: path
  tls_fingerprint:
    description:
      - SHA-256 fingerprint of the server's certificate. It pins a self-signed certificate, whatever its name and
        signer.
      - Falls back to the environment variable E(EXA_TLS_FINGERPRINT).
    type: str
  request_timeout:
    description:
      - Seconds that one answer may take. Falls back to the environment variable E(EXA_REQUEST_TIMEOUT).
    type: float
    default: 30
  profile:
    description:
      - A named connection in O(profiles_path), on the controller. Options of the task go before it, it goes before
        the environment.
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
requirements:
  - requests
"""
