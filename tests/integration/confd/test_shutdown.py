# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""exa_graceful_shutdown of ConfD clusters: by hook, by the deployment's own jobs, or the databases alone."""

from __future__ import annotations

from world import cluster, confd, in_order, power_hook, until

ALL_OFF = {"off", "shutting_down"}


def machines(simulator, name):
    return {row["state"] for row in simulator.state(name)["nodes"].values()}


def steps(run, host):
    tasks = ("Every database is stopped", "Every node is off")
    found = {name: run.of(name, host) for name in tasks}
    return {
        name: [(row["object"], row["step"]) for result in results for row in result.get("steps", [])]
        for name, results in found.items()
    }


def test_ways_of_a_shutdown(simulate, ansible, tmp_path):
    """Previewed, carried out, and again."""
    backup = {"DB1": {"state": "running", "operation": "Backup"}}
    simulator = simulate(
        confd("hook", databases=2),
        confd("cloud", databases=2, deployment="cloud"),
        confd("json", databases=backup, deployment="cloud"),
        confd("old", settings={"parameter_names": "6.2"}),
        confd("elsewhere", master="n12"),
        cluster("eao", up=True),
    )
    hosts = simulator.inventory(**simulator.hook())
    off = power_hook(tmp_path, "off", "{{ exa_graceful_shutdown_online_nodes }}", on=False)
    for name in ("hook", "old", "eao"):
        hosts[name].update(exa_graceful_shutdown_power="hook", exa_graceful_shutdown_hooks={"power_off_nodes": off})
    for name in ("cloud", "json"):
        hosts[name]["exa_graceful_shutdown_power"] = "infra"
    hosts["elsewhere"].update(exa_graceful_shutdown_power="none", exa_provider="confd")
    hosts["elsewhere"]["exa_api_url"] = hosts["elsewhere"]["exa_api_url"][:1]
    hosts["json"].update(exa_rpc_format="json", exa_graceful_shutdown_on_operation="abort_backup")
    confirmed = {"confirm": simulator.names}

    preview = ansible.run("exa_graceful_shutdown", hosts, "--check", "--diff").ok()
    for name in simulator.names:
        assert simulator.changes(name) == [], name
    assert preview.lines(r"\[hook\] nodes: would wait for n11 n12 n13 \(online, to be powered off by something else\)")
    assert preview.lines(r"\[cloud\] nodes: would infra_instances_stop \(online -> silent\): n11 n12 n13")
    assert preview.lines(r"\[cloud\] storage: ConfD has no job that stops EXAStorage")
    assert preview.lines(r"\[elsewhere\] nodes: the hosts stay on")

    run = ansible.run("exa_graceful_shutdown", hosts, variables=confirmed).ok()
    for name in ("hook", "old", "cloud", "json"):
        assert machines(simulator, name) <= ALL_OFF, name
    assert machines(simulator, "elsewhere") == {"online"}
    for name in simulator.names:
        assert set(simulator.phases(name).values()) == {"setup"}
        assert steps(run, name) == steps(preview, name), name
    assert sorted(simulator.changes("hook")) == ["db_stop DB1", "db_stop DB2"]
    in_order(simulator.changes("cloud"), ["db_stop DB1", "db_stop DB2"], ["infra_instances_stop"])
    assert preview.lines(r"\[json\] databases: would db_backup_abort, then db_stop ")
    assert simulator.changes("json") == ["db_backup_abort DB1", "db_stop DB1", "infra_instances_stop"]
    assert simulator.changes("old") == simulator.changes("elsewhere") == ["db_stop DB1"]
    assert simulator.changes("eao") == ["stopDatabase db_DB1", "stopEXAStorage storage", "shutdownNode n0010"]
    assert "[hook] the cluster has no license servers" in run.out
    assert "[elsewhere] the hosts stay on" in run.out
    assert "[elsewhere] the cluster has no license servers" in run.out
    assert list(run.custom["hook"]["phases"]) == ["preflight", "databases", "storage", "nodes", "license_servers"]

    simulator.forget()
    again = ansible.run("exa_graceful_shutdown", hosts, variables=confirmed).failed()
    assert again.changed() == 0
    assert {name for name, row in again.stats.items() if row["failures"]} == set(simulator.names) - {"elsewhere"}
    assert "unreachable or already down" in again.failures("hook")[0]
    confirmed["exa_graceful_shutdown_unreachable"] = "down"
    expected = ansible.run("exa_graceful_shutdown", hosts, variables=confirmed).ok()
    assert expected.changed() == 0
    for name in simulator.names:
        assert simulator.changes(name) == [], name


