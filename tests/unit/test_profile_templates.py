# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates of a profile: which texts are some, what they may use and give, and what is told of one that fails."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.modules import exa_cluster_info
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.profile_templates import Template
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.profiles import Profiles

SPEC: Any = exa_cluster_info.SPEC["argument_spec"]
SECRET = "s3cr3t\\n{{ lookup('env', 'HOME') }}'\"%"
KEY = VaultSecret(b"the vault's key")


class Read:
    """A file of profiles with one, and what it is read to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "profiles.yml"
        self.loader = DataLoader()
        self.loader.set_vault_secrets([("default", KEY)])
        self.profiles = Profiles(self.loader)

    def write(self, text: str) -> None:
        self.path.write_text(textwrap.dedent(text))
        self.path.chmod(0o600)
        self.loader._FILE_CACHE.clear()  # which ansible-core keeps for a run

    def __call__(self, option: str, value: str, profile: str = "prod", given: tuple[str, ...] = ()) -> Any:
        """:param value: as YAML."""
        self.write(f"'{profile}': {{ {option}: {value} }}")
        self.profiles = Profiles(self.loader)
        return self.profiles.connection(profile, str(self.path), SPEC, given).get(option)

    def refused(self, option: str, value: str) -> ClusterError:
        with pytest.raises(ClusterError) as caught:
            self(option, value)
        error = caught.value
        assert error.message.startswith(f"profile prod: the template of {option} in {self.path} "), error.message
        assert "\n" not in error.message
        for word in ("s3cr3t", "Error", "Exception", "{{"):
            assert word not in f"{error.message} {error.hint}"
        return error


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.setenv("OF_A_TEST", SECRET)
    monkeypatch.delenv("OF_NOBODY", raising=False)
    return Read(tmp_path)


def env(name: str) -> str:
    return "{{ lookup('env', '" + name + "') }}"


# -- what it gives


def test_what_a_lookup_returns_is_no_template_again(read: Read) -> None:
    for template in (env("OF_A_TEST"), "{{ query('env', 'OF_A_TEST')[0] }}"):
        found = read("api_password", f'"{template}"')
        assert found == SECRET
        assert found.__class__ is str


def test_a_text_that_looks_like_data_stays_one(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of digits, or one in brackets, is itself on every ansible-core."""
    for text in ("0600", "1e5", "True", "[1, 2]", '{"a": 1}', "'quoted'", "~", "x" * 5000):
        monkeypatch.setenv("OF_A_TEST", text)
        assert read("api_password", f'"{env("OF_A_TEST")}"') == text


def test_files_count_from_the_folder_of_the_profiles(read: Read, tmp_path: Path) -> None:
    """Wherever the play, or the inventory, is: the loader's own folder is another, and stays it."""
    (tmp_path / "prod.txt").write_text("of a file\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "prod.txt").write_text("of elsewhere")
    read.loader.set_basedir(str(elsewhere))
    assert read("api_password", "\"{{ lookup('file', profile ~ '.txt') }}\"") == "of a file"
    assert read("api_password", "\"{{ lookup('file', profiles_dir ~ '/prod.txt') }}\"") == "of a file"
    assert read("api_password", "\"{{ lookup('unvault', 'prod.txt') }}\"") == "of a file"  # its last line break is none
    assert read.loader.get_basedir() == str(elsewhere)


def test_a_vaulted_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "sealed").write_bytes(VaultLib([("default", KEY)]).encrypt(SECRET, KEY))
    assert read("api_password", "\"{{ lookup('unvault', 'sealed') }}\"") == SECRET
    read.loader._FILE_CACHE.clear()
    read.path.write_bytes(VaultLib([("default", KEY)]).encrypt(f'a: {{ api_password: "{env("OF_A_TEST")}" }}', KEY))
    assert Profiles(read.loader).connection("a", str(read.path), SPEC) == {"api_password": SECRET}


