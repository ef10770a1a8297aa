"""Ghosts: things with our label that nothing wants. Judged from two listings a grace time apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from terrace.model.seen import Ghost, Seen

__all__ = ["Ghost", "judge", "to_reap"]

RESTORED = "things are newer than the database, as if an older copy had been put back"


def judge(
    provider: str,
    candidates: Iterable[Seen],
    before: Mapping[str, Ghost],
    data: frozenset[str],
    now: float,
    restored: bool = False,
) -> dict[str, Ghost]:
    """The ghosts of a provider after a listing, by provider id. `candidates` have our label and are in no
    record, intent or ledger entry read after the listing; `before` are those of the listing before, whose
    `since` they keep. `restored`: a label was newer than its record, so an older copy of the database was put back, and
    what looks like a ghost may well be wanted: nothing is reaped without a person's word."""
    found = {}
    for seen in candidates:
        known = before.get(seen.provider_id)
        kept = "it holds data" if seen.data or seen.kind in data else RESTORED if restored else ""
        found[seen.provider_id] = Ghost(provider, seen, known.since if known else now, kept)
    return found


def to_reap(
    ghosts: Mapping[str, Ghost], before: Mapping[str, Ghost], grace: float, now: float
) -> list[Ghost]:
    """Those seen in two listings a grace time apart that hold no data."""
    return [
        ghost
        for provider_id, ghost in ghosts.items()
        if provider_id in before and not ghost.kept and now >= ghost.since + grace
    ]
