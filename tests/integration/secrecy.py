# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A password, every way to write it, and the places where it must not be seen."""

from __future__ import annotations

import base64
import html
import json
import shlex
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import yaml
from ansible.constants import DEFAULT_VAULT_ID_MATCH
from ansible.parsing.vault import VaultLib, VaultSecret

PASSWORD = "p@ss w%o&r\"d'x"
WRONG = "wr%ng & 'pass@ \"w"
VAULT = "open sesame"


def spellings(secret):
    raw = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        html.escape(secret, quote=False),
        shlex.quote(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        secret.replace("'", "''"),
        secret.replace('"', '\\"'),
        secret.replace("'", "\\'"),
        base64.b64encode(secret.encode()).decode(),
        base64.b64encode(f"admin:{secret}".encode()).decode(),
    }
    # What is put into JSON again, as a result within a result is.
    return raw | {json.dumps(word)[1:-1] for word in raw} | {repr(word)[1:-1] for word in raw}


def assert_silent(text, where):
    for secret in (PASSWORD, WRONG):
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


class Watch:
    """What anybody on this machine could read in the list of processes meanwhile."""

    def __init__(self):
        self.seen, self._over = set(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self._over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_unused):
        self._over.set()
        self._thread.join()
