# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which lists a module takes from the one before, and which it asks for, by what goes over the wire."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _session
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import AnswerLost
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.domain import Domain
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.wire import is_own
from ansible_collections.dbfleet.cluster.plugins.module_utils._session import FRESH, shared_session
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import LOST
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import Ap
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import Adapter, page


class Modules:
    """Modules that run one after another on one AP."""

    def __init__(self) -> None:
        self.ap = Ap()
        self.ap._get_processes = lambda parts, *_more: page(*([] if parts else self.ap.processes))
        self.adapter = Adapter(self.ap)

    def begin(self) -> Domain:
        """The domain of the next module."""

        def make() -> Http:
            urls = ["https://ap0:8888", "https://ap1:8888"]
            http = Http("nuo-unit", urls, "admin", "pw", Trust(validate=False), is_own=is_own)
            http._transport = self.adapter
            return http

        http = _session.http_for(lambda: "nuo-unit", make)
        return Domain(http, _session.readings_of(http))

    def asked(self) -> list[str]:
        """What was asked since the last time."""
        asked, self.ap.asked = self.ap.asked, []
        return asked


@pytest.fixture
def session(time):
    with shared_session(time) as session:
        yield session


@pytest.fixture
def modules(session):
    return Modules()


def look(domain):
    """All lists that a report has."""
    domain.servers()
    domain.databases()
    domain.archives()
    domain.processes()
    domain.tombstones()


ALL = ["GET peers", "GET databases", "GET archives", "GET processes", "GET processes/exited"]


@pytest.fixture
def read(modules):
    """The modules, the first of which has just read everything."""
    look(modules.begin())
    assert modules.asked() == ALL
    return modules


def test_the_first_look_of_the_next_module_asks_for_nothing(read):
    domain = read.begin()
    with domain.first_look():
        assert list(domain.servers()) == ["server0", "server1"]
        assert list(domain.databases()) == ["test"]
        assert list(domain.archives()) == [0, 1]
        assert list(domain.processes()) == ["0", "1"]
        assert domain.tombstones() == []
    assert (read.asked(), domain.api_calls) == ([], 0)


def test_what_was_handed_on_is_handed_on_further_with_its_age(read, time):
    for wanted in ([], ALL):
        time.now += FRESH / 2
        domain = read.begin()
        with domain.first_look():
            look(domain)
        assert read.asked() == wanted


def test_outside_of_a_session_nothing_is_handed_on():
    modules = Modules()
    for _unused in range(2):
        domain = modules.begin()
        with domain.first_look():
            look(domain)
    assert modules.asked() == ALL * 2


def test_after_the_first_look_all_is_asked_for(read):
    domain = read.begin()
    with domain.first_look():
        look(domain)
    look(domain)
    assert read.asked() == ALL


def test_what_a_module_has_read_itself_is_asked_for_again(modules):
    domain = modules.begin()
    for _unused in range(2):
        with domain.first_look():
            domain.servers()
    assert modules.asked() == ["GET peers", "GET peers"]


def test_what_a_module_before_reads_late_is_not_taken(read):
    before, domain = read.begin(), read.begin()
    read.ap.databases = []
    before.databases()  # of a thread that outlived its module
    with domain.first_look():
        assert list(domain.databases()) == ["test"]


def test_an_old_list_is_asked_for(read, time):
    time.now += FRESH
    domain = read.begin()
    with domain.first_look():
        look(domain)
    assert read.asked() == ALL


CHANGES = {
    "create_database": ("test", {}),
    "delete_database": ("test", False),
    "set_options": ("test", {}),
    "shutdown_database": ("test",),
    "start_process": ({}, "test"),
    "shutdown_process": ("0",),
    "shutdown_server": ("server0", False),
    "delete_server": ("server0",),
    "remove_server_state": ("server0",),
    "create_archive": ({"host": "server0", "path": "/a"},),
    "resurrect_archive": (0, {}),
    "delete_archive": (0, False),
    "add_storage_group": ("test", "SG", 0),
    "remove_storage_group": ("test", "SG", 0),
    "delete_storage_group": ("test", "SG"),
    "start_hotcopy": ("test", {}, True),
    "cancel_hotcopy": ("0", "hc0"),
}


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("who", ["the module before", "the module itself"])
def test_after_any_change_all_is_asked_for(read, change, lost, who, monkeypatch):
    answer = LOST if lost else (200, {"startId": "2"})
    before = read.begin()
    domain = before if who == "the module itself" else None
    with monkeypatch.context() as patch:
        patch.setattr(read.ap, "_answer", lambda *_request: answer)
        if lost:
            read.adapter.answers = [lambda _request: LOST]
            with pytest.raises(AnswerLost):
                getattr(before, change)(*CHANGES[change])
            read.adapter.answers = [read.ap]
        else:
            getattr(before, change)(*CHANGES[change])
    read.asked()
    domain = domain or read.begin()
    with domain.first_look():
        look(domain)
    assert read.asked() == ALL


