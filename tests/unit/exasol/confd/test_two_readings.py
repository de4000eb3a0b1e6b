# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client on the simulator: two readings of the same documents, made by different people.

A scenario: the client and the simulator, which read the same documents.
"""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Denied, Fault, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.codec import Json, Xml
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.expiry_forms import form_of
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.simulated import Simulated


@pytest.mark.parametrize("codec", [Xml(), Json()])
@pytest.mark.parametrize("names", ["6.2", "8"])
def test_a_database_is_started_and_stopped(codec, names):
    jobs = Simulated(parameter_names=names).jobs(codec)
    assert jobs.read("db_list") == ["DB1"]
    for job, state in (("db_start", "running"), ("db_stop", "setup")):
        heard: list[str] = []
        result = jobs.run(job, {"db_name": "DB1"}, of="DB1", heard=heard.append, timeout=60)
        assert result is not None
        assert [result.job_id] == heard
        assert jobs.read("db_state", {"db_name": "DB1"}) == state
        told = jobs.info(result.job_id)
        assert (told.job, told.stage) == (job, "finished")
        assert None not in told.stages.values()
    assert jobs.session.url == "https://n12:443"


@pytest.mark.parametrize("names", ["6.2", "8"])
def test_every_job_is_described(names):
    jobs = Simulated(parameter_names=names).jobs()
    described = {job: jobs.help(job) for job in jobs.names()}
    assert set(described["db_start"].parameters) >= {"db_name"}
    assert all(found.groups for found in described.values())
    times = {
        (job, name): form_of(job, found.parameters[name])
        for job, found in described.items()
        for name in ("expire", "expire_time")
        if name in found.parameters
    }
    assert None not in times.values()
    key = "node_id" if names == "6.2" else "nid"
    assert jobs.parameters("node_suspend", {"nid": 12}) == jobs.parameters("node_suspend", {"node_id": 12}) == {key: 12}


@pytest.mark.parametrize("errors", ["result", "fault"])
def test_what_is_refused(errors):
    simulated = Simulated(rpc_errors=errors)
    jobs = simulated.jobs()
    with pytest.raises(NoSuchObject, match=r"there is no job 'db_sart' \(did you mean db_start\?\)"):
        jobs.execute("db_sart")
    with pytest.raises(NoSuchObject, match="^exa-unit: db_start of DB9 at https://n12:443: .*DB9"):
        jobs.execute("db_start", {"db_name": "DB9"}, of="DB9")
    with pytest.raises(Fault, match="the server refused"):
        jobs.run("db_stop", {"db_name": "DB1"}, of="DB1")
    with pytest.raises(NoSuchObject, match=r"99\.1"):
        jobs.result("99.1")
    with pytest.raises(Denied, match="the user may not do this: User guest"):
        simulated.jobs(username="guest", password="guest").execute("db_start", {"db_name": "DB1"})
    with pytest.raises(Denied, match=r"refused user 'admin' and its password \(HTTP 401\)"):
        simulated.jobs(password="wrong").read("db_list")
