# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases as ConfD shows them, and the jobs that configure them."""

from __future__ import annotations

from typing import Any

from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, result

DOCUMENTED = {
    "connectible": "Yes", "connection string": "192.168.31.171:8888", "info": "", "name": "DB1",
    "nodes": {"active": ["n11"], "failed": [], "reserve": []}, "operation": "None",
    "persistent volume": "DataVolume1", "quota": 0, "state": "running", "temporary volume": "v0001",
    "usage persistent": [{"host": "n11", "size": "10 GiB", "used": "6.7109 MiB", "volume id": "0"}],
}  # fmt: skip
"""db_info of the document of 6.2 (CONFD-74)."""

TEXT, NUMBER, LIST = ("(<class 'str'>,)", "<class 'int'>", "<class 'list'>")


def described(**kinds: str) -> list[Any]:
    """job_desc of a job, all of whose parameters but db_name are optional."""
    rows = {name: {"desc": "", "type": kind} for name, kind in kinds.items()}
    return [True, ["", {"db_name": {"desc": "", "type": TEXT}}, rows, {}, ["root"], ["root"]]]


CREATE = described(
    mem_size=TEXT, nodes=LIST, params=TEXT, volume_quota=NUMBER, ldap_server=TEXT,
    owner="(<class 'list'>, <class 'tuple'>)", additional_sys_passwd_hashes=TEXT, data_volume_id=NUMBER,
)  # fmt: skip
CONFIGURE = described(volume_quota=TEXT, data_volume_id=TEXT, port=TEXT)
RESERVE = described(node_list=LIST)


def cluster(**jobs: Any) -> Nodes:
    """A cluster whose jobs give these results."""

    def execute(job: str, given: Any = None) -> Any:
        answer = jobs.get(job, result())
        return answer((given or {}).get("params")) if callable(answer) else answer

    known = {"db_create": CREATE, "db_configure": CONFIGURE, "node_add": NODE_ADD, "node_remove": NODE_REMOVE}
    return Nodes(
        job_exec=execute, job_start="11.9", job_list=sorted(known),
        job_desc=lambda job: known.get(job, RESERVE if "reserve" in job else described(nid=LIST, num_new_nodes=NUMBER)),
    )  # fmt: skip


NODE_ADD = [
    True,
    [
        "", {"priv_net": {"desc": "", "type": TEXT}},
        {"id": {"type": NUMBER}, "name": {"type": TEXT}, "offline": {"type": "bool"}},
        {}, None, None,
    ],
]  # fmt: skip


NODE_REMOVE = [True, ["", {"nid": {"type": f"{NUMBER} {LIST}"}}, {"force": {"type": "bool"}}, {}, None, None]]


def sent(nodes: Nodes) -> Any:
    """The parameters of the last job."""
    return nodes.calls[-1][-1]["params"]
