"""Secrets of projects: what every store of them says the same way, and the one that keeps them in memory."""

from __future__ import annotations

from collections.abc import Sequence

from terrace.errors import ConflictError, NotFoundError


def absent(name: str) -> str:
    """Why a stack gets nothing of a secret."""
    return f"there is none of that name: terrace secret set {name}"


def unknown(name: str) -> NotFoundError:
    """There is no such secret."""
    return NotFoundError(f'there is no secret "{name}" in this project', hint="terrace secret list")


def in_use(name: str, users: Sequence[str]) -> ConflictError:
    """Stacks read the secret."""
    shown = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
    return ConflictError(
        f'secret "{name}" is in use by {shown}',
        code="secret-in-use",
        hint="change what they read first; with --force they keep what they have",
    )
