# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the diagrams in docs/images, and docs/order.md's tables of guards, from what they show.

`tests/unit/repository/test_pictures.py` holds them. Pictures of a run are drawn by `demo_picture.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.gates import order_diagrams, overviews
from ansible_collections.dbfleet.cluster.tests.gates.runbook_docs import between

ROOT = Path(__file__).resolve().parents[2]

ORDER = "docs/order.md"

MEND = "make pictures"


def files() -> dict[str, str]:
    """All that the script writes: path -> text."""
    found = {f"docs/images/order_{name}.svg": order_diagrams.diagram(name) for name in order_diagrams.GUARDS}
    found["docs/images/overview.svg"] = overviews.overview()
    found["docs/images/architecture.svg"] = overviews.architecture()
    text = (ROOT / ORDER).read_text(encoding="utf-8")
    for name in order_diagrams.GUARDS:
        text = between(text, ORDER, f"guards of {name}", order_diagrams.table(RUNBOOKS[name]), MEND)
    return {**found, ORDER: text}


def main() -> int:
    """Writes them."""
    for path, text in files().items():
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
