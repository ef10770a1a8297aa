"""What holds everywhere besides: secrets at rest, the audit log, passwords, rates, sizes, pins."""

from __future__ import annotations

import hmac
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from terrace.services.settings.schema import Limits
from tests.unit.api.rig import SHOP, Rig, running
from tests.unit.api.test_secrecy import SECRET, TEMPLATE
from tests.unit.api.test_signals import WAITING, door, output, say, until
from tests.unit.security.people import PASSWORD, person, project, stack, user
from tests.unit.security.test_credentials import attempt
from tests.unit.security.test_leaving import made
from tests.unit.security.test_tenants import ask, filled, routes

ROOT = Path(__file__).parents[4]


async def test_also_secrets_at_rest_lie_sealed_with_a_key_that_is_not_in_the_database(tmp_path: Path) -> None:
    async with running(tmp_path, lasting=True) as rig:
        set_secret = await rig.http.put("/v1/projects/default/secrets/db", json={"value": SECRET})
        assert set_secret.status_code == 201
        up = await rig.up(TEMPLATE, parameters={"password": "secret:db"})
        assert up.json()["phase"] == "settled", up.text
        versions = [await rig.get("/v1/keys"), (await rig.http.post("/v1/keys/rotate")).json()]
        assert [len(one["masters"]) for one in versions] == [1, 2], "a key has a version, and a next one"
        keys = (tmp_path / "key").read_text().split()
        files = [file for file in tmp_path.iterdir() if file.name.startswith(("terrace.db", "people.db"))]
        assert len(files) >= 2
        for file in files:
            held = file.read_bytes()
            assert SECRET.encode() not in held
            assert not [key for key in keys if len(key) > 20 and key.encode() in held]
        assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


async def test_also_whatever_changes_something_is_in_the_audit_log(rig: Rig) -> None:
    """Every route that is no GET, carried out or refused: nothing is done that no row tells of."""
    ada = await person(rig, "ada", admin=True)
    await project(rig, "shop", ada="admin")
    assert (await stack(ada, "shop", "web")).status_code == 201
    before, told, silent = await rig.registry.log.head(), 0, []
    for method, path in await routes(rig):
        if method == "get" or path in ("/v1/login", "/v1/logout") or path.startswith("/v1/signals"):
            continue
        answer = await ask(ada, method, filled(path))
        after = await rig.registry.log.head()
        if after > before:
            told += 1
        elif answer.status_code not in (
            400,
            404,
            422,
        ):  # refused before anything else was looked at, or nothing there
            silent.append((method, path, answer.status_code))
        before = after
    assert told > 25
    assert silent == []


async def test_also_whoever_reads_a_secret_is_in_the_audit_log_before_it_is_told(rig: Rig) -> None:
    await rig.up(TEMPLATE, parameters={"password": SECRET})
    before = await rig.registry.log.head()
    assert (await rig.get(f"{SHOP}/outputs/a"))["value"] == "******"
    assert await rig.registry.log.head() == before
    for path in ("/outputs/a", "/outputs", "/resources/v"):
        answer = await rig.http.get(SHOP + path, params={"reveal": 1})
        assert answer.status_code == 200
        if SECRET in answer.text:
            (row,) = await rig.registry.log.page(after=before)
            assert (row.entry.right, row.entry.subject.partition(" ")[0]) == ("reveal", "shop")
        before = await rig.registry.log.head()
    failing = rig.registry.log.append

    async def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    rig.registry.log.append = broken  # type: ignore[method-assign]
    refused = await rig.http.get(f"{SHOP}/outputs/a", params={"reveal": 1})
    assert refused.status_code >= 500
    assert SECRET not in refused.text, "what cannot be written down is not told"
    rig.registry.log.append = failing  # type: ignore[method-assign]


async def test_also_the_audit_log_is_chained_by_hash(rig: Rig) -> None:
    ada = await person(rig, "ada")
    assert (await ada.get("/v1/users")).status_code == 403
    assert (await rig.get("/v1/audit/verify"))["whole"] is True
    rows = await rig.database.rows("SELECT digest FROM audit")
    assert len({row[0] for row in rows}) == len(rows) >= 2

    def meddle(writer: Any) -> None:
        writer.execute("UPDATE audit SET actor = 'eve' WHERE actor = 'ada'", ())

    await rig.database.write(meddle)
    assert (await rig.get("/v1/audit/verify"))["whole"] is False


async def test_also_passwords_by_argon2(rig: Rig) -> None:
    await user(rig, "ada")
    await user(rig, "bob")
    kept = [row[0] for row in await rig.database.rows("SELECT password FROM users")]
    assert {one.split("$")[1] for one in kept} == {"argon2id"}
    assert len(set(kept)) == 2, "the same password, another salt"
    assert PASSWORD not in "".join(kept)


async def test_also_comparison_in_constant_time(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr("terrace.services.signals.signals.hmac.compare_digest", compare)
    for said, status in ((token, 200), ("0" * 64, 404), (token[:-1] + "x", 404)):
        assert (await say(rig, url, said)).status_code == status
    assert compared == [
        (token.encode(), said) for said in (token.encode(), b"0" * 64, token[:-1].encode() + b"x")
    ]
    ada = await person(rig, "ada")
    mine = await made(ada)
    for part in (mine[:-1], mine[:-1] + ("A" if mine[-1] != "A" else "B"), mine + "A"):
        assert (await rig.client(part).get("/v1/me")).status_code == 401
    digests = {row[0] for row in await rig.database.rows("SELECT digest FROM credentials")}
    assert not [one for one in digests if mine[4:12] in str(one)], "a token is looked up by what it hashes to"


async def test_also_rate_limits_on_login_tokens_and_signals(rig: Rig) -> None:
    await user(rig, "ada")
    logins = [
        (await attempt(rig, "ada", "wrong words in a row", "192.0.2.50")).status_code for _ in range(12)
    ]
    assert logins == [401] * 10 + [429] * 2
    guess = rig.client("trc_" + "a" * 43, host="192.0.2.51")
    guesses = [(await guess.get("/v1/me")).status_code for _ in range(30)]
    assert set(guesses) == {401, 429}
    assert guesses[-1] == 429
    stranger = rig.client(host="192.0.2.52")
    knocks = [(await stranger.post("/v1/signals/nobody-1", content=b"{}")).status_code for _ in range(30)]
    assert set(knocks) == {404, 429}
    assert knocks[-1] == 429
    assert (await rig.client(host="192.0.2.53").get("/v1/version")).status_code == 200


async def test_also_bodies_are_bounded(tmp_path: Path) -> None:
    async def drops() -> Any:
        for _ in range(100):
            yield b"x" * 1000

    async with running(tmp_path, Limits(body=20_000, document=10_000)) as rig:
        ada = await person(rig, "ada")
        for client in (rig.http, ada):
            assert (await client.put(SHOP, content=b"x" * 20_001)).status_code == 413
            assert (await client.put(SHOP, content=drops())).status_code == 413, (
                "its length was not told before"
            )
        assert (await rig.client().post("/v1/login", content=b"x" * 20_001)).status_code == 413
        assert (await rig.put("#" * 10_001)).status_code == 413


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_also_dependencies_are_pinned_by_hash(name: str) -> None:
    text = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(lines) > 10
    loose = [
        line
        for line in lines
        if not re.match(r"[\w.-]+(\[[\w,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert loose == []


def test_also_what_is_installed_is_what_was_pinned() -> None:
    script = (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")
    wanted = [line for line in script.splitlines() if re.search(r"pip install\b.*-r ", line)]
    assert wanted
    assert [line for line in wanted if "--require-hashes" not in line] == []
