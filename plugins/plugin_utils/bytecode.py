# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads this collection's own files from Python's bytecode cache.

ansible-core's loader of collections compiles each file anew in each process (2.16 to 2.21), which was half of the time
that this collection took to load. Python's own loader compiles a file once and keeps the result in C(__pycache__)
beside it, if it may write there.

No import of a plugin may change how Python imports. So a run of C(ansible-playbook) calls this when it begins a play of
this collection; other programs that load these files compile them as before.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Optional

COLLECTION = __name__.rpartition(".plugin_utils.")[0]

FOLDERS = tuple(f"{COLLECTION}.{folder}." for folder in ("module_utils", "modules", "plugin_utils"))
"""The beginnings of the names of modules that are loaded in this way."""


@cache
def finder_of(folder: str) -> FileFinder:
    return FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))


class OwnFiles:
    """Finds this collection's own files, before ansible-core does."""

    @staticmethod
    def find_spec(
        name: str, path: Optional[Sequence[str]] = None, _target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        """Where a module is loaded from; None for modules of others, and for a folder without C(__init__.py)."""
        if not path or not name.startswith(FOLDERS):
            return None
        specs = (finder_of(folder).find_spec(name) for folder in path)
        return next((spec for spec in specs if spec is not None and spec.loader is not None), None)


def use() -> None:
    """Uses this finder from now on. ansible-core has put its own finder first before it loads any plugin."""
    if OwnFiles not in sys.meta_path:
        sys.meta_path.insert(0, OwnFiles)
