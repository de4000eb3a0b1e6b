#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_log_info
short_description: Read the messages of an EXAoperation log service
version_added: 1.0.0
description:
  - Returns the messages of a log service that match the filters, oldest first.
options:
  log_service:
    description:
      - Name of the log service.
    type: str
    default: logservice1
  since:
    description:
      - Only messages from this time on, in the log service's format (C(2026-01-31 23:59:59)), or the beginning of such
        a time.
    type: str
  level:
    description:
      - Only messages of this priority and above.
    type: str
    choices: [Information, Notice, Warning, Error]
    default: Information
  pattern:
    description:
      - Only messages that match this Python regular expression.
    type: str
  nodes:
    description:
      - Only messages of these nodes.
    type: list
    elements: str
    default: []
  databases:
    description:
      - Only messages of these databases (C(system) of a message).
    type: list
    elements: str
    default: []
  limit:
    description:
      - Return only this number of the newest messages. V(0) means no limit.
    type: int
    default: 0
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Show warnings and errors since yesterday evening
  dbfleet.cluster.exa_log_info:
    since: "2026-01-30 18:00"
    level: Warning

- name: Show which nodes have booted
  dbfleet.cluster.exa_log_info:
    pattern: Boot process finished
"""

RETURN = r"""
entries:
  description: The messages, oldest first.
  returned: success
  type: list
  elements: dict
  sample:
    - strtime: "2026-01-31 23:59:59"
      priority: Information
      system: ""
      node: n0011
      message: Boot process finished after 91 seconds
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: success
  type: int
  sample: 1
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import log, options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "log_service": {"type": "str", "default": "logservice1"},
        "since": {"type": "str"},
        "level": {"type": "str", "choices": list(log.PRIORITIES), "default": "Information"},
        "pattern": {"type": "str"},
        "nodes": {"type": "list", "elements": "str", "default": []},
        "databases": {"type": "list", "elements": "str", "default": []},
        "limit": {"type": "int", "default": 0},
    }
)


def run(task):
    """Reads the messages that pass the filters."""
    given = task.params
    cluster = connect(task)
    passes = log.message_filter(given["since"], given["level"], given["pattern"], given["nodes"], given["databases"])
    found = [entry for entry in log.Log(cluster, given["log_service"]).entries(fresh=60) if passes(entry)]
    return {"entries": found[-given["limit"] :] if given["limit"] else found, "api_calls": cluster.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
