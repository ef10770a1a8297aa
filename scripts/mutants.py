"""Plants each known fault (tests/mutants/*.patch) in a copy of the sources and sees that the tests notice.

A patch begins with two lines of its own, before the diff:

    # invariant: Ours only: a thing without our label is never touched
    # run: tests/scenarios/test_ownership.py -k foreign

usage: mutants.py [NAME ...]     those whose file name contains one of the names; default all
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATCHES = ROOT / "tests" / "mutants"
COPIED = ("src", "tests", "examples", "pyproject.toml")
WORKERS = int(os.environ.get("WORKERS", "2"))
SECONDS = 300  # a fault that makes the tests hang this long is noticed too
NO_FAILURE, FAILURE = 0, 1  # what pytest returns


@dataclass(frozen=True)
class Mutant:
    """One fault: which promise it breaks, and which tests have to say so."""

    name: str
    invariant: str
    run: str


@dataclass(frozen=True)
class Verdict:
    """What became of it. `good` when the tests noticed."""

    mutant: Mutant
    good: bool
    word: str
    seconds: float
    said: str = ""


def read(path: Path) -> Mutant:
    """The two lines at the top of a patch; SystemExit when one is missing."""
    head = path.read_text(encoding="utf-8").split("\ndiff ", 1)[0].split("\n--- ", 1)[0]
    found = dict(re.findall(r"^# (invariant|run): (.+)$", head, re.MULTILINE))
    if missing := {"invariant", "run"} - set(found):
        sys.exit(f'{path.relative_to(ROOT)}: no line "# {missing.pop()}: ..." before the diff')
    return Mutant(path.stem, found["invariant"].strip(), found["run"].strip())


def copy(folder: Path, origin: Path, *ignored: str) -> None:
    """The sources and tests as they are in `origin` now, committed or not."""
    ignore = shutil.ignore_patterns(".hypothesis", "mutants", *ignored)
    for name in COPIED:
        source = origin / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        elif source.exists():
            shutil.copy2(source, folder / name)


def pytest(folder: Path, selection: str) -> tuple[int, str]:
    """Run a selection in a copy; the exit code and what was printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    # what is compiled lies beside the source, where a copy of the folder has it, too
    unset = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    environ = {name: value for name, value in os.environ.items() if name not in unset}
    environ["PYTHONPATH"] = str(folder / "src")
    try:
        done = subprocess.run(
            [*command, *shlex.split(selection)],
            cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return FAILURE, f"not done after {SECONDS} s"
    return done.returncode, done.stdout + done.stderr


def try_one(mutant: Mutant, origin: Path) -> Verdict:
    """Plant one fault in a copy of `origin`, and run its tests."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="terrace-mutant-") as name:
        folder = Path(name)
        copy(folder, origin)
        patch = PATCHES / f"{mutant.name}.patch"
        applied = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", str(patch)],
            cwd=folder, env=os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if applied.returncode:
            return Verdict(mutant, False, "DOES NOT APPLY", time.monotonic() - began, applied.stderr)
        if broken := syntax(folder, patch):
            return Verdict(mutant, False, "NOT PYTHON", time.monotonic() - began, broken)
        code, said = pytest(folder, mutant.run)
    seconds = time.monotonic() - began
    if code == FAILURE:
        return Verdict(mutant, True, "caught", seconds)
    if code == NO_FAILURE:
        return Verdict(mutant, False, "SURVIVED", seconds, f"nothing failed in: pytest {mutant.run}")
    return Verdict(mutant, False, "TESTS DID NOT RUN", seconds, said)


def syntax(folder: Path, patch: Path) -> str:
    """What is wrong with the first changed file that Python cannot read: a fault has to run to count."""
    for name in re.findall(r"^\+\+\+ b/(\S+\.py)$", patch.read_text(encoding="utf-8"), re.MULTILINE):
        path = folder / name
        try:
            ast.parse(path.read_bytes(), str(path.relative_to(folder)))
        except SyntaxError as error:
            return f"{error.filename}:{error.lineno}: {error.msg}"
    return ""


def sound(selections: list[str], folder: Path) -> list[str]:
    """The selections that fail, or find nothing, with no fault planted: those prove nothing."""
    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda selection: pytest(folder, selection), selections))
    broken = []
    for selection, (code, said) in zip(selections, results, strict=True):
        if code != NO_FAILURE:
            broken.append(selection)
            print(f"without any fault, this fails: pytest {selection}\n{_tail(said)}")
    return broken


def main(names: list[str]) -> int:
    """Try them all, print a table, and return 0 when each was caught."""
    mutants = [read(path) for path in sorted(PATCHES.glob("*.patch"))]
    if names:
        mutants = [mutant for mutant in mutants if any(name in mutant.name for name in names)]
    if not mutants:
        print(f"no patches in {PATCHES.relative_to(ROOT)}" + (f" match {' '.join(names)}" if names else ""))
        return 1
    with tempfile.TemporaryDirectory(prefix="terrace-mutant-") as name:
        copy(Path(name), ROOT, "__pycache__")
        if sound(sorted({mutant.run for mutant in mutants}), Path(name)):
            return 1
        return try_all(mutants, Path(name))


def try_all(mutants: list[Mutant], origin: Path) -> int:
    """Try each, print the table, and return 0 when each was caught."""
    width = max(len(mutant.name) for mutant in mutants)
    bad = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for verdict in pool.map(lambda mutant: try_one(mutant, origin), mutants):
            bad += not verdict.good
            row = f"{verdict.mutant.name:{width}}  {verdict.word:17}  {verdict.seconds:5.1f} s"
            print(f"{row}  {verdict.mutant.invariant}", flush=True)
            if not verdict.good:
                print(_tail(verdict.said))
    print(f"{len(mutants) - bad} of {len(mutants)} planted faults were caught")
    return 1 if bad else 0


def _tail(said: str, lines: int = 15) -> str:
    return "\n".join(f"    {line}" for line in said.strip().splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
