"""The commands of the pages that need Docker, typed as they stand there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.console import play

if TYPE_CHECKING:
    from tests.real.engine import Engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(600)
def test_the_tutorial_works(engine: Engine, base_image: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path, dirs_exist_ok=True)
    wrong = play(ROOT / "docs" / "tutorial" / "first-stack.md", tmp_path, DOCKER_HOST=engine.docker_host)
    assert not wrong, "\n".join(wrong)
