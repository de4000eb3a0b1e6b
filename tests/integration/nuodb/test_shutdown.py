# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook nuodb_graceful_shutdown: its order, its proof, its refusals and their overrides."""

from __future__ import annotations

from domains import connection, database, die, domain, down, running, start_ids, steps_of
from world import in_order, until

UP = {"shop": database(up=True)}
PHASES = ("A hot copy is complete", "Every database is stopped", "The admin processes are stopped")


def copying(simulator, name):
    """A hot copy runs."""
    (start_id, *_others) = start_ids(simulator, name, engine_type="SM")
    connection(simulator, name).hotcopy_database("shop", "full", default_backup_dir="/backup/other")
    del start_id
    simulator.admin("/calls", method="DELETE", cluster=name)


def silent(simulator, name):
    return all(row["state"] != "ACTIVE" for row in simulator.state(name)["servers"].values())


def test_order_proof_and_second_run(simulate, ansible):
    """A whole domain with a hot copy first; the answer to the very last call is lost with the connection."""
    two = {"shop": database(up=True), "hr": database(["server2"], ["server1"], up=True)}
    leader = {f"server{n}": {"role": "LEADER" if n == 1 else "FOLLOWER"} for n in range(3)}
    simulator = simulate(domain("nuo-prod", databases=two, servers=3) | {"servers": leader})
    simulator.fault("reset_after", method="POST peers/shutdown", object="server1")
    hosts = simulator.inventory(
        nuodb_graceful_shutdown_servers=True,
        nuodb_graceful_shutdown_hotcopy={"shop": {"default_backup_dir": "/backup/shop"}},
    )
    preview = ansible.run("nuodb_graceful_shutdown", hosts, "--check").ok()
    assert simulator.changes() == []

    run = ansible.run("nuodb_graceful_shutdown", hosts, variables={"confirm": "nuo-prod"}).ok()
    changes = simulator.changes()
    in_order(
        changes,
        ["POST databases/hotCopy shop"],
        ["POST databases/shutdown shop", "POST databases/shutdown hr"],
        ["POST peers/shutdown server0", "POST peers/shutdown server2"],
        ["POST peers/shutdown server1"],
    )
    assert len(changes) == 6
    assert down(simulator)
    assert silent(simulator, "nuo-prod")
    stones = simulator.state()["tombstones"].values()
    assert {row["exit_code"] for row in stones} == {0}
    assert len(stones) == 6
    assert list(run.custom["nuo-prod"]["phases"]) == ["preflight", "backup", "databases", "servers"]
    for phase in PHASES:
        assert steps_of(preview, phase, "nuo-prod") == steps_of(run, phase, "nuo-prod") != [], phase

    simulator.forget()
    again = ansible.run("nuodb_graceful_shutdown", hosts, variables={"confirm": "nuo-prod"}).failed()
    (cause,) = set(again.failures())
    assert cause.startswith("nuo-prod: ")
    assert "unreachable or already down" in cause
    assert "nuodb_graceful_shutdown_unreachable=down" in cause
    expected = {"confirm": "nuo-prod", "nuodb_graceful_shutdown_unreachable": "down"}
    assert ansible.run("nuodb_graceful_shutdown", hosts, variables=expected).ok().changed() == 0
    assert simulator.changes() == []


