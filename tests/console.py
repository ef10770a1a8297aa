"""Runs the ```console blocks of a page, one after the other, and sees that what is printed there comes out.

$ a command            of the shell, in a scratch folder
> its next line        what is typed on
a line of output       must come out; numbers may differ, and "..." stands for anything
...                    lines that are left out
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 300


class Typed(NamedTuple):
    """A command of a page, and the lines that the page shows below it."""

    line: int
    command: str
    shown: tuple[str, ...]


def typed(page: str) -> Iterator[Typed]:
    """The commands of a page, in order."""
    for block in BLOCK.finditer(page):
        first = page.count("\n", 0, block.start(1)) + 1
        command: list[str] = []
        shown: list[str] = []
        begins = first
        for number, line in enumerate(block[1].splitlines(), first):
            if line.startswith("$ "):
                if command:
                    yield Typed(begins, "\n".join(command), tuple(shown))
                command, shown, begins = [line[2:]], [], number
            elif line.startswith(">") and not shown:
                command.append(line[2:])
            else:
                shown.append(line)
        if command:
            yield Typed(begins, "\n".join(command), tuple(shown))


def play(page: Path, folder: Path, **environ: str) -> list[str]:
    """Runs a page's commands in `folder` with state and settings of its own; what went wrong."""
    wrong = []
    around = surroundings(folder) | environ
    try:
        for one in typed(page.read_text(encoding="utf-8")):
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", one.command],
                cwd=folder, env=around, text=True, timeout=SECONDS, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            out = done.stdout
            where = f"{page.name}:{one.line}: $ {one.command.splitlines()[0]}"
            if done.returncode:
                wrong.append(f"{where}\n  exit code {done.returncode}\n{out}")
            wrong += [f"{where}\n  does not print: {line}\n{out}" for line in missing(one.shown, out)]
    finally:
        subprocess.run(["terrace", "server", "stop"], env=around, capture_output=True, check=False)
    return wrong


def surroundings(folder: Path) -> dict[str, str]:
    """An environment with folders of its own, and this Python's commands first on the PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TERRACE_", "XDG_", "DOCKER_"))
    }
    own = {
        f"XDG_{name}_HOME": str(folder / f".{name.lower()}") for name in ("STATE", "CONFIG", "CACHE", "DATA")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, **own, "PATH": path, "HOME": str(folder), "NO_COLOR": "1", "COLUMNS": "120"}


def missing(shown: tuple[str, ...], out: str) -> list[str]:
    """The lines that a page shows and that did not come out in that order."""
    lines = [_plain(line) for line in out.splitlines()]
    found, place = [], 0
    for line in shown:
        if line.strip() in ("", "..."):
            continue
        parts = [re.escape(part.strip()) for part in _plain(line).split("...")]
        hits = [
            at for at, other in enumerate(lines[place:], place + 1) if re.fullmatch(".*".join(parts), other)
        ]
        if hits:
            place = hits[0]
        else:
            found.append(line)
    return found


def _plain(line: str) -> str:
    """A line with every number as 0 and every space as one."""
    return re.sub(r"\d+(\.\d+)?", "0", re.sub(r"\s+", " ", line)).strip()
