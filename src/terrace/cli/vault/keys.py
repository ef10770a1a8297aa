"""`terrace secret rotate-key|keys|forget-key`: the keys that everything secret is sealed with."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table

PAUSE = 0.2
"""Seconds between looking how far it is."""


@command("rotate-key", epilog="  terrace secret rotate-key")
@click.option("--no-follow", is_flag=True, help="do not wait until everything is sealed anew")
@pass_session
def rotate(session: Session, no_follow: bool) -> None:
    """Make a new key, and seal everything anew with it. Nothing stands still meanwhile, and nothing changes."""
    keys = session.client().keys
    status = keys.rotate()
    session.say(f"there is a new master key in {status['file']}: keep a copy of that file elsewhere")
    while not no_follow and not status["rotation"]["finished"]:
        time.sleep(PAUSE)
        status = keys.status()
    session.say(_advice(status))


@command("keys", epilog="  terrace secret keys")
@output_option()
@pass_session
def keys(session: Session) -> None:
    """Show which master keys there are, and which can be thrown away."""
    status = session.client().keys.status()
    rows = [
        [
            one["id"],
            "yes" if one["here"] else "no",
            str(one["wraps"]),
            f"needed: {one['needed']}" if one["needed"] else "can be thrown away",
        ]
        for one in status["masters"]
    ]
    heads = ["MASTER KEY", "IN THE FILE", "DATA KEYS", ""]
    emit(
        session,
        status,
        lambda: f"{table(rows, heads, session.color(sys.stdout))}\n\n{_advice(status)}",
        lambda: (one["id"] for one in status["masters"]),
    )


@command("forget-key", epilog="  terrace secret forget-key 5f0c2a91")
@click.argument("key")
@pass_session
def forget(session: Session, key: str) -> None:
    """Throw an old master key away: out of the database, and out of the server's key file."""
    session.client().keys.forget(key)
    session.say(
        f"master key {key} is gone; backups from before the rotation still need it: keep a copy with them"
    )


def _advice(status: dict[str, Any]) -> str:
    """What is to be known of the last rotation."""
    rotation = status["rotation"]
    if rotation is None:
        return "the keys were never rotated: terrace secret rotate-key"
    if not rotation["finished"]:
        return f"sealing everything anew: {rotation['sealed']:,} so far; it goes on by itself: terrace secret keys"
    ago = span(time.time() - rotation["finished"])
    done = f"everything is sealed with the newest key since {ago} ({rotation['sealed']:,} sealed anew)"
    old = [one["id"] for one in status["masters"] if not one["needed"]]
    if not old:
        return done
    return f"{done}; the old key can be thrown away: terrace secret forget-key {' '.join(old)}"
