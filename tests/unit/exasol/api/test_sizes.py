# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes as texts and in bytes."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.sizes import size_of, size_text
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import GIB


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10 GiB", 10 * GIB), ("1.5GiB", 3 * GIB // 2), (" 512 mib ", GIB // 2), ("7 B", 7), ("2 TiB", 2048 * GIB),
        ("10", None), ("10 GB", None), ("-1 GiB", None), ("1.0000001 KiB", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_sizes(text, count):
    assert size_of(text) == count
    if count is not None:
        assert size_of(size_text(count)) == count


def test_size_texts():
    assert [size_text(count) for count in (10 * GIB, 1536, 1537, 0, None)] == [
        "10 GiB", "1536 B", "1537 B", "0 B", "of unknown size",
    ]  # fmt: skip
