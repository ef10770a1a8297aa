"""Templates on this machine: finds every file that one names, so that the server never has to read a disk."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from terrace.cli.faults import Stop

LARGEST = 64 * 1024**2
"""Bytes of one file; the server's own limit is lower and says so itself, this only bounds what is read."""

MARKS = ("get_file", "resource_registry", ".yaml", ".yml", ".template", ".json")
"""Without any of these a document names no files, and need not be parsed to see that."""

_NAMES_A_TEMPLATE = re.compile(
    r"""(?:(?:type|template)["']?\s*:|[\[,]|^\s*-)\s*["']?[^\s"',}\]]+\.(?:yaml|yml|template|json)\b""",
    re.MULTILINE,
)


class Collected(NamedTuple):
    """What is sent: the template's name, all files by name, and which of them are environments."""

    template: str
    files: dict[str, str]
    environments: tuple[str, ...]


def collect(
    template: str,
    environments: Sequence[str] = (),
    *,
    missing_ok: bool = False,
    unreadable: list[Stop] | None = None,
) -> Collected:
    """Reads a template ("-": standard input), its environments, and every file they name. Stop when one
    cannot be read. With `missing_ok` a file that is named and not there is left to whoever compiles; with
    `unreadable` every Stop goes there, its `file` set, and what can be read is."""
    name = "template.yaml" if template == "-" else template
    files: dict[str, str] = {}
    _take(files, name, "template", unreadable, standard_input=template == "-")
    for environment in environments:
        if environment not in files:
            _take(files, environment, "environment", unreadable)
    waiting = list(files)
    while waiting:
        document = waiting.pop()
        for wanted in _needed(document, files[document]):
            if wanted in files or (missing_ok and not Path(wanted).is_file()):
                continue
            if _take(files, wanted, "file", unreadable, where=f"named in {document}"):
                waiting.append(wanted)
    return Collected(name, files, tuple(name for name in environments if name in files))


def _take(
    files: dict[str, str],
    name: str,
    what: str,
    unreadable: list[Stop] | None,
    *,
    where: str = "",
    standard_input: bool = False,
) -> bool:
    """Reads one file; whether that could be done."""
    try:
        files[name] = _standard_input() if standard_input else _read(name, what, where)
    except Stop as stop:
        if unreadable is None:
            raise
        stop.file = name
        unreadable.append(stop)
        return False
    return True


def _needed(name: str, text: str) -> Sequence[str]:
    """The files that a document names. Parsing is for those that seem to name any."""
    if not any(mark in text for mark in MARKS):
        return ()
    if "get_file" not in text and "resource_registry" not in text and not _NAMES_A_TEMPLATE.search(text):
        return ()
    from terrace.languages import needed_files

    return needed_files(text, name)


def _standard_input() -> str:
    try:
        return sys.stdin.read(LARGEST + 1)
    except UnicodeDecodeError as error:
        raise Stop("standard input is not UTF-8 text", code="file-unreadable") from error


def _read(name: str, what: str, where: str = "") -> str:
    behind = f", {where}" if where else ""
    try:
        with open(name, encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
    except UnicodeDecodeError as error:
        raise Stop(f'the {what} "{name}"{behind} is not UTF-8 text', code="file-unreadable") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Stop(f'the {what} "{name}"{behind} cannot be read: {why}', code="file-unreadable") from error
    if len(text) > LARGEST:
        raise Stop(
            f'the {what} "{name}"{behind} is larger than {LARGEST // 1024**2} MiB', code="document-too-large"
        )
    return text