def test_one_phase_alone_is_as_safe(simulate, ansible, tmp_path):
    """No hook powers hosts off under a database, and a phase that isn't a ConfD cluster's leaves it alone."""
    simulator = simulate(confd("hook"), confd("cloud", deployment="cloud"), confd("none"))
    off = power_hook(tmp_path, "off", "{{ exa_graceful_shutdown_online_nodes }}", on=False)
    hosts = simulator.inventory(**simulator.hook())
    hosts["hook"].update(exa_graceful_shutdown_power="hook", exa_graceful_shutdown_hooks={"power_off_nodes": off})
    hosts["cloud"]["exa_graceful_shutdown_power"] = "infra"
    hosts["none"]["exa_graceful_shutdown_power"] = "none"
    confirmed = {"confirm": simulator.names}
    run = ansible.run("exa_graceful_shutdown", hosts, "--tags", "nodes", variables=confirmed).failed()
    for name in ("hook", "cloud"):
        assert f"{name}: n11 n12 n13 not shut down: DB1 is running" in run.failures(name)[0]
    alone = ansible.run("exa_graceful_shutdown", hosts, "--tags", "license_servers", variables=confirmed).ok()
    for name in ("hook", "cloud"):
        assert f"[{name}] the cluster has no license servers" in alone.out
    assert "[none] the license servers stay on" in alone.out
    preview = ansible.run("exa_graceful_shutdown", hosts, "--check", "--tags", "nodes").ok()
    assert preview.lines(r"\[hook\] refused: hook: .*DB1 is running")
    for name in simulator.names:
        assert machines(simulator, name) == {"online"}
        assert simulator.changes(name) == [], name

    # Both phases together, without the one that looks first.
    tags = "databases,nodes,license_servers"
    ansible.run("exa_graceful_shutdown", hosts, "--tags", tags, variables=confirmed).ok()
    for name in ("hook", "cloud"):
        assert machines(simulator, name) <= ALL_OFF, name


def test_what_stands_against_it(simulate, ansible):
    busy = {"DB1": {"state": "running", "operation": "Backup"}}
    simulator = simulate(confd("powerless"), confd("no-cloud"), confd("busy", databases=busy))
    hosts = simulator.inventory()
    hosts["no-cloud"]["exa_graceful_shutdown_power"] = "infra"
    hosts["busy"]["exa_graceful_shutdown_power"] = "none"
    run = ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": simulator.names}).failed()
    assert "ConfD has no job that powers a host off" in run.failures("powerless")[0]
    assert "job_list of this deployment has no infra_instances_stop" in run.failures("no-cloud")[0]
    assert "busy: DB1: operation Backup is running" in run.failures("busy")[0]
    assert simulator.changes("powerless") == simulator.changes("no-cloud") == simulator.changes("busy") == []


def test_two_hosts_that_are_one_cluster(simulate, ansible):
    """Each node is an endpoint: which are one cluster's is known when it has been asked, and before it is changed."""
    simulator = simulate(confd("one"), confd("other"))
    hosts = simulator.inventory(exa_graceful_shutdown_power="none", exa_database_state_databases="all")
    urls = hosts["one"]["exa_api_url"]
    hosts["one"]["exa_api_url"] = urls[:1]
    hosts["alias"] = {**hosts["one"], "exa_api_url": urls[1:2]}
    confirmed = {"confirm": list(hosts), "exa_database_state_state": "restarted"}
    done = {"exa_graceful_shutdown": ["db_stop DB1"], "exa_cold_start": ["db_start DB1"]}
    for runbook in ("exa_graceful_shutdown", "exa_cold_start", "exa_database_state"):
        for more in (("--check",), ()):
            simulator.forget()
            run = ansible.run(runbook, hosts, *more, variables=confirmed).failed()
            refused = [name for name in ("one", "alias") if run.stats[name]["failures"]]
            assert refused, run.out
            for name in refused:
                assert "one and alias are" in run.failures(name)[0] or "alias and one are" in run.failures(name)[0]
            assert run.stats["other"]["failures"] == 0
            # The one that was there first may go on, alone.
            alone = [] if more else done.get(runbook, ["db_stop DB1", "db_start DB1"])
            assert simulator.changes("one") in ([], alone)
            assert simulator.changes("other") == alone


