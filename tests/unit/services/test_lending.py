"""Credentials of providers come from secrets of the installation, or from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrace.errors import DocumentError
from terrace.services.secrets.lending import lent
from terrace.services.settings import Settings, Surroundings, parse
from terrace.stores.memory import MemoryStore
from terrace.stores.memory_vault import MemoryVault
from tests.contracts.store.samples import FlippedSecrets, HandClock

TOML = """
[providers.far]
driver = "sim"
[providers.far.keys]
one = "secret:far-key"
two = "file:{file}"
three = "ssh-ed25519 AAAA me"
four = "secret:no name"
"""


def settings_of(text: str) -> Settings:
    return parse(text, "server.toml", Surroundings({"HOME": "/h"}, lambda _: False))


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault(MemoryStore(FlippedSecrets(), HandClock()))


async def test_they_are_put_in_where_they_are_named(vault: MemoryVault, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    await vault.put("", "far-key", "from a secret", "ann")
    await vault.put("default", "far-key", "that of a project", "ann")
    settings = settings_of(TOML.format(file=tmp_path / "token"))
    found = await lent(settings, vault, lambda path: Path(path).read_text(encoding="utf-8"))
    assert found.providers["far"].table["keys"] == {
        "one": "from a secret", "two": "from a file", "three": "ssh-ed25519 AAAA me", "four": "secret:no name",
    }  # fmt: skip
    assert "from a secret" not in found.text


async def test_what_is_not_there_is_said_at_its_line(vault: MemoryVault) -> None:
    settings = settings_of(TOML.format(file="/nowhere/token"))
    with pytest.raises(DocumentError) as caught:
        await lent(settings, vault, lambda path: Path(path).read_text(encoding="utf-8"))
    told = [(one.line, one.message) for one in caught.value.problems]
    assert told == [
        (5, 'providers.far.keys.one: there is no secret "far-key" of the installation'),
        (6, "providers.far.keys.two: /nowhere/token cannot be read: No such file or directory"),
    ]
    assert caught.value.problems[0].hint == "terrace secret set far-key --installation"
