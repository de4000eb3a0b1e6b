# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a NuoDB domain is reached."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every NuoDB module."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - URLs of the domain's admin processes (APs), of any of its servers. The first that answers is used. An AP that is
        cut off from its peers is skipped.
      - The defaults are C(https) and port 8888. Credentials in a URL are refused.
      - Falls back to the environment variables E(NUODB_API_URL) (comma-separated) and E(NUOCMD_API_SERVER).
    type: list
    elements: str
  api_username:
    description:
      - The user, if the domain asks for a user name and a password. It needs the right to every request of the task.
      - Falls back to the environment variables E(NUODB_API_USERNAME) and E(NUOCMD_BASIC_CREDS) (before the colon).
    type: str
  api_password:
    description:
      - The user's password.
      - Falls back to the environment variables E(NUODB_API_PASSWORD) and E(NUOCMD_BASIC_CREDS) (after the colon).
    type: str
  validate_certs:
    description:
      - Whether the server's certificate is checked. For a self-signed certificate use O(tls_fingerprint) or O(ca_path)
        instead of V(false).
      - Falls back to the environment variable E(NUODB_VALIDATE_CERTS).
    type: bool
    default: true
  verify_hostname:
    description:
      - Whether the server's certificate must match the URL's host name. V(false) accepts any name that the CA signed.
      - Falls back to the environment variable E(NUODB_VERIFY_HOSTNAME).
    type: bool
    default: true
  ca_path:
    description:
      - PEM file of the CA that signed the server's certificate.
      - Falls back to the environment variables E(NUODB_CA_PATH) and E(NUOCMD_VERIFY_SERVER).
    type: path
  client_cert:
    description:
      - PEM file of the client certificate, if the domain requires one. It may also contain the key.
      - Falls back to the environment variables E(NUODB_CLIENT_CERT) and E(NUOCMD_CLIENT_KEY) (before the comma).
    type: path
  client_key:
    description:
      - PEM file of its key, if the key isn't in the file of O(client_cert).
      - Falls back to the environment variables E(NUODB_CLIENT_KEY) and E(NUOCMD_CLIENT_KEY) (after the comma).
    type: path
  tls_fingerprint:
    description:
      - SHA-256 fingerprint of the server's certificate. It pins a self-signed certificate. Without O(ca_path), the name
        and the signer of the certificate don't matter then.
      - Falls back to the environment variable E(NUODB_TLS_FINGERPRINT).
    type: str
  request_timeout:
    description:
      - Most seconds per answer.
      - Falls back to the environment variable E(NUODB_REQUEST_TIMEOUT).
    type: float
    default: 30
  profile:
    description:
      - A named connection in O(profiles_path), on the controller. Options of the task take precedence over the profile,
        and the profile takes precedence over the environment.
      - It may inherit other profiles and the defaults of its file, and may contain lookups.
      - Falls back to the environment variable E(NUODB_PROFILE).
    type: str
  profiles_path:
    description:
      - The YAML file of profiles. The default is V(~/.config/dbfleet/profiles.yml). It must have mode 0600 or be
        encrypted with Ansible Vault.
      - Falls back to the environment variable E(NUODB_PROFILES_PATH).
    type: path
  cluster_name:
    description:
      - The name of the domain in messages. The default is the inventory name of the host.
    type: str
attributes:
  action_group:
    description: Use C(group/dbfleet.cluster.nuodb) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - dbfleet.cluster.nuodb
notes:
  - You can write a list as text, with commas or one item per line, and seconds as V(20m), V(1h30m) or V(90s). An empty
    text means that the option isn't given, also in the environment.
requirements:
  - urllib3 2.0 or newer
"""
