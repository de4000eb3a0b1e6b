# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo, as a show: one product after the other, a failure that is resumed, a death that is recovered, a table."""

from __future__ import annotations

import re
from typing import Any


def test_what_a_newcomer_sees(ansible: Any) -> None:
    compact = {"ANSIBLE_STDOUT_CALLBACK": "dbfleet.cluster.compact"}
    run = ansible.run("demo", {}, "-e", "demo_clock=seconds:0.002", environment=compact).ok()
    shown = [
        r"^\[localhost\] This is a rehearsal",
        r"500 times faster than on real ones",
        r"^\[exa-demo\] 1. EXASOL",
        r"^\[exa-demo\]   nodes .* failed here",
        r"^\[exa-demo\] cause: exa-demo: nodes: not online after 5 s: n0013 is booting",
        r"^\[exa-demo\] resume: ansible-playbook .*dbfleet.cluster.exa_cold_start .*-e target=exa-demo",
        r"^\[exa-demo\] nodes: would startupNode \(offline -> online\): n0013$",
        r"^\[exa-demo\] exa_cold_start: ok",
        r"^\[exa-demo\] exa_graceful_shutdown: ok",
        r"^\[nuo-demo\] 2. NUODB",
        r"^\[nuo-demo\] nuodb_cold_start: ok",
        r"^\[nuo-demo\] found: shop runs on 1 of 2 archives",
        r"^\[nuo-demo\] nuodb_recover: ok",
        r"^\[nuo-demo\] nuodb_graceful_shutdown: ok",
        r"^\[localhost\] The simulator saw no safety rule broken.",
        r"Exasol: cold start, resumed +ok +[0-9.]+ s",
        r"NuoDB: graceful shutdown +ok +[0-9.]+ s",
        r"/reports/index.html$",
        r"TRY NEXT",
    ]  # fmt: skip
    lines = iter(run.out.splitlines())
    for pattern in shown:  # in this order
        assert any(re.search(pattern, line) for line in lines), f"no {pattern} behind what comes before it:\n{run.out}"
    assert not run.lines("before the shutdown of")
