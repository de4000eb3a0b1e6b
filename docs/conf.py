# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx makes a site of the documentation (`make docs`). Its source is a copy of the files, with the reference."""

from __future__ import annotations

import re
from typing import Any, Optional

from docutils import nodes

project = "dbfleet.cluster"
author = "dbfleet.cluster contributors"
copyright = author  # noqa: A001 (as Sphinx calls it)
antsibull_ext_color_scheme = "none"  # theme/site.css has them, for the theme's own switch between light and dark

extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx_copybutton", "sphinx_design"]
root_doc = "docs/index"
include_patterns = ["*.md", "CHANGELOG.rst", "docs/**", "roles/*/README.md", "findings/README.md"]
exclude_patterns = ["docs/examples/**", "docs/theme/**"]
html_theme = "furo"
html_title = project
html_static_path = ["theme"]
html_css_files = ["site.css"]
html_favicon = html_logo = "theme/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": {
        "color-brand-primary": "#0a5ca8",
        "color-brand-content": "#0a5ca8",
        "color-brand-visited": "#5b3f9e",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cb6ff",
        "color-brand-content": "#6cb6ff",
        "color-brand-visited": "#c3a6ff",
        "color-foreground-primary": "#dee4ea",
    },
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-dark"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = False
highlight_language = "text"  # where a block doesn't say what it is

# The files are read on a Git server, too: headings down to this level are anchors as it makes them.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

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


REFERENCE = "docs/collection/"

CONTENTS = re.compile(r"^\.\. contents::\n(?:   .*\n)+", re.MULTILINE)
"""The theme has the page's contents at its side, and shows an error where they are on the page as well."""

NOTE = re.compile(r"^(\.\. Collection note\n\n)\.\. note::\n(?:    .*\n|\n)+", re.MULTILINE)
"""How to install it from Galaxy, on each page."""

NOWHERE = re.compile(r"^\.\. ansible-links::\n\n(?:  .*\n)*?    url: \".*\.invalid.*\"\n(?:    .*\n)*", re.MULTILINE)
"""A button to an address that isn't there: galaxy.yml must have one."""

TITLE = re.compile(r"^(dbfleet\.cluster\.(\w+)) (\w+) -- (.*)\n\++\n", re.MULTILINE)
"""Name, kind and the whole summary, which is too long for a menu and for a phone."""


def _headed(found: re.Match[str]) -> str:
    name, short, kind, summary = found.groups()
    title = f"{short} {kind}"
    return f"{title}\n{'+' * len(title)}\n\n.. rst-class:: lead\n\n{summary}\n\nFull name: ``{name}``\n"


def of_the_reference(_app: Any, name: str, source: list[str]) -> None:
    """A page that antsibull-docs has made, as it is shown here."""
    if not name.startswith(REFERENCE):
        return
    text = NOTE.sub(r"\1", CONTENTS.sub("", source[0]))
    text = TITLE.sub(_headed, text)
    if name == f"{REFERENCE}index":
        text = text.replace(f"Dbfleet.Cluster\n{'=' * 15}\n", f"Modules, roles and plugins\n{'=' * 26}\n")
        text = NOWHERE.sub("", text)
        text += "\n.. toctree::\n   :hidden:\n   :glob:\n\n   *\n"
    source[0] = text


def setup(app: Any) -> None:
    """Sphinx calls it."""
    app.connect("missing-reference", of_ansible)
    app.connect("source-read", of_the_reference)
