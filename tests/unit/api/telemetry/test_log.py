"""Lines in the log."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from terrace.api.telemetry.log import LogFile, open_log, pretty


@pytest.fixture(autouse=True)
def root_logger():
    before = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers[:], logging.getLogger().level = before[0], before[1]


def test_ours_and_those_of_libraries_are_json_in_one_file(tmp_path: Path) -> None:
    log = open_log(str(tmp_path / "log"))
    log.log("info", "server.ready", pid=7, where=tmp_path)
    log.log("debug", "nobody.hears")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("some.library").exception("odd: %s", "this")
    logging.getLogger("some.library").info("chatter")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["server.ready", "odd: this"]
    assert (lines[0]["level"], lines[0]["pid"], lines[0]["where"]) == ("info", 7, str(tmp_path))
    assert (lines[1]["level"], lines[1]["logger"]) == ("error", "some.library")
    assert "ValueError: broken" in lines[1]["exception"]
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


def test_for_people() -> None:
    line = pretty(
        {
            "timestamp": "2026-01-01T12:00:00.123456Z",
            "level": "info",
            "event": "request",
            "path": "/a b",
            "ms": 1,
        }
    )
    assert line == b'12:00:00.123 info    request                  path="/a b" ms=1\n'
    assert b"\x1b" not in pretty({"timestamp": "x" * 30, "level": "info", "event": "e", "said": "\x1b[1m"})


def test_a_file_is_turned_over_and_never_stops_anybody(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LogFile(str(path), size=100, kept=2)
    for number in range(12):
        file.write(b"%03d" % number + b"." * 36 + b"\n")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert path.read_bytes()[:3] == b"010"
    assert (tmp_path / "log.1").read_bytes()[:3] == b"008"
    full = LogFile("/dev/full")
    full.write(b"a line\n")
