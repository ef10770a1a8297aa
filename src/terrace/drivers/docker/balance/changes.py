"""How a proxy that runs gets from one state of its books to the next without a reload. Pure."""

from __future__ import annotations

import csv
from typing import Final

import msgspec
from msgspec.structs import replace

from terrace.drivers.docker.balance.config import backend, cookied, monitored, render, server, terms
from terrace.drivers.docker.balance.parts import Books, Part

_STATUS: Final = {"UP": "ONLINE", "DOWN": "ERROR", "MAINT": "OFFLINE", "DRAIN": "DRAINING"}


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How a member is in the proxy's own words: its connections now, and what the proxy thinks of it."""

    connections: int = 0
    status: str = "NO_MONITOR"


def commands(before: Books, after: Books) -> list[str] | None:
    """What to say to the proxy; None when it takes a reload."""
    if render(_bare(before)) != render(_bare(after)):
        return None
    said: list[str] = []
    for pool in after.of("Pool"):
        had = {one.token: one for one in before.on(pool, "PoolMember")}
        has = {one.token: one for one in after.on(pool, "PoolMember")}
        fresh = [one for token, one in has.items() if token not in had]
        if fresh and cookied(pool):
            return None  # a server that is added cannot be given a cookie
        said += [line for one in fresh for line in _added(after, pool, one)]
        said += [
            line for token, one in has.items() if token in had for line in _changed(pool, had[token], one)
        ]
        said += [line for token, one in had.items() if token not in has for line in _removed(pool, one)]
    return said


def _bare(books: Books) -> Books:
    """The books without members."""
    return replace(books, parts=tuple(part for part in books.parts if part.kind != "PoolMember"))


def _added(books: Books, pool: Part, member: Part) -> list[str]:
    """A new member. It weighs nothing, and where somebody asks counts as down, until it was asked for the first
    time: nobody is sent to one that is not there yet."""
    name = server(pool, member)
    lines = [f"add server {name} {terms(books, pool, member, 0)}"]
    if monitored(books, pool):
        lines.append(f"enable health {name}")
    if member.spec.enabled:
        lines.append(f"set server {name} state ready")
        lines += [f"set server {name} health down"] if monitored(books, pool) else []
    return [*lines, f"set server {name} weight {0 if member.leaving else member.spec.weight}"]


def _changed(pool: Part, before: Part, after: Part) -> list[str]:
    name, lines = server(pool, after), []
    if after.leaving and not before.leaving:
        return [f"set server {name} state drain"] if after.spec.enabled else []
    if before.spec.enabled != after.spec.enabled:
        lines.append(f"set server {name} state {'ready' if after.spec.enabled else 'maint'}")
    if before.spec.weight != after.spec.weight:
        lines.append(f"set server {name} weight {after.spec.weight}")
    return lines


def _removed(pool: Part, member: Part) -> list[str]:
    name = server(pool, member)
    return [f"set server {name} state maint", f"shutdown sessions server {name}", f"del server {name}"]


def expected(books: Books) -> list[str]:
    """The members that the proxy must know, as its statistics name them."""
    return [
        f"{backend(pool)},member_{member.token}"
        for pool in books.of("Pool")
        for member in books.on(pool, "PoolMember")
    ]


def standings(statistics: str) -> dict[str, Standing]:
    """By the token of a member: how it is, as the proxy's statistics tell."""
    found: dict[str, Standing] = {}
    for row in csv.DictReader(statistics.removeprefix("# ").splitlines()):
        name = row.get("svname") or ""
        if name.startswith("member_"):
            word = (row.get("status") or "").split(" ")[0]
            status = _STATUS.get(word, "NO_MONITOR")
            number = row.get("scur") or "0"
            found[name.removeprefix("member_")] = Standing(int(number) if number.isdigit() else 0, status)
    return found
