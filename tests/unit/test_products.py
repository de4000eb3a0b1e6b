# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tells the two products apart."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.products import of_playbooks


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [
        (["dbfleet.cluster.nuodb_cold_start"], ["nuodb"]),
        (["/runner/project/playbooks/exa_graceful_shutdown.yml", "exa_cold_start.yaml"], ["exa"]),
        (["nuodb_recover.yml", "exa_cold_start.yml"], ["nuodb", "exa"]),
        (["nuodb_recover.yml", "site.yml"], ["exa", "nuodb"]),
        (["exasol.yml"], ["exa", "nuodb"]),
        ([], ["exa", "nuodb"]),
    ],
)
def test_a_playbook_tells_its_product_by_its_name(paths, wanted):
    assert of_playbooks(paths) == wanted


LOADS = """
import sys
from argparse import Namespace
from ansible import context
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
context._init_global_context(Namespace(args=["dbfleet.cluster.%s_cold_start"]))
from ansible_collections.dbfleet.cluster.plugins.action import runbook
from ansible_collections.dbfleet.cluster.plugins.filter import condition
print(*sys.modules)
"""


@pytest.mark.parametrize(("product", "mine", "others"), [("nuodb", "_nuodb", "_exasol"), ("exa", "_exasol", "_nuodb")])
def test_a_run_loads_its_own_product(product, mine, others):
    """Ansible's loader keeps no bytecode: each file that a run has no use for costs every run its compilation."""
    loads = LOADS % product
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout.split()
    wings = {name.partition("module_utils.")[2] for name in loaded if "module_utils._" in name}
    assert f"{mine}.report" in wings
    assert f"{others}.report" not in wings
    assert f"{others}.connect" not in wings
    assert "ansible.module_utils.urls" not in loaded
