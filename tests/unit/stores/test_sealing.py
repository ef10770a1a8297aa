"""Sealing: what goes in comes out, and nothing else does."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from terrace.errors import ConflictError, InvariantError
from terrace.stores.sealing import KeyFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "key"


def test_what_is_sealed_can_be_unsealed_and_not_read(path: Path) -> None:
    keys = KeyFile(path)
    sealed = keys.seal(b"hunter2")
    assert b"hunter2" not in sealed
    assert keys.unseal(sealed) == b"hunter2"
    assert keys.seal(b"hunter2") != sealed
    assert keys.unseal(keys.seal(b"")) == b""


def test_the_file_is_made_once_and_for_its_owner_only(path: Path) -> None:
    sealed = KeyFile(path).seal(b"x")
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert KeyFile(path).unseal(sealed) == b"x"
    assert path.read_text() == text
    assert [file.name for file in path.parent.iterdir()] == ["key"]


def test_every_changed_byte_is_noticed(path: Path) -> None:
    keys = KeyFile(path)
    sealed = keys.seal(b"hunter2")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(InvariantError):
            keys.unseal(bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(InvariantError):
            keys.unseal(sealed[:length])


def test_another_key_does_not_unseal(path: Path, tmp_path: Path) -> None:
    sealed = KeyFile(path).seal(b"x")
    with pytest.raises(InvariantError, match="not in") as caught:
        KeyFile(tmp_path / "other").unseal(sealed)
    assert "key file" in caught.value.hint


def test_a_second_key_seals_while_the_first_still_unseals(path: Path) -> None:
    old = KeyFile(path)
    sealed, digest = old.seal(b"x"), old.digest(b"x")
    with path.open("a") as file:
        file.write(f"seal 0a0b0c0d {base64.b64encode(os.urandom(32)).decode()}\n")
    both = KeyFile(path)
    assert both.unseal(sealed) == b"x"
    assert both.digest(b"x") == digest
    newer = both.seal(b"x")
    assert newer[1:5].hex() == "0a0b0c0d"
    with pytest.raises(InvariantError):
        old.unseal(newer)


def test_digests_are_equal_for_equal_secrets_and_keyed(path: Path, tmp_path: Path) -> None:
    keys = KeyFile(path)
    assert keys.digest(b"x") == KeyFile(path).digest(b"x")
    assert keys.digest(b"x") != keys.digest(b"y")
    assert keys.digest(b"x") != KeyFile(tmp_path / "other").digest(b"x")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    KeyFile(path).seal(b"x")
    path.chmod(mode)
    with pytest.raises(ConflictError, match=f"{mode:04o}") as caught:
        KeyFile(path).seal(b"x")
    assert caught.value.hint == f"chmod 600 {path}"


GOOD = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "é",
        f"digest {GOOD}",
        f"seal 00000001 {GOOD}\ndigest {GOOD[:-4]}",
        f"seal 0001 {GOOD}\ndigest {GOOD}",
        f"seal 0000000g {GOOD}\ndigest {GOOD}",
        f"seal 00000001 {GOOD[:-4]}\ndigest {GOOD}",
        f"seal 00000001 !\ndigest {GOOD}",
        f"seal 00000001 {GOOD}\ndigest {GOOD}\nsomething else",
    ],
)
def test_a_damaged_file_is_said_to_be_so(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConflictError, match="not a whole key file"):
        KeyFile(path).digest(b"x")


def test_a_path_that_cannot_be_a_file_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConflictError, match="cannot be read or made"):
        KeyFile(tmp_path / "file" / "key").seal(b"x")


def test_the_slower_of_two_makers_takes_the_faster_ones_key(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster, link = KeyFile(path), os.link

    def late(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        faster.seal(b"x")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    slower = KeyFile(path)
    assert faster.unseal(slower.seal(b"y")) == b"y"
    assert [file.name for file in path.parent.iterdir()] == ["key"]
