"""Which generations may be dropped."""

from __future__ import annotations

import pytest

from terrace.stores.heads import surplus


@pytest.mark.parametrize(
    ("restores", "settled", "kept", "dropped"),
    [
        ({}, 0, 2, [3, 2, 1]),
        ({}, 2, 2, [3, 1]),
        ({}, 5, 1, [4, 3, 2, 1]),
        ({}, 0, 0, [4, 3, 2, 1]),
        ({}, 0, 9, []),
        ({5: 1}, 0, 1, [4, 3, 2]),
        ({5: 3, 3: 1}, 0, 1, [4, 2]),
        ({2: 1}, 0, 1, [4, 3, 2, 1]),
        ({2: 1}, 2, 1, [4, 3]),
        ({5: 99}, 99, 1, [4, 3, 2, 1]),
    ],
)
def test_surplus(restores: dict[int, int], settled: int, kept: int, dropped: list[int]) -> None:
    generations = [(number, restores.get(number, 0)) for number in range(1, 6)]
    assert surplus(generations, settled, kept) == dropped
