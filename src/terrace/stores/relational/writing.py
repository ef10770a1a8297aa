"""What changes a RelationalStore: functions that run inside one transaction of its writer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from terrace.errors import InvariantError
from terrace.model.event import Event
from terrace.model.record import Record
from terrace.model.stack import Directive, Generation, Lease, Stack
from terrace.ports.store import Commit, Ruling
from terrace.stores.encoding import Encoding
from terrace.stores.heads import check_name, check_offer, desired, observed, surplus
from terrace.stores.order import position
from terrace.stores.queries import SQL
from terrace.stores.relational import crossing, quotas
from terrace.stores.relational.database import Writer
from terrace.stores.relational.reading import stack_of


class Asked(msgspec.Struct, frozen=True):
    """A new generation that people ask for; see Store.save_generation."""

    stack: Stack
    generation: Generation
    expected: int | None
    records: Sequence[Record] = ()
    force: bool = False


def save_generation(writer: Writer, encoding: Encoding, asked: Asked) -> Stack:
    """Writes the generation and the stack's row, which it gives back."""
    name = (asked.stack.project, asked.stack.name)
    # One after the other, for all servers: circles and outputs in use are seen only when nobody adds to them.
    writer.execute(SQL["facts.hold"]).fetchall()
    present = stack_of(writer.execute(SQL["stacks.hold_by_name"], name).fetchall())
    row = desired(present, asked.stack, asked.generation, asked.expected)
    crossing.check(writer, row, asked.generation, force=asked.force)
    rule = writer.execute(SQL["flavors.rule"], (row.project,)).fetchone()
    check_offer(asked.generation, rule[0] if rule else 0)
    if present is None:
        if writer.execute(SQL["stacks.by_id"], (row.id,)).fetchone():
            raise InvariantError(f"two stacks cannot share the id {row.id}")
        writer.execute(SQL["stacks.insert"], stack_row(row))
    else:
        said = (row.phase, row.why, row.since, row.updated, row.description, int(row.forget))
        writer.execute(SQL["stacks.desire"], (row.generation, *said, row.id))
    _insert_generation(writer, encoding, row, asked.generation)
    crossing.declare(writer, row, asked.generation)
    quotas.reserve(writer, row, asked.generation, fresh=present is None)
    writer.executemany(
        SQL["records.upsert"], [_record_row(encoding, row.id, record) for record in asked.records]
    )
    ring(writer, row.id)
    return row


def ring(writer: Writer, stack: str) -> None:
    """Tells whoever holds the stack to look: nothing is written where the server is the only one."""
    writer.execute(SQL["wakes.ring"], (stack,))


def acquire(writer: Writer, asked: Sequence[tuple[str, str, float]]) -> list[Lease | None]:
    """Takes or renews leases, each (scope, holder, duration); see Store.acquire. They are touched in one order by all
    servers, so that two never wait for each other."""
    given: dict[int, Lease | None] = {}
    for place in sorted(range(len(asked)), key=lambda place: asked[place][0]):
        scope, holder, _ = asked[place]
        rows = writer.execute(SQL["leases.acquire"], asked[place]).fetchall()
        # SQLite's RETURNING gives a round REAL as an integer.
        given[place] = Lease(scope, holder, rows[0][0], float(rows[0][1])) if rows else None
    return [given[place] for place in range(len(asked))]


def rename(writer: Writer, stack: str, name: str) -> None:
    """Gives a stack another name; ConflictError when it is taken."""
    present = stack_of(writer.execute(SQL["stacks.hold_by_id"], (stack,)).fetchall())
    if present is not None:
        holder = stack_of(writer.execute(SQL["stacks.by_name"], (present.project, name)).fetchall())
        check_name(present, holder, name)
        writer.execute(SQL["stacks.rename"], (name, stack))
        ring(writer, stack)


def direct(writer: Writer, encoding: Encoding, directives: Sequence[Directive]) -> None:
    """Writes or takes away each; those of a stack that is not there have no place."""
    for one in directives:
        if one.value is None:
            writer.execute(SQL["directives.delete"], (one.path, one.what, one.stack))
        else:
            row = (one.path, one.what, encoding.directive(one), one.stack)
            writer.execute(SQL["directives.upsert"], row)
    for stack in dict.fromkeys(one.stack for one in directives):
        ring(writer, stack)


def rule(writer: Writer, rulings: Sequence[Ruling], unrulings: Sequence[tuple[str, str]]) -> None:
    """Takes entries out of the ledger, and puts others in."""
    if unrulings:
        writer.executemany(SQL["ledger.delete"], unrulings)
    if rulings:
        writer.executemany(SQL["ledger.upsert"], [_ruling_row(ruling) for ruling in rulings])