def hooked(hosts, tmp_path, name, machines, **more):
    """A cluster whose hook powers only these machines off."""
    off = power_hook(tmp_path, f"off-{name}", machines, on=False)
    hosts[name].update(exa_graceful_shutdown_power="hook", exa_graceful_shutdown_hooks={"power_off_nodes": off}, **more)


def test_nodes_that_stay_on_are_seen(simulate, ansible, tmp_path):
    """Silence of api_url says nothing of the nodes that it doesn't name; they are watched by their addresses."""
    simulator = simulate(
        confd("majority", nodes=5),
        confd("minority", nodes=3),
        confd("whole", nodes=3),
        confd("seeking", nodes=3, timing={"move": 30}),
    )
    hosts = simulator.inventory(**simulator.hook(), exa_wait_timeout=8)
    hooked(hosts, tmp_path, "majority", ["n11"])
    hooked(hosts, tmp_path, "minority", ["n11", "n12"])
    hooked(hosts, tmp_path, "whole", "{{ exa_graceful_shutdown_online_nodes }}", exa_wait_timeout=40)
    hooked(hosts, tmp_path, "seeking", ["n11"])
    for name in ("majority", "minority", "whole"):
        hosts[name]["exa_api_url"] = hosts[name]["exa_api_url"][:1]
    run = ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": simulator.names}).failed()
    says = {name: run.one("Every node is off", name) for name in simulator.names}
    assert "n12" in says["majority"]["failed_object"]
    assert (
        "online, to be powered off by something else" in says["majority"]["msg"]
        or "n12 is online" in says["majority"]["msg"]
    )
    assert says["minority"]["failure"] == says["seeking"]["failure"] == "timed_out"
    for name in ("minority", "seeking"):  # no quorum, or no master, for as long as is waited
        assert "is not silent yet (https://127.0.0.1" in says[name]["msg"]
    assert {row["state"] for row in says["whole"]["nodes"].values()} == {"silent"}
    assert machines(simulator, "whole") <= ALL_OFF

    # The next run finds no quorum, and one that is on whatever was expected.
    hosts = {"minority": {**hosts["minority"], "exa_api_url": simulator.inventory()["minority"]["exa_api_url"]}}
    given = {"confirm": ["minority"], "exa_graceful_shutdown_unreachable": "down"}
    again = ansible.run("exa_graceful_shutdown", hosts, variables=given).failed()
    assert "the cluster is not down: something still answers (https://" in again.failures("minority")[0]
    simulator.power("n13", False, cluster="minority")
    until("n13 is off", lambda: machines(simulator, "minority") == {"off"})
    ansible.run("exa_graceful_shutdown", hosts, variables=given).ok()


def test_nodes_out_of_sight_stay_on(simulate, ansible, tmp_path):
    """Neither named by api_url nor reached at their addresses: refused before anything is stopped."""
    unknown = {"addresses": {}, "ports": {}, "settings": {"master_answer": "{host}:{port}"}}
    simulator = simulate(
        confd("hook", **unknown),
        confd("cloud", deployment="cloud", **unknown),
        confd("stays", **unknown),
        confd("seen", **unknown),
    )
    hosts = simulator.inventory(**simulator.hook(), exa_request_timeout=4)
    hooked(hosts, tmp_path, "hook", ["n11", "n12", "n13"])
    hooked(hosts, tmp_path, "seen", ["n11", "n12", "n13"])
    hosts["cloud"]["exa_graceful_shutdown_power"] = "infra"
    hosts["stays"]["exa_graceful_shutdown_power"] = "none"
    for name in ("hook", "cloud", "stays"):
        hosts[name]["exa_api_url"] = hosts[name]["exa_api_url"][:1]
    confirmed = {"confirm": simulator.names}
    for arguments in (["--check"], ["--tags", "nodes"], []):
        run = ansible.run("exa_graceful_shutdown", hosts, *arguments, variables=confirmed).failed()
        for name in ("hook", "cloud"):
            assert (
                f"{name}: nodes not powered off: nothing could confirm that n11 n12 n13 went off"
                in run.failures(name)[0]
            ), run.out
            assert "name every node in api_url" in run.out
            assert simulator.changes(name) == []
            assert machines(simulator, name) == {"online"}
        assert run.stats["stays"]["failures"] == 0
    assert run.stats["seen"]["failures"] == 0
    assert machines(simulator, "seen") <= ALL_OFF


