"""A state folder on a disk that is really full, or really read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from terrace.errors import TransientError
from terrace.stores.sqlite import SqliteStore
from tests.contracts.store.samples import (
    FlippedSecrets,
    HandClock,
    Worker,
    a_generation,
    a_record,
    a_stack,
    paths,
)
from tests.real.remains import note


def as_root(*command: str) -> None:
    subprocess.run([*([] if os.geteuid() == 0 else ["sudo", "-n"]), *command], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    note("umount", "--lazy", place)
    as_root("mount", "-t", "tmpfs", "-o", f"size=8m,uid={os.getuid()},mode=0700", "tmpfs", str(place))
    yield place
    as_root("umount", str(place))


def a_store(disk: Path) -> SqliteStore:
    return SqliteStore(disk / "terrace.db", FlippedSecrets(), HandClock())


def fill(ballast: Path) -> None:
    for size in (65536, 64):
        try:
            with ballast.open("ab", buffering=0) as file:
                while True:
                    file.write(b"b" * size)
        except OSError:
            continue


@pytest.mark.parametrize("synced", [True, False])
async def test_full_and_then_not(disk: Path, synced: bool) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(b"b" * 4_000_000)
    store = a_store(disk)
    await store.open()
    worker = await Worker.of(store)
    written = 0

    async def write_until_full() -> None:
        nonlocal written
        while True:
            record = a_record(f"g/{written}", memory={"x": "y" * 20_000})
            await worker.write(record, synced=synced)
            written += 1

    with pytest.raises(TransientError) as caught:
        await write_until_full()
    assert caught.value.message == f"the state folder {disk} is full"
    with pytest.raises(TransientError, match="is full"):
        await store.save_generation(a_stack(), a_generation(who="x" * 50_000), None)
    kept = [f"g/{n}" for n in range(written)]
    assert await paths(store, worker.stack.id) == kept
    ballast.unlink()
    assert await worker.write(a_record(f"g/{written}"), synced=True)
    await store.close()
    store = a_store(disk)
    await store.open()
    assert await paths(store, worker.stack.id) == [*kept, f"g/{written}"]
    await store.close()


@pytest.mark.parametrize("present", [True, False])
async def test_full_before_it_is_opened(disk: Path, present: bool) -> None:
    store = a_store(disk)
    if present:
        await store.open()
        await store.close()
    fill(disk / "ballast")
    with pytest.raises(TransientError, match="is full"):
        await store.open()
    (disk / "ballast").unlink()
    await store.open()
    await store.close()


async def test_read_only_and_then_not(disk: Path) -> None:
    store = a_store(disk)
    await store.open()
    await store.close()
    as_root("mount", "-o", "remount,ro", str(disk))
    with pytest.raises(TransientError, match="cannot be written") as caught:
        await store.open()
    assert caught.value.code == "store-read-only"
    as_root("mount", "-o", "remount,rw", str(disk))
    await store.open()
    await store.close()
