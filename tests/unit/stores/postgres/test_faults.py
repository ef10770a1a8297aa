"""What PostgreSQL says, in words; and an address that never shows its password."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from terrace.errors import ConflictError, InvariantError, TransientError
from terrace.stores.postgres import Address
from terrace.stores.postgres.faults import translated


def of_code(code: str) -> psycopg.Error:
    made = psycopg.errors.lookup(code)("said")
    assert made.sqlstate == code
    return made


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (of_code("57P01"), TransientError, "store-unavailable"),
        (of_code("08006"), TransientError, "store-unavailable"),
        (of_code("40001"), TransientError, "store-unavailable"),
        (of_code("53300"), TransientError, "store-unavailable"),
        (of_code("57014"), TransientError, "store-unavailable"),
        (of_code("53100"), TransientError, "store-full"),
        (of_code("25006"), TransientError, "store-read-only"),
        (of_code("28P01"), TransientError, "store-refused"),
        (of_code("3D000"), TransientError, "store-refused"),
        (of_code("42501"), TransientError, "store-refused"),
        (of_code("XX001"), TransientError, "store-damaged"),
        (of_code("42P01"), InvariantError, "internal-error"),
        (of_code("23503"), InvariantError, "internal-error"),
        (psycopg.OperationalError("connection refused"), TransientError, "store-unavailable"),
        (psycopg.OperationalError('role "x" does not exist'), TransientError, "store-refused"),
        (psycopg.InterfaceError("the connection is closed"), TransientError, "store-unavailable"),
        (psycopg.ProgrammingError("our mistake"), InvariantError, "internal-error"),
    ],
)
def test_errors_in_words(error: psycopg.Error, kind: type[Exception], code: str) -> None:
    made = translated(error, "terrace on db.example")
    assert isinstance(made, kind)
    assert made.code == code
    if kind is TransientError:
        assert "terrace on db.example" in made.message


def test_the_password_is_read_anew_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hush\n")
    address = Address("postgresql://me@db.example:5433/terrace?sslmode=require", str(file))
    known = address.parameters()
    assert (known["password"], known["host"], known["port"], known["dbname"]) == (
        "hush",
        "db.example",
        "5433",
        "terrace",
    )
    assert (known["sslmode"], known["connect_timeout"]) == ("require", 5)
    file.write_text("quiet")
    assert address.parameters()["password"] == "quiet"
    assert str(address) == "terrace on db.example"
    assert "quiet" not in repr(address)


def test_what_is_no_address(tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as caught:
        Address("postgresql://me:hush@/x?nonsense=1").parameters()
    assert caught.value.code == "store-url"
    assert "hush" not in f"{caught.value.message}{caught.value.__cause__}"
    with pytest.raises(TransientError, match=r"cannot be read from .*gone: No such file"):
        Address("postgresql://me@/x", str(tmp_path / "gone")).parameters()
