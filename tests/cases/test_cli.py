"""What the command line says, case by case: tests/cases/cli/*.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.client.fake_server import Answer, FakeServer

from terrace.cli.root import main

CASES = [
    (file.stem, case)
    for file in sorted((Path(__file__).parent / "cli").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def answer(given: Any) -> Answer:
    """What a case says that the server answers."""
    return Answer(given["body"], given["status"]) if "status" in given else Answer(given)


@pytest.mark.parametrize(
    "case", [case for _, case in CASES], ids=[f"{stem}: {case['name']}" for stem, case in CASES]
)
def test_words(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    for name, text in case.get("files", {}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    server = FakeServer(
        tmp_path / "s", {route: answer(given) for route, given in case.get("routes", {}).items()}
    )
    try:
        monkeypatch.setenv("TERRACE_SERVER", server.address)
        code = main(case["words"])
    finally:
        server.close()
    out, err = capfd.readouterr()
    assert (out, err, code) == (case.get("out", ""), case.get("err", ""), case["code"])