def test_what_stands_against_it(simulate, ansible):
    """Each domain in another condition, all in one run; the process of one dies meanwhile."""
    slow = {"timing": {"hotcopy": 600}}
    conditions = {
        "copying": domain("copying", databases=UP, **slow),
        "patient": domain("patient", databases=UP, timing={"hotcopy": 12}),
        "cancelling": domain("cancelling", databases=UP, **slow),
        "crashed": domain("crashed", databases={"shop": database(crashed=True)}),
        "accepted": domain("accepted", databases={"shop": database(crashed=True), "hr": database(up=True)}),
        "plain": domain("plain", databases=UP),
        "part": domain("part", databases={"shop": database(up=True), "hr": database(up=True)}),
        "stays": domain("stays", databases={"shop": database(up=True), "hr": database(up=True)}),
        "leaving": domain("leaving", databases=UP),
        "dies": domain("dies", databases=UP),
        "tolerant": domain("tolerant", databases=UP),
    }
    simulator = simulate(*conditions.values())
    for name in ("copying", "patient", "cancelling"):
        copying(simulator, name)
    held = ("leaving", "dies", "tolerant")
    for name in held:
        simulator.fault("stays", cluster=name, object="TE", state="REQUESTED_SHUTDOWN")
    connection(simulator, "leaving").shutdown_database("shop")
    simulator.forget()
    hosts = simulator.inventory()
    hosts["patient"]["nuodb_graceful_shutdown_on_hotcopy"] = "wait"
    hosts["cancelling"]["nuodb_graceful_shutdown_on_hotcopy"] = "cancel"
    for name in ("accepted", "tolerant"):
        hosts[name]["nuodb_graceful_shutdown_require_graceful"] = False
    for name in ("part", "stays"):
        hosts[name]["nuodb_graceful_shutdown_databases"] = ["shop"]
    hosts["stays"]["nuodb_graceful_shutdown_servers"] = True
    started = ansible.start("nuodb_graceful_shutdown", hosts, variables={"confirm": list(hosts)})
    lost = {}
    for name in ("dies", "tolerant"):
        state = "REQUESTED_TE_SHUTDOWN"
        started.wait_for(
            f"{name} goes down", lambda n=name, s=state: simulator.state(n)["databases"]["shop"]["state"] == s
        )
        (lost[name],) = start_ids(simulator, name, archive_id=1)
        die(simulator, lost[name], name)
    started.wait_line(r"\[leaving\] databases: wait for ")
    for name in held:
        simulator.mend(name)
    run = started.finish().failed()

    refused = {"copying", "crashed", "stays"}
    failed = {host for host, row in run.stats.items() if row["failures"]}
    assert failed == {*refused, "dies"}, run.out
    for name in refused:
        assert simulator.changes(name) == []
        assert len(run.lines(rf"^\[{name}\] cause: ")) == 1
    for name in ("patient", "cancelling", "accepted", "plain", "leaving", "dies", "tolerant"):
        assert down(simulator, name), name
        assert not silent(simulator, name)
    assert len(running(simulator, "part")) == 4

    says = {name: run.failures(name)[0] for name in failed}
    assert "copying: shop: hot copy" in says["copying"]
    assert "is running" in says["copying"]
    assert run.lines(r"\[copying\] hint: .*on_hotcopy: wait.*on_hotcopy: cancel")
    assert "crashed: shop: it is down, but nobody shut it down: SM of archive 1" in says["crashed"]
    assert "exit code 137" in says["crashed"]
    assert run.lines(r"\[crashed\] hint: .*nuodb_recover.*require_graceful: false")
    assert "stays: no AP shut down: " in says["stays"]
    assert f"(start ID {lost['dies']}) exited in " in says["dies"]
    assert "exit code 137" in says["dies"]
    assert "not every process shut down gracefully" in says["dies"]

    assert [row["status"] for row in _copies(simulator, "patient")] == ["completed"]
    assert [row["status"] for row in _copies(simulator, "cancelling")] == ["cancelled"]
    assert simulator.changes("cancelling") == ["POST databases/cancelHotCopy", "POST databases/shutdown shop"]
    assert simulator.changes("leaving") == []
    assert run.one("Every database is stopped", "leaving")["joined"]
    for name in ("patient", "plain", "part", "dies"):
        assert simulator.changes(name) == ["POST databases/shutdown shop"], name
    assert simulator.changes("accepted") == ["POST databases/shutdown hr"]


def _copies(simulator, name):
    return simulator.state(name)["hotcopies"]["shop"]


