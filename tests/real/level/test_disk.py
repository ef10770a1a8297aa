"""Full disks and images that cannot be had: one clear line, what happens next, and on as soon as it can."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.real.engine import Engine
from tests.real.images import tiny_image as make_tiny_image
from tests.real.level.rig import Terrace, alone, machine, of
from tests.real.remains import note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MISSING = "127.0.0.1:9/nowhere/never:1"


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of its own at `place`."""
    place.mkdir(parents=True, exist_ok=True)
    note("umount", "--lazy", place)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is; the file to remove for having it back."""
    ballast = disk / "ballast"
    for size in (1 << 20, 4096, 1):
        try:
            with ballast.open("ab", buffering=0) as file:
                while file.write(b"b" * size):
                    pass
        except OSError:
            continue
    return ballast


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrace]:
    """A user whose engine keeps its things on a disk of 64 MB."""
    folder = tmp_path_factory.mktemp("small")
    with small_disk(folder / "disk", "64m") as disk:
        engine = Engine(disk / "engine", f"tf{os.getpid()}")
        engine.create()
        try:
            yield from alone(folder, engine)
        finally:
            engine.destroy()


@pytest.fixture
def tight(session_engine: Engine, tmp_path: Path) -> Iterator[Terrace]:
    """A user whose state folder is on a disk of 8 MB."""
    with small_disk(tmp_path / "state" / "terrace", "8m"):
        yield from alone(tmp_path, session_engine)


def one_line(terrace: Terrace, stack: str, path: str, *words: str) -> str:
    """The reason that a resource gives, which is one line with all of `words`."""

    def found() -> str:
        why = str(terrace.resources(stack).get(path, {}).get("why", ""))
        return why if all(word in why for word in words) else ""

    why: str = terrace.until(found, why=f"a reason of {path} that says {words}")
    assert "\n" not in why
    assert len(why) < 400
    return why


def test_the_engines_disk_is_full(full: Terrace) -> None:
    image = make_tiny_image(full.engine)
    data = {"path": "/big", "content": "x" * 300_000}
    ballast = fill(full.folder / "disk")
    full.up("big", {"a": machine(image, files=[data])}, "--no-follow")
    full.until(lambda: "no space left" in full.head("big")["why"], why="the stack to say what is wrong")
    status = full("status", "big").out.splitlines()
    assert "no space left" in status[1]
    assert "tried again" in status[1]
    ballast.unlink()
    full("retry", "big", code=None)
    full.stands("big", "network:stack", "a")
    full.down("big")


def test_the_state_folder_is_full(tight: Terrace, engine: Engine, tiny_image: str) -> None:
    tight.up("one", {"a": machine(tiny_image)})
    ballast = fill(tight.state)
    done = tight.up("two", {f"v{number}": of("Value", value="x" * 20_000) for number in range(60)}, code=1)
    assert f"the state folder {tight.state} is full" in done.err
    assert "help: Make room" in done.err
    assert "Traceback" not in done.err + tight.log

    # What stands goes on standing: nothing is lost, and what broke meanwhile is mended when there is room.
    before = tight.container("one", "a")
    engine.cli("rm", "--force", before)
    ballast.unlink()
    tight.until(lambda: tight.container("one", "a") != before, why="a new machine")
    tight.stands("one", "network:stack", "a")
    tight.down("one")


def test_the_state_folder_is_full_before_the_server_starts(tight: Terrace) -> None:
    tight("list")
    tight.stop()
    ballast = fill(tight.state)
    done = tight("list", code=1)
    assert f"{tight.state} is full" in done.err or "No space left" in done.err, done
    assert "Traceback" not in done.err
    ballast.unlink()
    tight("list")


def test_an_image_that_is_not_there(terrace: Terrace, tiny_image: str) -> None:
    """Nobody has it: that is told on one line, with what happens next; the rest of the stack stands."""
    done = terrace.up(
        "lost", {"a": machine("terrace-test/nothing:1"), "b": machine(tiny_image)}, "--no-follow"
    )
    assert done.code == 0
    one_line(terrace, "lost", "image:terrace-test~nothing:1", "registry")
    terrace.until(lambda: terrace.resources("lost")["b"]["state"] == "ready", why="b to stand all the same")

    def said() -> bool:  # not while it is tried again just now
        line = terrace("status", "lost").out.splitlines()[1]
        return "terrace-test~nothing:1 is failing" in line and "tried again" in line

    terrace.until(said, why="the head to say what is missing, and what happens next")

    terrace.engine.cli("tag", tiny_image, "terrace-test/nothing:1")
    terrace("retry", "lost")
    terrace.stands("lost", "network:stack", "a", "b")
    terrace.down("lost")
    terrace.engine.cli("rmi", "terrace-test/nothing:1")


def test_a_registry_that_does_not_answer(terrace: Terrace, tiny_image: str) -> None:
    terrace.up("lost", {"a": machine(MISSING)}, "--no-follow")
    path = next(path for path in terrace.resources("lost") if path.startswith("image:"))
    why = one_line(terrace, "lost", path, "127.0.0.1:9")
    assert "Traceback" not in why
    done = terrace("image", "pull", MISSING, code=1)
    assert done.err.count("error:") == 1
    assert "127.0.0.1:9" in done.err
    terrace.up("lost", {"a": machine(tiny_image)})
    terrace.stands("lost", "network:stack", "a")
    terrace.down("lost")


def test_an_image_with_a_misspelt_name(terrace: Terrace) -> None:
    """A name without tag that is no alias either is told when it is typed."""
    done = terrace.up("typo", {"a": machine("debain-12")}, code=None)
    assert "debain-12" in done.err
    terrace("down", "typo", "--yes", code=None)
