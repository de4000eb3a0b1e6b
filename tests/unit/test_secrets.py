# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No spelling of a secret survives."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._foreign import beginning
from ansible_collections.dbfleet.cluster.plugins.module_utils._secrets import (
    MASK,
    Scrubber,
    as_bytes,
    in_url,
)
from hypothesis import assume, example, given, settings, strategies as st

SPELLED = {
    "as it is": str,
    "in a path": quote,
    "in a URL": lambda s: quote(s, safe=""),
    "in a URL, lower case": lambda s: re.sub("%..", lambda found: found[0].lower(), quote(s, safe="")),
    "in a form": quote_plus,
    "in a repr": lambda s: repr(s)[1:-1],
    "in a repr of a repr": lambda s: repr(repr(s))[1:-1],
    "in bytes": lambda s: repr(s.encode())[2:-1],
    "in JSON": lambda s: json.dumps(s)[1:-1],
    "in JSON, unescaped": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "in JSON in JSON": lambda s: json.dumps(json.dumps(s)[1:-1])[1:-1],
    "in XML": escape,
    "in an XML attribute": lambda s: quoteattr(s)[1:-1],
    "in HTML": html.escape,
    "in a shell": shlex.quote,
    "in YAML": lambda s: s.replace("'", "''"),
    "in base64": lambda s: base64.b64encode(s.encode()).decode(),
    "in base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "as JavaScript codes it for a URL": lambda s: quote(s, safe="!'()*~"),
    "in a URL in a URL": lambda s: quote(quote(s, safe=""), safe=""),
    "in XML of another server": lambda s: escape(s, {"'": "&apos;", '"': "&quot;"}),
    "in XML in XML": lambda s: escape(escape(s)),
    "in ASCII XML": lambda s: escape(s).encode("ascii", "xmlcharrefreplace").decode(),
    "in JSON for a web page": lambda s: re.sub("[<>&]", lambda found: f"\\u00{ord(found[0]):02X}", json.dumps(s)[1:-1]),
    "in JSON, slashes escaped": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
}
FOLDED = {f"{how}, folded": lambda s, spell=spell: " ".join(spell(s).split()) for how, spell in SPELLED.items()}
PARTS = st.text("ab'\"@%&:/+ \\<>ä€\n\t", min_size=3, max_size=12)


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
@settings(max_examples=60)
@given(secret=PARTS)
@example("p w'\"@%&:/+")
@example("a/b:c")
def test_no_spelling_survives(spelled, secret):
    text = Scrubber([secret]).text(f"<{spelled(secret)}>")
    assert spelled(secret) not in text
    assert MASK in text


@pytest.mark.parametrize("secret", ["p\udcff", "\ud800x"])
def test_secrets_that_are_no_text_are_scrubbed_too(secret):
    assert Scrubber([secret]).text(f"<{secret}>") == f"<{MASK}>"
    assert isinstance(as_bytes(secret), bytes)


@pytest.mark.parametrize("spelled", FOLDED.values(), ids=FOLDED)
@settings(max_examples=40)
@given(secret=PARTS)
@example("my  Secr3t \t pw\n")
def test_no_spelling_survives_in_one_line(spelled, secret):
    folded = spelled(secret)
    text = Scrubber([secret]).text(f"<{folded}>")
    assert not folded or (folded not in text and MASK in text)


CODES = {
    "itself": lambda char: char,
    "percent": lambda char: "".join(f"%{byte:02x}" for byte in char.encode()),
    "decimal": lambda char: f"&#{ord(char)};",
    "hexadecimal": lambda char: f"&#x{ord(char):X};",
    "unicode": lambda char: f"\\u{ord(char):04x}",
    "bytes": lambda char: "".join(f"\\x{byte:02x}" for byte in char.encode()),
    "backslash": lambda char: f"\\{char}",
}


@settings(max_examples=200)
@given(data=st.data(), secret=st.text("ab'\"@%&:/ <>ä€\\", min_size=3, max_size=12))
def test_whichever_characters_a_server_writes_by_their_codes(data, secret):
    """Each encoder has its own set of them, and its own codes."""
    # The code of a blank at the end, behind a backslash, reads as two backslashes and a rest that tells nothing.
    assume(not re.search(r"\\ +$", secret))
    ways = [st.sampled_from(["itself"] if char.isascii() and char.isalnum() else [*CODES]) for char in secret]
    coded = "".join(CODES[way](char) for way, char in zip(data.draw(st.tuples(*ways)), secret))
    assert Scrubber([secret]).text(f"z{coded}z") == f"z{MASK}z"


@pytest.mark.parametrize("secret", ["s3cret-word", "p w'\"@%&:/+", "ääääää"])
@pytest.mark.parametrize("user", ["", "a", "op", "admin", "operator"])
def test_within_base64_whatever_stands_around_it(secret, user):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for behind in ("", "\n", "@host"):
            word = encode(f"{user}:{secret}{behind}".encode()).decode()
            rest = Scrubber([secret]).text(f"Basic {word}").removeprefix("Basic ").partition(MASK)
            assert rest[1] == MASK
            assert len(secret.encode()) * 4 / 3 - (len(word) - len(rest[0]) - len(rest[2])) < 3


@pytest.mark.parametrize("secret", ["\\" * 10 + "x", "'" * 10 + "x", "%" * 10 + "x", " " * 10 + "x", '&"' * 8])
def test_a_text_that_means_ill_does_not_hold_it_up(secret):
    """Not for a time that grows with each character; 20,000 of them took for ever."""
    scrubber = Scrubber([secret])
    for part in ("\\", "'", "%25", "+", "&amp;", "\\'", "''\\\\"):
        assert scrubber.text(part * 4000) == part * 4000


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvSECRETA+/\n  SECRETB0987==\nab\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("spelled", [str, *FOLDED.values(), lambda s: s.replace("\n", "\r\n"), lambda s: s[:50]])
def test_a_secret_of_several_lines(spelled):
    text = Scrubber([PEM]).text(f"key={spelled(PEM)} about")
    assert "SECRET" not in text
    assert text.endswith(" about")


def test_each_line_of_a_secret_by_itself():
    scrubber = Scrubber([PEM])
    assert scrubber.text("odd line 'MIIEvSECRETA+/'") == f"odd line '{MASK}'"
    assert scrubber.text("ab") == "ab"


@pytest.mark.parametrize("secret", ["AbcdefghijKLMNOPqr", "a b'c\"d&e f g", PEM, "aaaaaaab"])
def test_a_secret_that_is_cut_off(secret):
    folded = " ".join(secret.split())
    for most in range(1, len(folded) + 12):
        shown = Scrubber([secret]).text(f"{beginning(f'password={folded}', most)!r}; user admin ...")
        rest = folded[: most - len("password=")] if most > len("password=") else ""
        assert len(rest) < 4 or rest not in shown
        assert shown.endswith("; user admin ...")


def test_only_what_is_cut_off_is_taken_for_the_beginning_of_a_secret():
    scrubber = Scrubber(["admin-secret"])
    assert scrubber.text("admin, user admin; adm ... admi, ...") == "admin, user admin; adm ... admi, ..."
    assert scrubber.text("admin ... admin-sec ...") == f"{MASK} ... {MASK} ..."


def test_a_secret_within_another_leaves_no_rest():
    assert Scrubber(["abc", "abcdef"]).text("abcdef abc") == f"{MASK} {MASK}"


def test_nothing_secret_nothing_changed():
    data = {"a": [1, None, "x"]}
    assert Scrubber(["", ""]).data(data) is data


def test_data_is_scrubbed_wherever_it_stands():
    found = Scrubber(["s3cret"]).data({"s3cret": ["x s3cret", ("s3cret", 1)], "deep": {"er": {"s3cret!": None}}})
    assert found == {MASK: [f"x {MASK}", [MASK, 1]], "deep": {"er": {f"{MASK}!": None}}}


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://u:p%40ss@h", ["p%40ss", "p@ss"]),
        ("u:pw@h", ["pw"]),
        ("https://u:p/w@h/x", ["p/w"]),
        ("https://u:a@b@h", ["a@b"]),
        ("https://u:pw@[::1", ["pw"]),
        ("https://u@h", []),
        ("https://h:443/x", []),
        ("", []),
    ],
)
def test_passwords_in_urls_are_found(url, wanted):
    assert in_url(url) == wanted
