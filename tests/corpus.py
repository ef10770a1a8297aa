"""Where the corpus of real templates lies. It is no part of the project: TERRACE_CORPUS names its folder, by default
shared/corpus beside the checkout. Where it should be and is not, tests of it fail; where nobody has it they are
skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SHARED = Path(__file__).parents[2] / "shared"
CORPUS = Path(os.environ.get("TERRACE_CORPUS") or _SHARED / "corpus").resolve()


def require() -> None:
    """Ends the test unless the corpus is there: as a failure where it should be, else as a skip."""
    if (CORPUS / "hot").is_dir():
        return
    if os.environ.get("TERRACE_CORPUS") or _SHARED.is_dir():
        pytest.fail(f"no corpus of templates in {CORPUS}", pytrace=False)
    # It belongs to somebody else and is not copied here, so that a checkout alone cannot have it.
    pytest.skip("the corpus is no part of the project, and not here: TERRACE_CORPUS=FOLDER names it")
