# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of awx.awx ask of AWX's API, answered from memory. It keeps what is written, and records each write.

It is as strict as AWX where the definitions could be wrong: objects that are named must be there, a template's playbook
must be in the project, a survey has the types that AWX has, some variables can't be injected. What AWX adds by itself
(defaults of fields that nobody gives) is left out.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional
from urllib.parse import parse_qsl, urlsplit

TOKEN = "token-of-the-test"

KINDS = (
    "organizations", "credential_types", "execution_environments", "credentials", "notification_templates", "projects",
    "inventories", "inventory_sources", "job_templates", "workflow_job_templates", "workflow_job_template_nodes",
    "workflow_approval_templates", "schedules", "project_updates",
)  # fmt: skip

TEMPLATES = ("projects", "inventory_sources", "job_templates", "workflow_job_templates", "workflow_approval_templates")
"""What AWX calls unified job templates. Their IDs are of one row."""

POINTS_TO = {
    "organization": ("organizations",), "credential_type": ("credential_types",), "credential": ("credentials",),
    "execution_environment": ("execution_environments",), "default_environment": ("execution_environments",),
    "project": ("projects",), "source_project": ("projects",), "inventory": ("inventories",),
    "workflow_job_template": ("workflow_job_templates",), "unified_job_template": TEMPLATES,
}  # fmt: skip

LISTS = {
    "job_templates": {"credentials": "credentials", "notification_templates_error": "notification_templates"},
    "inventory_sources": {"notification_templates_error": "notification_templates"},
    "workflow_job_templates": {
        "notification_templates_error": "notification_templates",
        "notification_templates_approvals": "notification_templates",
    },
    "workflow_job_template_nodes": {
        "success_nodes": "workflow_job_template_nodes",
        "failure_nodes": "workflow_job_template_nodes",
    },
}
"""What belongs to an object of a kind, and of which kind it is. An approval has no links: those are its step's."""

QUESTIONS = {"text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float"}

REFUSED = re.compile(r"ANSIBLE_.*|PATH|PYTHONPATH|CACHE|JOB_ID|AWX_HOST")

Row = dict[str, Any]


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