def test_one_phase_of_a_cluster_that_is_down(simulate, ansible):
    simulator = simulate(confd("exa-confd", up=False))
    hosts = simulator.inventory(exa_graceful_shutdown_power="infra", exa_wait_timeout=5)
    powers = {"databases": "infra", "storage": "infra", "nodes": "hook", "nodes,license_servers": "infra"}
    for phase, power in powers.items():
        hosts["exa-confd"]["exa_graceful_shutdown_power"] = power
        given = {"confirm": simulator.names}
        run = ansible.run("exa_graceful_shutdown", hosts, "--tags", phase, variables=given).failed()
        assert "unreachable or already down" in run.failures()[0], phase
        given["exa_graceful_shutdown_unreachable"] = "down"
        ansible.run("exa_graceful_shutdown", hosts, "--tags", phase, variables=given).ok()


def test_what_runs_out_while_it_is_off(simulate, ansible):
    """Warned of, or refused; and nobody looks where nobody says how long. A preview shows the same."""
    weekly = {"volume": "Remote", "level": 0, "expire": "4w", "minute": "0", "hour": "1", "weekday": "0"}
    ending = {"Contract": {"expiration_date": "2026-01-31"}}
    simulator = simulate(
        confd("ending", license=ending, schedules={"DB1": {"weekly": weekly}}, remote_volumes={"Remote": {}}),
        confd("lasting"),
        cluster("eao", up=True),
    )
    hosts = simulator.inventory(exa_graceful_shutdown_power="none", exa_time_zone="Europe/Berlin")
    confirmed = {"confirm": simulator.names}
    off = {**confirmed, "exa_graceful_shutdown_off_for": "40d"}

    preview = ansible.run("exa_graceful_shutdown", hosts, "--check", variables=off).failed()
    run = ansible.run("exa_graceful_shutdown", hosts, variables={**off, "target": "ending"}).failed()
    (cause,) = set(run.failures())
    assert cause.startswith("ending: off for 40d, until 20")
    assert "the license has expired (2026-01-31), and without a license the databases may not start again" in cause
    assert simulator.changes("ending") == []
    for one in (preview, run):
        assert [text for text in one.failures("ending") if "the license has expired (2026-01-31" in text]
        assert one.lines(r"nonetheless with on_runout: warn \(exa_graceful_shutdown_on_runout\)")
        assert one.lines(
            r"\[ending\] off for 40d: the certificate of https://.* \(CN=localhost\) expires at .*: renew it"
        )
        assert one.lines(
            r"\[ending\] off for 40d: DB1: backup schedule weekly \(level 0 .*falls due [56] times, first at"
        )
    assert preview.lines(r"\[eao\] off for 40d: not looked at: the license: eao: how EXAoperation's calls show")
    assert not preview.lines(r"\[lasting\] off for 40d: the license")
    for name in ("lasting", "eao"):
        (plan,) = preview.of("The plan, and all reasons to refuse it", name)
        assert {"certificate"} <= {row["kind"] for row in plan["runs_out"]} <= {"certificate", "unread"}

    warn = {**off, "exa_graceful_shutdown_on_runout": "warn", "target": "ending"}
    warned = ansible.run("exa_graceful_shutdown", hosts, variables=warn).ok()
    texts = warned.one("The plan, and all reasons to refuse it", "ending")["warnings"]
    assert [text for text in texts if "ending: off for 40d: the license has expired (2026-01-31)" in text]
    assert simulator.changes("ending") == ["db_stop DB1"]

    simulator.forget()
    silent = ansible.run("exa_graceful_shutdown", hosts, variables={**confirmed, "target": "lasting,eao"}).ok()
    assert not silent.lines("off for")
    assert not simulator.calls("getBackups", "getBackupSchedule", cluster="eao")
    assert not {"license_info", "db_backup_list"} & {row.get("job") for row in simulator.calls(cluster="lasting")}
