"""ports.secrets.Keys, and what rotation leaves as it is: everything that people and the engine can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as some

from terrace.errors import ConflictError, InvariantError, NotFoundError
from terrace.model.codec import Codec, reseal
from terrace.model.graph import Graph, Name, Node, Output, Use
from terrace.model.record import Record, State
from terrace.model.stack import Directive, Generation, Source, Stack
from terrace.model.value import Call, Ref, Secret
from terrace.ports.secrets import Keys
from terrace.ports.store import Commit
from terrace.ports.vault import Vault
from terrace.stores.in_memory.keys import MemoryKeys
from terrace.stores.in_memory.tables import Tables
from terrace.stores.memory import MemoryStore
from terrace.stores.memory_vault import MemoryVault
from terrace.stores.queries import migrations
from terrace.stores.relational.sealed import reseal as sealing
from terrace.stores.relational.sealed.keys import RelationalKeys
from terrace.stores.relational.secrets import RelationalVault
from terrace.stores.sealing import Envelope, KeyFile
from terrace.stores.sqlite import SqliteStore
from tests.contracts.store.samples import HandClock

MARKED = "correct-horse-battery"
HIDDEN = Secret(MARKED)


class Site:
    """A database in a folder, its key file, and a server to it."""

    def __init__(self, folder: Path, key: str = "key") -> None:
        self.folder = folder
        self.clock = HandClock()
        self.masters = KeyFile(folder / key)
        self.envelope = Envelope(self.masters, self.clock)
        self.store: Any = SqliteStore(folder / "terrace.db", self.envelope, self.clock)
        self.keys: Keys = RelationalKeys(self.store.database, self.envelope, self.clock)
        self.vault: Vault = RelationalVault(self.store.database, self.envelope, self.clock)

    async def filled(self) -> Site:
        """With a secret in every place that may hold one."""
        await self.store.open()
        node = Node("v", "Value", {"value": Call("join", ("", ["x", HIDDEN, Ref("w", (HIDDEN,))]))})
        graph = Graph((node,), outputs={"o": Output(HIDDEN)}, uses=(Use("v", Name("", "other", "o")),))
        for number in range(12):
            name = f"s{number}"
            source = Source("t", {"t": HIDDEN}, (), {"p": HIDDEN})
            wish = Generation(0, graph, source, 1.0, parameters={"p": HIDDEN})
            await self.store.save_generation(Stack(name, "default", name, 0), wish, None)
            await self.store.direct([Directive(name, "v", "size", HIDDEN)])
            lease = await self.store.acquire(f"stack:{name}", "me", 60.0)
            head = await self.store.stack(name)
            record = Record(
                "v", "Value", f"u{number}", 1, state=State.READY, applied={}, memory={"m": HIDDEN}
            )
            use = Use("v", Name("default", "other", "o"), (HIDDEN,))
            assert lease is not None
            turn = Commit(name, lease.epoch, (record,), head=head, exports={"o": HIDDEN}, uses=(use,))
            assert await self.store.commit([turn]) == [True]
        await self.vault.put("default", "db", MARKED, "ann")
        return self

    async def everything(self) -> list[Any]:
        """All that can be read of it."""
        found: list[Any] = [await self.vault.value("default", "db")]
        for stack in await self.store.stacks():
            found.append([await self.store.generation(stack.id, 1), await self.store.records(stack.id)])
            found.append([await self.store.directives(stack.id), await self.store.exports(stack.id)])
            found.append(await self.store.uses(stack.id))
        return found

    async def settle(self) -> int:
        """Seals anew until there is nothing more; in how many steps."""
        steps = 0
        while await self.keys.step():
            steps += 1
        return steps

    def bytes(self) -> bytes:
        """Everything on the disk but the key file."""
        files = [path for path in self.folder.iterdir() if path.name.startswith("terrace.db")]
        return b"".join(path.read_bytes() for path in files)


class InMemory(Site):
    """The same, where the tables of a folder lie in memory."""

    kept: ClassVar[dict[Path, Tables]] = {}

    def __init__(self, folder: Path, key: str = "key") -> None:
        super().__init__(folder, key)
        self.store = MemoryStore(self.envelope, self.clock)
        self.store._tables = self.kept.setdefault(folder, self.store._tables)
        self.keys = MemoryKeys(self.store, self.envelope, self.clock)
        self.vault = MemoryVault(self.store)

    def bytes(self) -> bytes:
        """All that the tables hold."""
        return repr([vars(self.store._tables)]).encode()


@pytest.fixture(params=[Site, InMemory])
def make(request: pytest.FixtureRequest) -> type[Site]:
    """What makes a site in a folder, or comes back to it."""
    found: type[Site] = request.param
    return found


async def test_nothing_that_can_be_read_changes_by_a_rotation(make: type[Site], tmp_path: Path) -> None:
    site = await make(tmp_path).filled()
    before, digest = await site.everything(), site.envelope.digest(b"x")
    status = await site.keys.rotate()
    assert status.rotation is not None
    assert (len(status.masters), status.data_keys, status.rotation.finished) == (2, 3, 0.0)
    assert await site.everything() == before
    assert await site.settle() > len(sealing.SEALED)
    after = await site.keys.status()
    assert after.rotation is not None
    assert after.rotation.finished
    assert after.rotation.sealed == 12 * 6 + 1
    assert await site.everything() == before
    assert site.envelope.digest(b"x") == digest
    await site.store.close()
    again = make(tmp_path)
    await again.store.open()
    assert await again.everything() == before
    assert again.envelope.digest(b"x") == digest
    await again.store.close()
    assert MARKED.encode() not in site.bytes()


async def test_the_old_master_key_goes_when_nothing_needs_it(make: type[Site], tmp_path: Path) -> None:
    site = await make(tmp_path).filled()
    (old,) = site.masters.names
    await site.keys.rotate()
    with pytest.raises(ConflictError, match="not everything is sealed anew yet"):
        await site.keys.forget(old)
    await site.settle()
    before = await site.everything()
    status = await site.keys.forget(old)
    assert [one.id for one in status.masters] == site.masters.names != [old]
    assert old not in (tmp_path / "key").read_text()
    with pytest.raises(NotFoundError):
        await site.keys.forget(old)
    with pytest.raises(ConflictError, match="newest"):
        await site.keys.forget(site.masters.names[-1])
    await site.store.close()
    again = make(tmp_path)
    await again.store.open()
    assert await again.everything() == before
    await again.store.close()


async def test_a_rotation_is_taken_up_where_it_was(make: type[Site], tmp_path: Path) -> None:
    """A server dies after every single step; the next one goes on."""
    site = await make(tmp_path).filled()
    before = await site.everything()
    await site.keys.rotate()
    with pytest.raises(ConflictError, match="already"):
        await site.keys.rotate()
    for _ in range(1000):
        await site.store.close()
        site = make(tmp_path)
        await site.store.open()
        if not await site.keys.step():
            break
    status = await site.keys.status()
    assert status.rotation is not None
    assert (status.rotation.sealed, status.rotation.finished > 0) == (12 * 6 + 1, True)
    assert await site.everything() == before
    assert await site.settle() == 0
    await site.store.close()


async def test_a_database_of_the_key_file_alone_opens_and_goes_on(tmp_path: Path) -> None:
    old = Site(tmp_path)
    old.store = SqliteStore(tmp_path / "terrace.db", old.masters, old.clock)
    old.vault = RelationalVault(old.store.database, old.masters, old.clock)
    await old.filled()
    before, digest = await old.everything(), old.masters.digest(b"x")
    await old.store.close()
    site = Site(tmp_path)
    await site.store.open()
    assert await site.everything() == before
    assert site.envelope.digest(b"x") == digest
    first = site.masters.names[0]
    with pytest.raises(ConflictError, match="newest"):
        await site.keys.forget(first)
    await site.keys.rotate()
    await site.settle()
    await site.keys.forget(first)
    assert await site.everything() == before
    assert site.envelope.digest(b"x") == digest
    await site.store.close()


async def test_a_second_server_reads_on_while_the_first_rotates(tmp_path: Path) -> None:
    """It has read the new data key before anything is sealed with it, with the key file it began with."""
    site = await Site(tmp_path).filled()
    (tmp_path / "copy").write_bytes((tmp_path / "key").read_bytes())
    (tmp_path / "copy").chmod(0o600)
    other = Envelope(KeyFile(tmp_path / "copy"), site.clock)
    keys = RelationalKeys(site.store.database, other, site.clock)
    await keys.refresh()
    await site.keys.rotate(delay=30.0)
    assert other.unseal(site.envelope.seal(b"x")) == b"x"
    assert await site.keys.step() is False
    await keys.refresh()
    site.clock.time += 31.0
    sealed = site.envelope.seal(b"x")
    assert sealed[1:5].hex() == site.envelope.current == "00000003"
    assert other.unseal(sealed) == b"x"
    await site.settle()
    status = await site.keys.status()
    assert status.rotation is not None
    assert status.rotation.finished
    await site.store.close()


async def test_a_key_that_is_not_known_yet_is_asked_for(tmp_path: Path) -> None:
    site = await Site(tmp_path).filled()
    other = Envelope(KeyFile(tmp_path / "key"), site.clock)
    keys = RelationalKeys(site.store.database, other, site.clock)
    await keys.refresh()
    await site.keys.rotate()
    with pytest.raises(InvariantError, match="00000003"):
        other.unseal(site.envelope.seal(b"x"))
    assert other.lacks
    await keys.refresh()
    assert not other.lacks
    assert other.unseal(site.envelope.seal(b"x")) == b"x"
    await site.store.close()


async def test_the_key_file_of_another_database_is_refused(tmp_path: Path) -> None:
    site = await Site(tmp_path).filled()
    await site.store.close()
    stranger = Site(tmp_path, key="other")
    with pytest.raises(ConflictError, match="which is not in") as caught:
        await stranger.store.open()
    assert (caught.value.code, "copy" in caught.value.hint) == ("key-mismatch", True)


async def test_a_last_line_that_somebody_wrote_is_the_newest_key(tmp_path: Path) -> None:
    """Where the key file comes from elsewhere and cannot be written."""
    site = await Site(tmp_path).filled()
    await site.store.close()
    with (tmp_path / "key").open("a") as file:
        file.write("seal 0a0b0c0d AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
    again = Site(tmp_path)
    await again.store.open()
    status = await again.keys.status()
    assert [(one.id, one.wraps) for one in status.masters][-1] == ("0a0b0c0d", 2)
    await again.store.close()


def test_every_column_of_bytes_is_known_to_hold_secrets_or_not_to() -> None:
    """A table that comes later says whether it is to be sealed anew."""
    # Answers that may be repeated go within a day, and the data key that sealed them stays.
    plain = {("wrapped_keys", "body"), ("requests", "answer")}
    known = {("generations", "light"), ("generations", "content"), ("uses", "kept"), ("secrets", "value")}
    known |= {(name, "body") for name in ("records", "directives", "exports", "sightings")}
    known |= {("listings", "ghosts")}
    found = set()
    for _, _, statements in migrations():
        for statement in statements:
            words = statement.split()
            if words[:2] == ["CREATE", "TABLE"]:
                lines = [line.split() for line in statement.splitlines()[1:]]
                found |= {
                    (words[2], line[0]) for line in lines if len(line) > 1 and line[1].startswith("BYTEA")
                }
    assert found == plain | known
    assert len(sealing.SEALED) == len(known)


values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**64 - 1)
    | some.floats(allow_nan=False)
    | some.text(),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.text(), inner, max_size=3)
        | some.builds(Secret, some.text() | some.lists(some.text(), max_size=2))
        | some.builds(Ref, some.text(), some.lists(inner, max_size=2).map(tuple))
        | some.builds(Call, some.text(), some.lists(inner, max_size=2).map(tuple))
    ),
    max_leaves=12,
)


@given(values)
def test_sealing_anew_changes_nothing_else(value: Any) -> None:
    def older(data: bytes) -> bytes:
        return b"old" + data[::-1]

    def newer(data: bytes) -> bytes:
        return b"new" + data[::-1]

    def opened(data: bytes) -> bytes:
        return data[3:][::-1]

    codec = Codec(older, opened)
    data = codec.encode(value)
    fresh = reseal(data, (b"old",), opened, newer)
    assert (fresh is None) == (b"old" not in data or fresh is None)
    if fresh is not None:
        assert codec.decode(fresh, object) == codec.decode(data, object)  # type: ignore[arg-type]
        assert reseal(fresh, (b"old",), opened, newer) is None