class Awx:
    """An imitation, as long as it is entered.

    :param playbooks: what the project's repository has.
    """

    def __init__(self, playbooks: set[str]) -> None:
        self.playbooks = playbooks
        self.rows: dict[str, dict[int, Row]] = {kind: {} for kind in KINDS}
        self.surveys: dict[int, Any] = {}
        self.lists: dict[tuple[str, int, str], list[int]] = {}
        self.writes: list[tuple[str, str, Any]] = []
        self._last = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Awx:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_about: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def named(self, kind: str) -> dict[str, Row]:
        """What is there of a kind, by name."""
        return {row.get("identifier") or row["name"]: row for row in self.rows[kind].values()}

    # -- requests

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(path)
        words = parts.path.removeprefix("/api/v2/").strip("/").split("/")
        if method in ("POST", "PATCH", "DELETE"):
            self.writes.append((method, "/".join(words), body))
        kind = words[0]
        if kind == "unified_job_templates" and len(words) == 1 and method == "GET":
            found = [row for one in TEMPLATES for row in self.rows[one].values()]
            return 200, _page(found, dict(parse_qsl(parts.query)))
        if kind not in self.rows:
            raise Refusal(404)
        if len(words) == 1:
            if method == "GET":
                rows = [self._shown(kind, row) for row in self.rows[kind].values()]
                return 200, _page(rows, dict(parse_qsl(parts.query)))
            return 201, self._shown(kind, self._create(kind, body))
        row = self.rows[kind].get(int(words[1]))
        if row is None:
            raise Refusal(404)
        if len(words) == 2:
            if method == "PATCH":
                self._check(kind, {**row, **body})
                row.update(body)
            return 200, self._shown(kind, row)
        return self._below(method, kind, row, words[2], body)

    def _create(self, kind: str, body: Row) -> Row:
        self._check(kind, body)
        self._last += 1
        row = {**body, "id": self._last, "type": kind.rstrip("s"), "url": f"/api/v2/{kind}/{self._last}/"}
        row["related"], row["summary_fields"] = {}, {}
        if kind in ("job_templates", "workflow_job_templates"):
            row["related"]["survey_spec"] = f"{row['url']}survey_spec/"
        self.rows[kind][row["id"]] = row
        if kind == "projects":
            update = self._create("project_updates", {"name": row["name"], "status": "successful", "failed": False})
            row.update(scm_revision="8f1c2d", summary_fields={"current_update": {"id": update["id"]}})
        return row

    def _below(self, method: str, kind: str, row: Row, word: str, body: Any) -> tuple[int, Any]:
        if word == "survey_spec" and kind in ("job_templates", "workflow_job_templates"):
            if method == "POST":
                _check_survey(body)
                self.surveys[row["id"]] = body
            return 200, self.surveys.get(row["id"], {})
        if word == "create_approval_template" and kind == "workflow_job_template_nodes" and method == "POST":
            approval = self._create("workflow_approval_templates", body)
            row["unified_job_template"] = approval["id"]
            row["related"]["unified_job_template"] = approval["url"]
            return 201, approval
        of = LISTS.get(kind, {}).get(word)
        if of is None:
            raise Refusal(404)
        ids = self.lists.setdefault((kind, row["id"], word), [])
        if method == "POST":
            if body["id"] not in self.rows[of]:
                raise Refusal(400, {"detail": f"there is none of {of} with the ID {body['id']}"})
            ids.remove(body["id"]) if body.get("disassociate") else ids.append(body["id"])
            return 204, None
        return 200, _page([self.rows[of][one] for one in ids], {})

    def _shown(self, kind: str, row: Row) -> Row:
        """A secret of a credential is never told."""
        if kind != "credentials" or not row.get("inputs"):
            return row
        fields = self.rows["credential_types"][row["credential_type"]]["inputs"]["fields"]
        secret = {field["id"] for field in fields if field.get("secret")}
        inputs = {name: "$encrypted$" if name in secret else value for name, value in row["inputs"].items()}
        return {**row, "inputs": inputs}

    # -- what AWX refuses

    def _check(self, kind: str, body: Row) -> None:
        for field, kinds in POINTS_TO.items():
            if body.get(field) is not None and not any(body[field] in self.rows[one] for one in kinds):
                raise Refusal(400, {field: [f'Invalid pk "{body[field]}" - object does not exist.']})
        if kind == "job_templates" and body["playbook"] not in self.playbooks:
            raise Refusal(400, {"playbook": ["Playbook not found for project."]})
        if kind == "credential_types":
            self._check_type(body)
        if kind == "credentials":
            fields = self.rows["credential_types"][body["credential_type"]]["inputs"]["fields"]
            strange = set(body.get("inputs", {})) - {field["id"] for field in fields}
            if strange:
                raise Refusal(400, {"inputs": [f"Additional properties are not allowed ({strange})"]})

    @staticmethod
    def _check_type(body: Row) -> None:
        fields = [field["id"] for field in body["inputs"]["fields"]]
        for name, text in body["injectors"].get("env", {}).items():
            if REFUSED.fullmatch(name):
                raise Refusal(400, {"injectors": [f"Environment variable {name} may affect Ansible configuration"]})
            read = set(re.findall(r"\{[{%](?:\s*if)?\s*([\w.]+)", text)) - {"endif"}
            files = {f"tower.filename{key.removeprefix('template')}" for key in body["injectors"].get("file", {})}
            if not read or read - {*fields, *files}:
                raise Refusal(400, {"injectors": [f"{name} uses an undefined field ({read})"]})


def _check_survey(body: Row) -> None:
    for place, row in enumerate(body["spec"]):
        missing = {"type", "question_name", "variable", "required"} - set(row)
        if missing:
            raise Refusal(400, {"error": f"{missing} missing from survey question {place}."})
        if row["type"] not in QUESTIONS:
            raise Refusal(400, {"error": f"'{row['type']}' in survey question {place} is not one of {QUESTIONS}"})
        choices = row.get("choices", [])
        if row["type"].startswith("multi") and not (choices and all(isinstance(one, str) for one in choices)):
            raise Refusal(400, {"error": f"survey question {place} must specify choices that are texts."})


def _page(rows: list[Row], query: dict[str, str]) -> Row:
    wanted = {name: value for name, value in query.items() if not name.startswith("or__")}
    found = [row for row in rows if all(str(row.get(name)) == value for name, value in wanted.items())]
    return {"count": len(found), "next": None, "results": found}


def _handler(awx: Awx) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null") if length else None
            status, told = self._answered(body)
            data = b"" if told is None else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(data)

        def _answered(self, body: Any) -> tuple[int, Optional[Any]]:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return 401, {"detail": "Authentication credentials were not provided."}
            with lock:
                try:
                    return awx.answer(self.command, self.path, body)
                except Refusal as refusal:
                    return refusal.status, refusal.body

        do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815

        def log_message(self, *_args: Any) -> None:
            """Nothing is logged."""

    return Handler
