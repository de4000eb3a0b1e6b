# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx makes a site of the documentation (`make docs`). Its source is a copy of the files, with the reference."""

from __future__ import annotations

from typing import Any, Optional

from docutils import nodes

project = "dbfleet.cluster"
author = "dbfleet contributors"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "docs/index"
include_patterns = ["*.md", "CHANGELOG.rst", "docs/**", "roles/*/README.md", "findings/README.md"]
exclude_patterns = ["docs/examples/**"]
html_theme = "furo"
html_title = project
highlight_language = "text"  # where a block doesn't say what it is

# The files are read on a Git server, too: headings down to this level are anchors as it makes them.
myst_heading_anchors = 4

ANSIBLE = "https://docs.ansible.com/ansible/latest"
PAGES = {
    "action_plugins": "plugins/action.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
}
"""Where Ansible's own documentation has what the reference names. Its index would have to be fetched for each build."""

BUILTIN = "ansible_collections.ansible.builtin."


def of_ansible(_app: Any, _env: Any, node: Any, content: Any) -> Optional[Any]:
    """The link for a label of Ansible's documentation; None for any other, which then is the error that it is."""
    target = node.get("reftarget", "")
    page = PAGES.get(target)
    if target.startswith(BUILTIN):
        page = f"collections/ansible/builtin/{target.removeprefix(BUILTIN)}.html"
    return nodes.reference("", "", content, internal=False, refuri=f"{ANSIBLE}/{page}") if page else None


def setup(app: Any) -> None:
    """Sphinx calls it."""
    app.connect("missing-reference", of_ansible)
