# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of servers, each in a file, in the form in which a source shows it. README.md says what a file holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PLACE = Path(__file__).resolve().parent

SERVERS = {"eao": "EXAoperation", "confd": "ConfD", "nuodb": "NuoDB's admin process"}
"""Who answers, by the folder of the files."""


@dataclass(frozen=True)
class Seen:
    """One file.

    :ivar name: folder and name of the file, without its ending.
    :ivar call: the vendor's name of the call.
    :ivar version: of the product, as the source tells it.
    :ivar form: what is special about this answer, in a few words.
    :ivar facts: numbers of docs/sources that tell where it comes from.
    :ivar read: ``path::name`` of the function or the class that reads it.
    :ivar answer: as the client's library hands it out.
    """

    name: str
    call: str
    version: str
    form: str
    facts: list[str]
    read: str
    answer: Any


def seen(name: str) -> Seen:
    """What the file of this name holds.

    :param name: as ``confd/db_info_lost_redundancy``.
    """
    return Seen(name, **yaml.safe_load((PLACE / f"{name}.yml").read_text(encoding="utf-8")))


def answer(name: str) -> Any:
    """The answer alone, anew for each caller."""
    return seen(name).answer


def all_seen() -> list[Seen]:
    """Every file, in the order of its name."""
    return [seen(path.relative_to(PLACE).with_suffix("").as_posix()) for path in sorted(PLACE.glob("*/*.yml"))]
