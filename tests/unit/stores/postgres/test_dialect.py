"""Our SQL in PostgreSQL's words, and rows as arrays."""

from __future__ import annotations

import re

import pytest

from terrace.stores.postgres.arrays import DUMPERS, column
from terrace.stores.postgres.dialect import bulk, migration, translated
from terrace.stores.queries import SQL, columns, migrations


def test_our_two_words_and_places_for_values() -> None:
    assert translated("SELECT a FROM t WHERE b = ? AND c LIKE 'x:%' /* FOR UPDATE */") == (
        "SELECT a FROM t WHERE b = %s AND c LIKE 'x:%%' FOR UPDATE"
    )
    assert translated("SELECT clock() + ?") == (
        "SELECT CAST(extract(epoch FROM now()) AS DOUBLE PRECISION) + %s"
    )


@pytest.mark.parametrize("name", sorted(SQL))
def test_no_query_has_a_word_that_only_one_database_knows(name: str) -> None:
    text = translated(SQL[name])
    assert "?" not in text.replace("?*", "")
    assert "/*" not in text
    alien = r"\b(INSERT OR|REPLACE INTO|AUTOINCREMENT|ROWID|GLOB|IFNULL|DATETIME|STRFTIME|ILIKE|ONLY|JSONB)\b"
    assert re.search(alien, text, re.IGNORECASE) is None


def test_an_insert_takes_a_column_at_a_time() -> None:
    made = bulk(SQL["records.upsert"])
    assert made is not None
    assert made.query.startswith(
        "INSERT INTO records (uid, incarnation, stack, path, position, provider, state, body) SELECT * FROM unnest("
        "%s::text[], %s::bigint[], %s::text[]"
    )
    assert "ON CONFLICT (uid, incarnation, stack) DO UPDATE SET path = excluded.path" in made.query
    assert made.kinds == ("TEXT", "BIGINT", "TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "BYTEA")
    assert made.key == (0, 1, 2)
    assert bulk(SQL["events.insert"]).key == ()  # type: ignore[union-attr]
    assert bulk(SQL["records.delete"]) is None
    assert bulk(SQL["uses.declare"]) is None


def test_text_is_ordered_byte_by_byte() -> None:
    made = migration("CREATE TABLE t (\n    a TEXT NOT NULL,\n    TEXTUAL BIGINT)", collated=True)
    assert made == 'CREATE TABLE t (\n    a TEXT COLLATE "C" NOT NULL,\n    TEXTUAL BIGINT)'
    assert migration("INSERT INTO t VALUES ('TEXT 5%')", collated=True) == "INSERT INTO t VALUES ('TEXT 5%%')"
    assert "COLLATE" not in migration("CREATE TABLE t (a TEXT)", collated=False)


def test_every_column_of_every_table_is_known() -> None:
    tables = columns()
    assert "notes" not in tables
    assert tables["events"] == {"number": "BIGINT", "stack": "TEXT", "at": "DOUBLE PRECISION", "body": "TEXT"}
    assert tables["uses"]["kept"] == "BYTEA"
    made = [text for *_, statements in migrations() for text in statements if text.startswith("CREATE TABLE")]
    for statement in made:
        name = statement.split()[2]
        lines = [line for line in statement.splitlines()[1:] if re.match(r"    [a-z]", line)]
        if name in tables:
            added = len(tables[name]) - len(lines)
            assert added >= 0, f"{name}: a column of a type that is not ours"


@pytest.mark.parametrize(
    ("kind", "values", "sent"),
    [
        (
            "BIGINT",
            [1, True, -(2**63)],
            "0000000800000000000000010000000800000000000000010000000880" + "00" * 7,
        ),
        ("BIGINT", [None, 2], "ffffffff000000080000000000000002"),
        ("DOUBLE PRECISION", [1, 0.5], "000000083ff0000000000000000000083fe0000000000000"),
        ("TEXT", ["é", "", None, "a\0b"], "00000002c3a900000000ffffffff0000000561efbfbd62"),
        ("BYTEA", [b"\0\xff", None], "0000000200ffffffffff"),
    ],
)
def test_a_column_as_it_goes_over_the_wire(kind: str, values: list[object], sent: str) -> None:
    made = column(kind, values)
    found = bytes(DUMPERS[type(made)](type(made)).dump(made) or b"")
    head = len(values).to_bytes(4, "big").hex()
    oid = {"TEXT": 25, "BIGINT": 20, "DOUBLE PRECISION": 701, "BYTEA": 17}[kind].to_bytes(4, "big").hex()
    assert found.hex() == "0000000100000001" + oid + head + "00000001" + sent


def test_bytes_are_looked_for_in_its_words() -> None:
    wanted = "SELECT 1 FROM records WHERE position(%s in body) > 0"
    assert translated("SELECT 1 FROM records WHERE instr(body, ?) > 0") == wanted
