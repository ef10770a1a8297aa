"""Terraform beside us: the same graphs as `terraform_data`, at its default parallelism."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import shapes
from bench.server import BenchError, scratch

NAME = "Terraform"
QUIET = ("-input=false", "-no-color")


def found() -> bool:
    """Whether it is on the PATH."""
    return shutil.which("terraform") is not None


def count(number: int) -> str:
    """So many in one block."""
    return f'resource "terraform_data" "r" {{\n  count = {number}\n  input = "v${{count.index}}"\n}}\n'


def blocks(needs: shapes.Needs) -> str:
    """A block for each resource."""
    return "".join(
        _block(name, [f"terraform_data.{other}" for other in wanted]) for name, wanted in needs.items()
    )


def _block(name: str, wanted: list[str]) -> str:
    depends = f"  depends_on = [{', '.join(wanted)}]\n" if wanted else ""
    return f'resource "terraform_data" "{name}" {{\n  input = "v{name}"\n{depends}}}\n'


class Project:
    """An initialised folder of Terraform's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings = folder / "empty.tfrc"
        settings.touch()
        kept = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
        quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        self._environ = kept | quiet | {"TF_CLI_CONFIG_FILE": str(settings)}

    def run(self, *words: str) -> float:
        """Seconds of `terraform WORDS`."""
        began = time.perf_counter()
        done = subprocess.run(
            ["terraform", *words, *QUIET],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        took = time.perf_counter() - began
        if done.returncode:
            raise BenchError(f"terraform {' '.join(words)}: {done.stderr[-1000:]}")
        return took

    def apply(self) -> float:
        """Seconds of an apply."""
        return self.run("apply", "-auto-approve")

    def empty_plan(self) -> float:
        """Seconds of a plan that finds nothing to do; BenchError when it does."""
        return self.run("plan", "-detailed-exitcode")


@contextmanager
def project(text: str) -> Iterator[Project]:
    """A folder with `text` as its main.tf."""
    with scratch() as folder:
        (folder / "main.tf").write_text(text, encoding="utf-8")
        made = Project(folder)
        made.run("init")
        yield made
