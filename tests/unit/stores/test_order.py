"""The order of lists, and the queries' names."""

from __future__ import annotations

import pytest

from terrace.errors import UserError
from terrace.model.record import Record
from terrace.ports.store import RecordRow
from terrace.stores import order
from terrace.stores.queries import SQL, many
from terrace.stores.sqlite.migrating import dialect


def test_numbers_and_depth_count() -> None:
    wanted = ["a", "a/1", "a/2", "a/2/x", "a/10", "a/10/x", "a-1", "a.b", "a1", "a2", "a10", "b"]
    assert sorted(set(wanted), key=order.position) == wanted


def test_a_cursor_says_where_it_stands() -> None:
    text = RecordRow(Record(path="g/10", kind="Value", uid="uid", incarnation=3)).cursor
    assert order.after(text) == order.point("g/10", 3, "uid")
    assert order.after("") == order.START < order.point("", 0, "")
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@pytest.mark.parametrize("text", ["!", "abc", "W10", "bnVsbA", "é", "W1tdLDEsIiJd"])
def test_other_texts_are_no_cursors(text: str) -> None:
    with pytest.raises(UserError, match="cursor"):
        order.after(text)


def test_queries_have_one_name_each_and_no_end() -> None:
    assert SQL["records.delete"] == "DELETE FROM records WHERE uid = ? AND incarnation = ? AND stack = ?"
    assert all(text and not text.endswith(";") and "--" not in text for text in SQL.values())
    assert many("records.known", 3).endswith("IN (?, ?, ?)")


def test_the_dialect_turns_types_and_holds_to_them() -> None:
    text = "CREATE TABLE t (\n    a BYTEA,\n    b BIGINT,\n    c DOUBLE PRECISION\n)"
    assert dialect(text) == "CREATE TABLE t (\n    a BLOB,\n    b INTEGER,\n    c REAL\n) STRICT"
    assert dialect("CREATE INDEX i ON t (a)") == "CREATE INDEX i ON t (a)"