def test_text_around_it_and_lists(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_A_TEST", "n10,n11")
    assert read("ca_path", '"/etc/{{ profile }}/ca.pem"', profile="{{ 7 }}") == "/etc/{{ 7 }}/ca.pem"
    assert read("api_url", f'"{env("OF_A_TEST")}"') == "n10,n11"
    assert read("api_url", f'[n9, "{env("OF_A_TEST")}:443"]') == ["n9", "n10,n11:443"]
    assert read("api_password", "\"{{ lookup('dict', {'password': 's3cr3t'}).value }}\"") == "s3cr3t"
    monkeypatch.setenv("OF_A_TEST", "false")
    assert read("validate_certs", f'"{env("OF_A_TEST")}"') == "false"


# -- what is one


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("!unsafe 'pw{{ x'", "pw{{ x"),
        ("!unsafe \"{{ lookup('env', 'OF_A_TEST') }}\"", "{{ lookup('env', 'OF_A_TEST') }}"),
        ("'pw{ {x} }'", "pw{ {x} }"),
        ("'#jinja2: x'", "#jinja2: x"),
        ("null", None),
    ],
)
def test_what_is_no_template(read: Read, value: str, found: Any) -> None:
    assert read("api_password", value) == found


def test_a_vaulted_value_is_none(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    context = getattr(vault, "VaultSecretsContext", None)
    if context is not None:  # from ansible-core 2.19 on a value is decrypted wherever it is used
        current = staticmethod(lambda *_args, **_more: context(secrets=[("default", KEY)]))
        monkeypatch.setattr(context, "current", current)
    sealed = VaultLib([("default", KEY)]).encrypt("pw{{ x }}", KEY).decode()
    read.write("a:\n  api_password: !vault |\n" + textwrap.indent(sealed, "    "))
    assert Profiles(read.loader).connection("a", str(read.path), SPEC) == {"api_password": "pw{{ x }}"}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("'s3cr3t{{x'", "can't be parsed"),
        ("'s3cr3t{% x'", "can't be parsed"),
        ("'s3cr3t{#x'", "can't be parsed"),
        ("'s3cr3t{#x#}'", "contains neither a lookup nor one of the variables profile and profiles_dir"),
        ("'{{ 7 * 7 }}s3cr3t'", "contains neither a lookup"),
        ("'{% raw %}s3cr3t{% endraw %}'", "contains neither a lookup"),
        ("'a{{s3cr3t}}b'", "uses something other than lookups and the variables profile and profiles_dir"),
        ("\"{{ lookup('env', inventory_hostname) }}\"", "uses something other than lookups"),
        ("\"#jinja2: trim_blocks:True\\n{{ lookup('env', 'HOME') }}\"", "begins with #jinja2:"),
    ],
)
def test_a_password_with_braces_is_refused_and_not_changed(read: Read, value: str, says: str) -> None:
    error = read.refused("api_password", value)
    assert says in error.message
    assert "!unsafe" in str(error.hint)


# -- what can't be used


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("lookup('file', '/nowhere/s3cr3t')", "has no value: the lookup file failed, or its result lacks"),
        ("lookup('ini', 's3cr3t', file='/no')", "has no value: the lookup ini failed"),
        ("lookup('env', 'OF_A_TEST').s3cr3t", "has no value: the lookup env failed, or its result lacks what"),
        ("lookup('env', 'OF_A_TEST') | s3cr3t", "has no value: the lookup env failed"),
        ("lookup('env', 'OF_A_TEST') ~ lookup('vars', 's3cr3t')", "one of the lookups env vars failed"),
        ("lookup('no.such.lookup', 's3cr3t')", "needs the lookup no.such.lookup, which isn't installed on this"),
        ("lookup('env', 'OF_NOBODY')", "gives nothing (lookup env)"),
        ("query('env', 'OF_A_TEST')", "gives a list or a dictionary, but the option needs a text"),
        ("{'a': lookup('env', 'OF_A_TEST')}", "gives a list or a dictionary, but the option needs a text"),
        ("lookup('file', '/nowhere/s3cr3t', errors='warn')", "sets errors for a lookup"),
        ("lookup('file', 's3cr3t', **{'errors': 'ignore'})", "sets errors for a lookup"),
    ],
)
def test_one_that_fails_is_one_sentence(
    read: Read, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    """With -vvvv too, in which ansible-core shows a traceback, and lookups what they were given."""
    for name in ("verbosity", "log_verbosity"):
        if hasattr(Display(), name):
            monkeypatch.setattr(Display(), name, 4)
    assert says in read.refused("api_password", f'"{{{{ {value} }}}}"').message
    shown = capsys.readouterr()
    assert "s3cr3t" not in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
    assert Display().verbosity == 4


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("request_timeout", "s3cr3t", "gives something that request_timeout can't take"),
        ("validate_certs", "s3cr3t", "gives something that validate_certs can't take"),
        ("provider", "s3cr3t", "gives something other than auto, exaoperation, confd"),
        ("client_key", "-----BEGIN\ns3cr3t\n-----END", "gives several lines, but the option needs one"),
        ("api_url", " , ", "gives nothing"),
    ],
)
def test_what_an_option_can_t_take_is_not_shown(
    read: Read, monkeypatch: pytest.MonkeyPatch, option: str, value: str, says: str
) -> None:
    monkeypatch.setenv("OF_A_TEST", value)
    assert says in read.refused(option, f'"{env("OF_A_TEST")}"').message


# -- which are evaluated


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The variables of the environment that the lookup was made for."""
    found: list[str] = []
    run = lookup_loader.get("env").__class__.run

    def heard(self: Any, terms: list[str], *args: Any, **kwargs: Any) -> Any:
        found.extend(map(str, terms))
        return run(self, terms, *args, **kwargs)

    monkeypatch.setattr(lookup_loader.get("env").__class__, "run", heard)
    return found


def test_only_what_is_used(read: Read, asked: list[str]) -> None:
    """Not that of another profile, of an option that is given, or of one that a nearer profile says anew."""
    read.write("""
        defaults:
          exasol: { api_username: "{{ lookup('env', 'OF_DEFAULTS') }}", ca_path: "{{ lookup('env', 'OF_DEFAULTS') }}" }
        base: { api_password: "{{ lookup('env', 'OF_BASE') }}", api_username: operator }
        prod: { inherits: base, api_password: "{{ lookup('env', 'OF_A_TEST') }}", ca_path: null }
        other: { api_password: "{{ lookup('env', 'OF_OTHER') }}" }
        broken: { api_password: "{{ broken" }
    """)
    path = str(read.path)
    assert list(read.profiles.of_file(path, "it")) == ["base", "prod", "other", "broken"]
    assert asked == []
    assert read.profiles.connection("prod", path, SPEC, ["api_password"]) == {
        "api_username": "operator", "ca_path": None,
    }  # fmt: skip
    assert asked == []
    assert read.profiles.connection("prod", path, SPEC)["api_password"] == SECRET
    assert asked == ["OF_A_TEST"]


def test_each_is_evaluated_once_where_it_does_not_ask_for_which_profile(read: Read, asked: list[str]) -> None:
    """So the default of fifty clusters asks the vault once, whether it answers or not."""
    read.write("""
        defaults: { exasol: { api_password: "{{ lookup('env', 'OF_A_TEST') }}" } }
        a: {}
        b: {}
        c: { api_password: "{{ lookup('env', 'OF_A_TEST' if profile == 'c' else 'x') }}" }
        d: { inherits: c, ca_path: /d }
        e: { api_password: "{{ lookup('env', 'OF_NOBODY') }}" }
        f: { inherits: e }
    """)
    found = {name: read.profiles.connection(name, str(read.path), SPEC)["api_password"] for name in "abc"}
    assert found == {"a": SECRET, "b": SECRET, "c": SECRET}
    for name in "def":
        with pytest.raises(ClusterError, match=f"^profile {name}: the template of api_password in .* gives nothing"):
            read.profiles.connection(name, str(read.path), SPEC)
    assert asked == ["OF_A_TEST", "OF_A_TEST", "x", "OF_NOBODY"]


def test_no_template_is_shown_where_it_is_no_value(read: Read) -> None:
    """It isn't taken for an option either: what an entry holds is told by its keys alone."""
    read.write("a: \"{{ lookup('env', 'OF_A_TEST') }}\"")
    assert isinstance(read.profiles.of_file(str(read.path), "it")["a"], Template)
    with pytest.raises(ClusterError, match="has no such profile"):
        read.profiles.connection("a", str(read.path), SPEC)