def test_a_list_that_a_change_overtakes_is_not_handed_on(modules):
    before, answer = modules.begin(), modules.ap._get_databases

    def changed_meanwhile(*request):
        before.shutdown_server("server1", evict_local=False)
        return answer(*request)

    modules.ap._get_databases = changed_meanwhile
    modules.ap._post_peers = lambda *_request: (200, b"")
    before.databases()
    modules.ap._get_databases = answer
    modules.asked()
    domain = modules.begin()
    with domain.first_look():
        domain.databases()
    assert modules.asked() == ["GET databases"]


def test_a_start_plan_changes_nothing(read, monkeypatch):
    before = read.begin()
    with monkeypatch.context() as patch:
        patch.setattr(read.ap, "_answer", lambda *_request: (200, {"processes": []}))
        before.start_plan("test", [])
    read.asked()
    domain = read.begin()
    with domain.first_look():
        look(domain)
    assert read.asked() == []


def test_the_list_of_another_ap_is_not_taken(read):
    domain = read.begin()
    domain._http.use("https://ap1:8888")
    with domain.first_look():
        domain.servers()
    assert read.asked() == ["GET peers"]


def test_a_list_of_all_holds_those_of_one_database(read):
    domain = read.begin()
    with domain.first_look():
        assert list(domain.processes(dbName=["other"])) == []
        assert list(domain.processes(dbName=["test"])) == ["0", "1"]
        assert list(domain.archives(dbName=["test"], host=["server1"])) == [1]
    assert read.asked() == []


@pytest.mark.parametrize("wanted", [{}, {"dbName": ["test", "other"]}, {"host": ["server0"]}], ids=str)
def test_a_list_of_one_database_does_not_hold_more(modules, wanted):
    modules.begin().archives(dbName=["test"])
    domain = modules.begin()
    with domain.first_look():
        domain.archives(**wanted)
        domain.archives(dbName=["test"])
    assert modules.asked() == ["GET archives", "GET archives"]


@pytest.mark.parametrize("seconds", [0, 0.5])
@pytest.mark.parametrize("filters", [({}, {"dbName": ["test"]}), ({"dbName": ["test"]}, {})], ids=["all first", "one"])
def test_of_two_lists_the_newer_is_taken(modules, time, filters, seconds):
    before = modules.begin()
    before.processes(**filters[1])
    for one in filters:
        before.processes(**one)
        time.now += seconds
        modules.ap.processes = modules.ap.processes[1:]
    modules.ap.processes = []
    domain = modules.begin()
    with domain.first_look():
        assert list(domain.processes(dbName=["test"])) == ["1"]


def test_removed_archives_are_another_list(read):
    domain = read.begin()
    with domain.first_look():
        assert domain.archives(removed=True) == {}
    assert read.asked() == ["GET archives"]


def test_after_the_session_nothing_is_taken(time):
    modules = Modules()
    with shared_session(time):
        look(modules.begin())
        domain = modules.begin()
    with domain.first_look():
        look(domain)
    assert modules.asked() == ALL * 2


def test_what_is_not_a_list_is_never_taken(read):
    read.ap.odd["GET diagnostics"] = [(200, {"properties": {}})] * 2
    for _unused in range(2):
        domain = read.begin()
        with domain.first_look():
            domain.server_properties()
    assert read.asked() == ["GET diagnostics/config"] * 2


def test_what_a_module_leaves_is_good_as_long_as_a_list(read, time):
    read.begin().leave("start", "work")
    domain = read.begin()
    assert domain.left("start") == "work"
    assert domain.left("other") is None
    time.now += FRESH
    assert domain.left("start") is None
