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

_NAMES_A_TEMPLATE = re.compile(r"""type["']?\s*:\s*["']?[^\s"',}]+\.(?:yaml|yml|template|json)\b""")


class Collected(NamedTuple):
    """What is sent: the template's name, all files by name, and which of them are environments."""

    template: str
    files: dict[str, str]
    environments: tuple[str, ...]


def collect(template: str, environments: Sequence[str] = (), *, missing_ok: bool = False) -> Collected:
    """Reads a template ("-": standard input), its environments, and every file they name. Stop when one
    cannot be read; with `missing_ok` that is left to whoever compiles it, but for the template and
    environments themselves."""
    name = "template.yaml" if template == "-" else template
    files = {name: _standard_input() if template == "-" else _read(template, "template")}
    for environment in environments:
        files[environment] = _read(environment, "environment")
    waiting = list(files)
    while waiting:
        document = waiting.pop()
        for wanted in _needed(document, files[document]):
            if wanted in files or (missing_ok and not Path(wanted).is_file()):
                continue
            files[wanted] = _read(wanted, "file", f"named in {document}")
            waiting.append(wanted)
    return Collected(name, files, tuple(environments))


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
