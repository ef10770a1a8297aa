"""docs/explanation/accidents.md is whole: each accident has a test that bears its name, each test a row."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[3] / "docs/explanation/accidents.md").read_text(encoding="utf-8")
KNOWN = {
    "2013-6428", "2013-6426", "2016-7404", "2016-9185", "2023-1625", "2024-7319", "2016-4972", "2019-11253",
    "2026-45408", "2025-34159", "2025-64420", "2026-48742", "2020-11651", "2020-11652", "2021-25281", "2021-25283",
    "2025-27516", "2016-9587", "2017-7481", "2023-5764", "2021-36782", "2023-1299", "2026-4370", "2007-4559",
    "2025-4517", "2016-9639",
}  # fmt: skip
"""Those that were looked at when Terrace was planned."""
NAMED = {"ossn_0011", "senlin", "etcd_jepsen", "rancher_tokens"}
"""And those without a number of the usual kind."""
TESTS = [
    name
    for file in sorted(HERE.glob("test_*.py"))
    if file.name != Path(__file__).name
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
]


def rows() -> list[list[str]]:
    """The rows of the first table."""
    lines = PAGE.partition("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][
        2:
    ]


def test_every_accident_has_a_test_that_bears_its_name() -> None:
    assert len(rows()) >= 24
    for happened, rule, proof in rows():
        wanted = re.findall(r"`(test_\w+)`", proof)
        assert wanted, happened
        assert rule
        for one in wanted:
            assert [name for name in TESTS if name.startswith(one)], f"{one} is no test"
        for number in re.findall(r"CVE-(\d+-\d+)", happened):
            assert number.replace("-", "_") in proof, f"{number} has no test that bears its name"


def test_none_of_them_is_forgotten() -> None:
    assert set(re.findall(r"CVE-(\d+-\d+)", PAGE)) == KNOWN
    for one in NAMED:
        assert [name for name in TESTS if name.startswith(f"test_{one}")], one


def test_every_test_is_in_the_table() -> None:
    named = [one for _, _, proof in rows() for one in re.findall(r"`(test_\w+)`", proof)]
    assert [name for name in TESTS if not any(name.startswith(one) for one in named)] == []


def test_what_cannot_go_wrong_yet_has_a_reason() -> None:
    lines = PAGE.partition("\n## ")[2].splitlines()
    told = [line.strip("|").split("|") for line in lines if line.startswith("|")][2:]
    assert len(told) >= 1
    assert all(len(row) == 2 and all(cell.strip() for cell in row) for row in told)
