"""The example of a program that uses the client, as it stands in examples/ and in its page."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import terrace.client
from tests.unit.served import Server

ROOT = Path(__file__).resolve().parents[3]


def test_the_example_does_what_its_page_shows(server: Callable[..., Server]) -> None:
    one = server().start()
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "client.py", f"unix://{one.state}/server.sock"],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "MY_TOKEN": ""},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    page = (ROOT / "docs" / "howto" / "python-client.md").read_text(encoding="utf-8")
    shown = page.split("$ python examples/client.py")[1].split("```")[0].split("\n", 1)[1]
    assert done.stdout == shown


def test_it_says_why_it_was_refused_and_that_nobody_is_there(
    server: Callable[..., Server], tmp_path: Path
) -> None:
    one = server().start()
    one.client.stacks.apply(
        "greeting", {"template": "t", "files": {"t": "heat_template_version: 2021-04-16"}}
    )
    one.client.operations.protect("greeting")
    done = _run(f"unix://{one.state}/server.sock")
    assert (done.returncode, "refused (409, protected)" in done.stderr) == (1, True), done.stderr
    done = _run(f"unix://{tmp_path}/nowhere.sock")
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)


def _run(server: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "examples" / "client.py", server]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_what_is_public_is_there() -> None:
    for name in terrace.client.__all__:
        assert getattr(terrace.client, name).__doc__
