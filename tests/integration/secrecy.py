# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A password, every way to write it, and the places where it must not be seen."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shlex
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import yaml
from ansible.constants import DEFAULT_VAULT_ID_MATCH
from ansible.parsing.vault import VaultLib, VaultSecret

PASSWORD = "p@ss w%o&r\"d'x"
WRONG = "wr%ng & 'pass@ \"w"
VAULT = "open sesame"


def spellings(secret):
    """The ways in which servers, libraries and shells write it."""
    json_text, coded = json.dumps(secret)[1:-1], secret.encode()
    percent = quote(secret, safe="")
    raw = {
        secret,
        quote(secret),
        percent,
        re.sub("%..", lambda found: found[0].lower(), percent),
        quote(secret, safe="!'()*~"),
        quote(percent, safe=""),
        quote_plus(secret),
        html.escape(secret),
        html.escape(secret, quote=False),
        escape(secret, {"'": "&apos;", '"': "&quot;"}),
        escape(secret).encode("ascii", "xmlcharrefreplace").decode(),
        shlex.quote(secret),
        repr(secret)[1:-1],
        repr(coded)[2:-1],
        json_text,
        json_text.replace("/", "\\/"),
        re.sub("[<>&]", lambda found: f"\\u00{ord(found[0]):02x}", json_text),
        secret.replace("'", "''"),
        secret.replace('"', '\\"'),
        secret.replace("'", "\\'"),
    }
    # What is put into JSON again, as a result within a result is.
    raw |= {json.dumps(word)[1:-1] for word in raw} | {repr(word)[1:-1] for word in raw}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        raw |= {encode(word).decode().rstrip("=") for word in (coded, b"admin:" + coded)}
    return raw


def assert_silent(text, where, secrets=(PASSWORD, WRONG)):
    for secret in secrets:
        for word in spellings(secret):
            place = text.find(word)
            assert place < 0, f"{where}: {text[max(0, place - 300) : place + 100]}"


class Vaulted(str):
    """A value that the inventory holds encrypted."""


class Dumper(yaml.SafeDumper):
    pass


def encrypt(text):
    vault = VaultLib([(DEFAULT_VAULT_ID_MATCH, VaultSecret(VAULT.encode()))])
    return vault.encrypt(text).decode()


Dumper.add_representer(Vaulted, lambda dumper, data: dumper.represent_scalar("!vault", encrypt(str(data)), style="|"))


def paths_below(*folders):
    """The files that are there. A folder that goes meanwhile, as ansible-core's do, is no error."""
    return [Path(place, name) for folder in folders for place, _inner, names in os.walk(folder) for name in names]


class Watch:
    """What can be read of processes and files of this machine meanwhile.

    :param folders: their files are read whenever they change; those as which modules travel aren't among them.
    :ivar seen: the list of processes, as anybody sees it.
    :ivar children: by command line, the environment of processes whose environment names one of the folders.
    :ivar files: by path, what stood in them.
    """

    def __init__(self, *folders):
        self.seen, self._over = set(), threading.Event()
        self.children, self.files = {}, {}
        self._folders, self._known = folders, {}
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        looks = 0
        while not self._over.wait(0.03):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if line not in self.seen:
                        self.seen.add(line)
                        self._look_into(line, path.with_name("environ").read_bytes().decode(errors="replace"))
                except OSError:
                    continue
            looks += 1
            if looks % 8 == 0:
                self._look_at_files()

    def _look_into(self, line, environment):
        if any(str(folder) in environment for folder in self._folders):
            self.children[line] = environment

    def _look_at_files(self):
        for path in paths_below(*self._folders):
            if path.name.startswith(("AnsiballZ_", "tmp")) or path.suffix == ".py":
                continue  # of ansible-core, for its own user alone
            with suppress(OSError):
                now = path.stat()
                if path.is_file() and self._known.get(path) != (now.st_mtime_ns, now.st_size):
                    self._known[path] = (now.st_mtime_ns, now.st_size)
                    self.files[str(path)] = self.files.get(str(path), "") + path.read_text(errors="replace")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_unused):
        assert self._thread.is_alive(), "nobody watched"
        self._over.set()
        self._thread.join()
