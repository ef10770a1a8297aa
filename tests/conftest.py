"""What concerns every test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of the many Python processes that tests start only the first compiles what it imports, be the environment as it
    may: each would need half a second more."""
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PYTHONPYCACHEPREFIX",
            str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"),
        )
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield
