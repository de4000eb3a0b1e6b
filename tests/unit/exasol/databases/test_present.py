# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a database held against what is, and what follows from it, without a server."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done, Fail, History, Wait
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Denied, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.databases import (
    DatabaseConfigState,
    DataVolume,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.absent import DatabasesAbsent
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.configuration import WantedDatabase
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.present import DatabasesPresent
from ansible_collections.dbfleet.cluster.tests.unit.exasol.databases.fake_api import Api, cluster, configured


def present(api: Api, wanted: WantedDatabase, **more: Any) -> DatabasesPresent:
    one = cluster(api, more.pop("error", ""))
    more.setdefault("warn", [].append)
    return DatabasesPresent(one, one, "DB1", wanted, **more)


def test_a_setting_that_stays_another_is_said() -> None:
    """For a while all nodes may not have it yet; then it is a failure, or a warning where it isn't shown at all."""
    now = [0.0]
    warned: list[str] = []
    api = Api(configured())
    work = present(api, WantedDatabase({"mem_size": "3 GiB"}), clock=lambda: now[0])
    history = History()
    act = work.configured("DB1", api.there, history)
    assert isinstance(act, Act)
    act.call()
    history.acted.append(act.name)
    assert api.sent[-1] == ("configure", "DB1", {"mem_size": "3 GiB"})
    assert isinstance(work.configured("DB1", api.there, history), Act)
    now[0] = 11.0
    stays = work.configured("DB1", api.there, history)
    assert isinstance(stays, Fail)
    assert "db_configure succeeded, but the server still shows another value: mem_size is 2 GiB, not 3 GiB" in stays.why
    assert work.configured("DB1", configured(mem_size="3072 MiB"), history) == Done()

    work = present(api, WantedDatabase({"cache_volume_disk": "disk1:7 GiB"}), clock=lambda: now[0], warn=warned.append)
    act = work.configured("DB1", api.there, History())
    assert isinstance(act, Act)
    act.call()
    now[0] = 22.0
    assert work.configured("DB1", api.there, history) == Done()
    assert "the next run would send it again" in warned[0]


def test_a_database_that_stops_is_awaited() -> None:
    api = Api(configured("stopping"))
    work = present(api, WantedDatabase({"mem_size": "3 GiB"}, number=3), enlarge=True)
    assert [stage.done for stage in work.stages()] == ["present", "configured", "enlarged"]
    assert isinstance(work.created("DB1", api.there, History()), Done)
    assert work.configured("DB1", api.there, History()) == Wait("stopping", then=("db_configure",))
    assert work.nodes.enlarged("DB1", api.there, History()) == Wait("stopping", then=("db_enlarge",))
    absent = DatabasesAbsent(cluster(api), cluster(api), ["DB1"])
    assert absent.decide("DB1", api.there, History()) == Wait("stopping", then=("db_delete",))


def test_a_database_that_is_gone_is_not_waited_for() -> None:
    api = Api(configured())
    work = present(api, WantedDatabase({"mem_size": "3 GiB"}, number=3), enlarge=True)
    for decide in (work.configured, work.nodes.enlarged, work.nodes.with_reserve):
        assert isinstance(decide("DB1", None, History()), Wait)
        assert decide("DB1", None, History(api.there)) == Fail(
            "it was there when this run began and is gone now", number="DBF-6203"
        )


def test_a_database_of_another_is_not_the_wanted_one() -> None:
    """Where the own creation was refused, or nobody knows of it, what is there must be as it was to be."""
    work = present(Api(None), WantedDatabase({"mem_size": "2 GiB", "max_system_heap_memory": "1 GiB"}, number=2))
    unsure = History(acted=["db_create"], unsure=True)
    assert work.created("DB1", configured(), unsure) == Done(), "what db_configure alone sets comes later"
    other = configured(mem_size="3 GiB")
    assert work.created("DB1", other, History(acted=["db_create"])) == Done()
    decision = work.created("DB1", other, unsure)
    assert isinstance(decision, Fail)
    assert (
        decision.why == "somebody else has created this database in the meantime, and its mem_size is 3 GiB, not 2 GiB"
    )
    work = present(Api(None), WantedDatabase({"mem_size": "2 GiB"}, nodes=("n11", "n12"), number=2))
    decision = work.created("DB1", configured(), unsure)
    assert isinstance(decision, Fail)
    assert decision.why.endswith("and its nodes are n11 n12 n13")


def test_jobs_for_nodes_are_looked_for_before_anything_is_changed() -> None:
    api = Api(configured())
    present(api, WantedDatabase({"mem_size": "3 GiB"}, nodes=("n11", "n12", "n14"), number=3), enlarge=True)
    assert api.sent == [
        ("check", "configure", "DB1", {"mem_size": "3 GiB"}),
        ("check", "add_reserve", "DB1", {"node_list": ["n14"]}),
        ("check", "remove_reserve", "DB1", {"node_list": ["n13"]}),
        ("check", "enlarge", "DB1", {"num_new_nodes": 1}),
    ]


def test_an_enlarged_database_is_awaited_until_it_runs() -> None:
    api = Api(configured())
    work = present(api, WantedDatabase(number=3), enlarge=True)
    act = work.nodes.enlarged("DB1", api.there, History())
    assert isinstance(act, Act)
    act.call()
    assert api.sent[-1] == ("enlarge", "DB1", 1)
    history = History(acted=["db_enlarge"])
    for state, connectible, decision in (
        ("setup", "No", Wait), ("startup", "No", Wait), ("running", "No", Wait), ("running", "Yes", Done),
        ("setup", "No", Fail),
    ):  # fmt: skip
        there = DatabaseConfigState(Database("DB1", state, connectible), ("n11", "n12", "n13"), (), (), 3, {}, True)
        assert isinstance(work.nodes.enlarged("DB1", there, history), decision), state
    failed = present(api, WantedDatabase(number=3), enlarge=True, error="no license")
    there = DatabaseConfigState(Database("DB1", "setup"), ("n11", "n12", "n13"), (), (), 3, {}, True)
    assert isinstance(failed.nodes.enlarged("DB1", there, history), Fail)


def test_a_database_that_a_killed_run_has_enlarged_is_awaited_by_the_next() -> None:
    """Where that is asked for, and its nodes are there: then nothing but its start is left."""
    for state, connectible, awaits in (
        ("startup", "No", True), ("running", "No", True), ("running", "Yes", False), ("setup", "No", False),
    ):  # fmt: skip
        there = DatabaseConfigState(Database("DB1", state, connectible), ("n11", "n12", "n13"), (), (), 3, {}, True)
        work = present(Api(there), WantedDatabase(number=3), enlarge=True)
        assert [stage.done for stage in work.stages()][1:] == (["enlarged"] if awaits else []), state
        assert isinstance(work.nodes.enlarged("DB1", there, History()), Wait if awaits else Done), state
        assert work.target("DB1", there).database.accepts_connections is (awaits or connectible == "Yes")
        for other in ({"wanted": WantedDatabase(number=3)}, {"wanted": WantedDatabase(), "enlarge": True}):
            assert [stage.done for stage in present(Api(there), **other).stages()] == ["present"], state
    there = DatabaseConfigState(Database("DB1", "startup"), ("n11", "n12", "n13"), (), (), 3, {}, True)
    work = present(Api(there), WantedDatabase(number=3), enlarge=True)
    assert isinstance(work.nodes.enlarged("DB1", there, History()), Wait)
    fell = DatabaseConfigState(Database("DB1", "setup"), ("n11", "n12", "n13"), (), (), 3, {}, True)
    assert isinstance(work.nodes.enlarged("DB1", fell, History()), Fail)


def test_volumes_are_known_by_name_or_number_where_they_may_be_asked_for() -> None:
    volumes = DataVolume(3, "Data3", ("DB9",)), DataVolume(4, "")
    warned: list[str] = []
    api = Api(None, *volumes)
    present(api, WantedDatabase({"data_volume_id": 3}), warn=warned.append)
    assert api.sent == [("check", "create", "DB1", {"data_volume_name": "Data3"})]
    assert "volume Data3 also belongs to DB9" in warned[0]
    api = Api(None, *volumes)
    present(api, WantedDatabase({"data_volume_id": 4}))
    assert api.sent[-1][-1] == {"data_volume_id": 4}
    api = Api(None)
    api.known = Denied("no")
    present(api, WantedDatabase({"data_volume_name": "Data3"}))
    assert api.sent[-1][-1] == {"data_volume_name": "Data3"}
    with pytest.raises(ClusterError, match=r"there is no volume Data33 \(did you mean Data3\?\)"):
        present(Api(None, *volumes), WantedDatabase({"data_volume_name": "Data33"}))


@pytest.mark.parametrize("said", [{"data_volume_name": "Data4"}, {"data_volume_id": 4}])
def test_a_database_is_not_taken_off_its_data(said: dict[str, Any]) -> None:
    volumes = DataVolume(3, "Data3", ("DB1",)), DataVolume(4, "Data4")
    api = Api(configured(data_volume_name="Data3"), *volumes)
    refused = present(api, WantedDatabase(said)).created("DB1", api.there, History())
    assert isinstance(refused, Fail)
    assert (
        "data_volume_name is Data3, not Data4, and with another volume the database would be without its data"
        in refused.why
    )
    assert present(api, WantedDatabase({"data_volume_id": 3})).stages()[1:] == []
    without = Api(configured(), *volumes)
    assert [stage.done for stage in present(without, WantedDatabase(said)).stages()] == ["present", "configured"]


def test_a_volume_whose_number_cannot_be_found_is_left_alone() -> None:
    api = Api(configured(data_volume_name="Data3"))
    api.known = Denied("no")
    work = present(api, WantedDatabase({"data_volume_id": 4}), on_unseen="send")
    assert (work.stages()[1:], work.not_compared()) == ([], ["data_volume_id"])


def test_a_name_that_differs_by_case_alone() -> None:
    with pytest.raises(ClusterError, match="there is no database DB1, but there is Db1, and two names that differ"):
        present(Api(None, Db1=configured()), WantedDatabase({"mem_size": "2 GiB"}))


def test_a_port_of_two_databases_on_one_node_is_warned_of() -> None:
    def warned(there: Optional[DatabaseConfigState], nodes: tuple[str, ...], **values: Any) -> list[str]:
        said: list[str] = []
        others = {"DB2": configured(port=8565), "DB3": configured(port=8563)}
        present(Api(there, **others), WantedDatabase(values, nodes), warn=said.append)
        return said

    assert "port 8565 also belongs to DB2, on the same nodes" in warned(None, ("n12",), port=8565)[0]
    assert "port 8563 also belongs to DB3" in warned(None, ("n12",))[0]
    assert warned(None, ("n14",), port=8565) == []
    assert warned(None, ("n12",), port=8566) == []
    assert "port 8565 also belongs to DB2" in warned(configured(port=1), ("n11", "n12", "n13"), port=8565)[0]


def test_an_enlarged_database_is_guarded_as_one_that_is_started() -> None:
    work = present(Api(configured()), WantedDatabase(number=3), enlarge=True)
    guard = work.stages()[-1].guard
    assert guard is not None
    with pytest.raises(Refused, match="no database started: .*Storaged not running"):
        guard()


def test_secrets_are_neither_shown_nor_sent_again() -> None:
    secret = {"default_sys_passwd_hash": "h4sh", "additional_sys_passwd_hashes": ["h5sh"]}
    work = present(Api(None), WantedDatabase({**secret, "mem_size": "2 GiB"}))
    after = work.target("DB1", None)
    assert "h4sh" not in f"{after} {work.words(after)}"
    there = present(Api(configured()), WantedDatabase(secret), on_unseen="send")
    assert there.stages()[1:] == []
    assert there.not_compared() == sorted(secret, reverse=True)


def test_what_the_server_neither_shows_nor_takes_is_left_and_said() -> None:
    """Version 6.2 knows params alone: what was created by params_add is no failure of the next run."""
    there = configured(complete=False)
    api, warned = Api(there), list[str]()
    api.lacking = ("params_add", "params_delete")
    wanted = WantedDatabase({"interfaces": ["eth0"]}, added=("-a=1",))
    work = present(api, wanted, on_unseen="send", warn=warned.append)
    assert api.sent == [("check", "configure", "DB1", {"interfaces": ["eth0"]})]
    assert isinstance(work.configured("DB1", there, History()), Act)
    assert work.not_compared() == ["interfaces", "params_add"]
    (said,) = warned
    assert (
        "can't compare or change params_add, because the server doesn't show it and db_configure doesn't take it"
        in said
    )
    api, warned = Api(there), []
    api.lacking = ("params_add", "params_delete")
    wanted = WantedDatabase({"params": ["-a=1", "-b=2"]}, added=("-c=3",), deleted=("-b",))
    present(api, wanted, on_unseen="send", warn=warned.append)
    assert api.sent == [("check", "configure", "DB1", {"params": ["-a=1", "-c=3"]})]
    assert warned == []