def test_confirmation_by_name(simulate, ansible):
    simulator = simulate(domain("nuo-a", databases=UP), domain("nuo-b", databases=UP))
    hosts = simulator.inventory()
    for confirm in ({}, {"confirm": "nuo-a"}):
        run = ansible.run("nuodb_graceful_shutdown", hosts, variables=confirm).failed()
        first, then = sorted((run.failures(name)[0] for name in hosts), key=lambda cause: "refused together" in cause)
        assert "takes nuo-a nuo-b down" in first
        assert "confirm=nuo-a,nuo-b" in first
        assert then.endswith("gives the reason [DBF-7015]")
    assert simulator.calls() == [] == simulator.calls(cluster="nuo-b")
    ansible.run("nuodb_graceful_shutdown", hosts, "-e", "confirm=nuo-b", "-e", "target=nuo-b").ok()
    until("nuo-b is down", lambda: down(simulator, "nuo-b"))
    assert simulator.calls(cluster="nuo-a") == []


def test_no_way_in_leads_around_the_confirmation(simulate, ansible):
    simulator = simulate(domain("nuo-a", databases=UP))
    stopped = {"nuodb_database_state_databases": "all", "nuodb_database_state_state": "stopped"}
    stopped["nuodb_graceful_shutdown_servers"] = True
    for runbook, task in (
        ("nuodb_graceful_shutdown", "(4/4) servers"),
        ("nuodb_graceful_shutdown", "(2/4) backup"),
        ("nuodb_database_state", "(1/1) databases"),
    ):
        run = ansible.run(runbook, simulator.inventory(), "--start-at-task", task, variables=stopped).failed()
        assert "takes nuo-a down and nothing is confirmed" in run.failures()[0]
    assert simulator.calls() == []


def test_what_runs_out_while_it_is_off(simulate, ansible):
    """Warned of, or refused; and nobody looks where nobody says how long. A preview shows the same."""
    ending = {"license": {"expires": "2026-01-31T15:33:40.465134"}}
    simulator = simulate(domain("ending", databases=UP, **ending), domain("lasting", databases=UP))
    hosts = simulator.inventory()
    confirmed = {"confirm": simulator.names}
    off = {**confirmed, "nuodb_graceful_shutdown_off_for": "40d"}

    preview = ansible.run("nuodb_graceful_shutdown", hosts, "--check", variables=off).failed()
    run = ansible.run("nuodb_graceful_shutdown", hosts, variables={**off, "target": "ending"}).failed()
    (cause,) = set(run.failures())
    assert cause.startswith("ending: off for 40d, until 20")
    assert (
        "the license has expired (2026-01-31T15:33:40.465134), and without a license the databases may not start"
        in cause
    )
    assert simulator.changes("ending") == []
    for one in (preview, run):
        assert [text for text in one.failures("ending") if "the license has expired (2026-01-31" in text]
        assert one.lines(r"nonetheless with on_runout: warn \(nuodb_graceful_shutdown_on_runout\)")
        assert one.lines(
            r"\[ending\] off for 40d: the certificate of https://.*, .* \(CN=localhost\) expires at .*: renew it"
        )
    assert not preview.lines(r"\[lasting\] off for 40d: the license")
    (plan,) = preview.of("The plan, and all reasons to refuse it", "lasting")
    assert {row["kind"] for row in plan["runs_out"]} == {"certificate"}

    warn = {**off, "nuodb_graceful_shutdown_on_runout": "warn", "target": "ending"}
    warned = ansible.run("nuodb_graceful_shutdown", hosts, variables=warn).ok()
    texts = warned.one("The plan, and all reasons to refuse it", "ending")["warnings"]
    assert [text for text in texts if "ending: off for 40d: the license has expired" in text]
    assert down(simulator, "ending")

    simulator.forget()
    silent = ansible.run("nuodb_graceful_shutdown", hosts, variables={**confirmed, "target": "lasting"}).ok()
    assert not silent.lines("off for")
    asked = {row["method"] for row in simulator.calls(cluster="lasting")}
    assert not {"GET policies/license", "GET peers/certificates"} & asked