def apply(writer: Writer, encoding: Encoding, commits: Sequence[Commit]) -> list[bool]:
    """Writes each commit whose epoch is that of its stack's lease, and says which."""
    verdicts, events = [], list[Event]()
    for commit in commits:
        leased = writer.execute(SQL["stacks.leased"], (commit.stack, commit.epoch)).fetchall()
        present = stack_of(leased)
        verdicts.append(present is not None)
        if present is not None:
            _apply_one(writer, encoding, commit, present)
            events.extend(commit.events)
    tell(writer, encoding, events)
    return verdicts


def tell(writer: Writer, encoding: Encoding, events: Sequence[Event]) -> None:
    """Writes events under the next numbers."""
    if not events:
        return
    # The number is the last thing that is taken: whoever else tells of something waits for us from here on.
    texts = [encoding.event(event) for event in events]
    # RETURNING needs its row fetched to the end before the statement counts as done.
    ((last,),) = writer.execute(SQL["events.number"], (len(events),)).fetchall()
    rows = [
        (number, event.stack, event.at, text)
        for number, (event, text) in enumerate(zip(events, texts, strict=True), last - len(events) + 1)
    ]
    writer.executemany(SQL["events.insert"], rows)


def prune_generations(writer: Writer, kept: int) -> None:
    """Drops generations that nothing needs, beyond the newest `kept` of each stack."""
    for stack, settled in writer.execute(SQL["generations.crowded"], (kept,)).fetchall():
        pairs = writer.execute(SQL["generations.restoring"], (stack,)).fetchall()
        doomed = [(stack, number) for number in surplus(pairs, settled, kept)]
        writer.executemany(SQL["generations.delete"], doomed)


def _apply_one(writer: Writer, encoding: Encoding, commit: Commit, present: Stack) -> None:
    if commit.removals:
        writer.executemany(SQL["records.delete"], [(*key, commit.stack) for key in commit.removals])
    if commit.upserts:
        rows = [_record_row(encoding, commit.stack, record) for record in commit.upserts]
        writer.executemany(SQL["records.upsert"], rows)
    if commit.heeded:
        writer.executemany(
            SQL["directives.delete"], [(path, what, commit.stack) for path, what in commit.heeded]
        )
    rule(writer, commit.rulings, commit.unrulings)
    if commit.gone or commit.exports is not None:
        writer.execute(SQL["wakes.ring_readers"], (present.project, present.name))
    if commit.gone and _nothing_wanted(writer, present):
        writer.execute(SQL["stacks.delete"], (commit.stack,))
    else:
        _advance(writer, encoding, commit, present)


def _advance(writer: Writer, encoding: Encoding, commit: Commit, present: Stack) -> None:
    crossing.write(writer, encoding, commit, present)
    if commit.usage is not None and commit.head is not None and commit.head.generation == present.generation:
        quotas.settle(writer, commit.stack, commit.usage)
    if commit.settled:
        writer.execute(SQL["generations.settle"], (commit.settled_at, commit.stack, commit.settled))
    if commit.failed:
        number, why = commit.failed
        writer.execute(SQL["generations.fail"], (why, commit.stack, number))
    row = observed(present, None if commit.gone else commit.head, commit.settled)
    if row != present:
        said = (row.settled, row.phase, row.why, row.since, row.total, row.ready, row.failing)
        writer.execute(SQL["stacks.observe"], (*said, row.id))
    asked = commit.generation
    if asked and asked.number == row.generation + 1:
        newer = msgspec.structs.replace(row, generation=asked.number)
        writer.execute(SQL["stacks.restore"], (newer.generation, asked.created, newer.id))
        _insert_generation(writer, encoding, newer, asked)
        crossing.declare(writer, newer, asked)


def _insert_generation(writer: Writer, encoding: Encoding, row: Stack, generation: Generation) -> None:
    numbered = msgspec.structs.replace(generation, number=row.generation)
    marks = (numbered.restores, int(numbered.deleting), numbered.settled, numbered.failed)
    writer.execute(
        SQL["generations.insert"], (row.id, numbered.number, *marks, *encoding.generation(numbered))
    )


def stack_row(row: Stack) -> tuple[str | int | float, ...]:
    """A stack as it lies in its table."""
    *fields, forget = msgspec.structs.astuple(row)
    return (*fields, int(forget))


def _nothing_wanted(writer: Writer, row: Stack) -> bool:
    ((deleting,),) = writer.execute(SQL["generations.deleting"], (row.id, row.generation)).fetchall()
    return bool(deleting)


def _record_row(encoding: Encoding, stack: str, record: Record) -> tuple[str | int | bytes, ...]:
    return (
        record.uid,
        record.incarnation,
        stack,
        record.path,
        position(record.path),
        record.provider,
        record.state,
        encoding.record(record),
    )


def _ruling_row(ruling: Ruling) -> tuple[str | int, ...]:
    return msgspec.structs.astuple(ruling)
