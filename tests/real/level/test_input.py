"""Bad input that only a server can see: names taken, secrets that must not show, state folders in trouble."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from terrace.client import ApiError, Client
from terrace.client.address import Address
from tests.real.level.rig import alone, machine, of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace

SECRET = "kX7-very-hidden-q29Z"


@pytest.fixture
def own(session_engine: Engine, tmp_path: Path) -> Iterator[Terrace]:
    """A user whose server does not run yet."""
    yield from alone(tmp_path, session_engine)


# -- names and generations


def body(value: str) -> dict[str, Any]:
    """A request for a stack of one value."""
    template = {"heat_template_version": "2021-04-16", "resources": {"v": of("Value", value=value)}}
    return {"template": "t.yaml", "files": {"t.yaml": json.dumps(template)}}


def test_two_stacks_with_one_name(terrace: Terrace) -> None:
    """Whoever believes the name to be free is told that it is not; another project may use it."""
    with Client(Address(path=str(terrace.state / "server.sock"))) as client:
        client.stacks.apply("same", body("first"), if_match=0)
        with pytest.raises(ApiError) as caught:
            client.stacks.apply("same", body("second"), if_match=0)
        assert caught.value.status in (409, 412)
        assert '"same"' in caught.value.message or "same" in caught.value.message
        assert client.stacks.get("same")["generation"] == 1

        client.stacks.apply("same", body("third"), if_match=1)
        with pytest.raises(ApiError) as caught:
            client.stacks.apply("same", body("fourth"), if_match=1)
        assert caught.value.status == 412
        assert client.stacks.get("same")["generation"] == 2
    terrace("up", terrace.write("same", {"v": of("Value", value="x")}), "--yes", "--project", "other")
    assert terrace("list", "--project", "other", "-o", "name").out == "same\n"
    terrace("down", "same", "--yes", "--project", "other")
    terrace.down("same")


# -- secrets


def test_a_hidden_parameter_appears_nowhere(own: Terrace, engine: Engine, tiny_image: str) -> None:
    """It reaches the machine, and nothing else that anybody can look at."""
    (own.folder / "secret.txt").write_text(SECRET + "\n")
    given = ("-p", f"password=@{own.folder / 'secret.txt'}")
    hidden = {"type": "string", "hidden": True, "constraints": [{"length": {"min": 8}}]}
    resources = {
        "a": machine(
            tiny_image,
            environment={"PASSWORD": {"get_param": "password"}},
            files=[{"path": "/etc/secret", "content": {"get_param": "password"}}],
            metadata={"note": "plain"},
        ),
        "echo": machine(
            tiny_image, command="echo said; exit 3", environment={"P": {"get_param": "password"}}
        ),
        "memo": of(
            "Value", value={"str_replace": {"template": "pw=P", "params": {"P": {"get_param": "password"}}}}
        ),
    }
    outputs = {"memo": {"value": {"get_attr": ["memo", "value"]}}}
    template = own.write("safe", resources, parameters={"password": hidden}, outputs=outputs)
    shown = [own("plan", template, *given, code=2), own("plan", template, *given, "-o", "json", code=2)]
    shown.append(own("up", template, *given, "--yes", "--timeout", "5s", code=None))
    assert own("exec", "safe/a", "--", "sh", "-c", "echo $PASSWORD").out == SECRET + "\n"
    assert own("exec", "safe/a", "--", "cat", "/etc/secret").out == SECRET
    assert own("output", "safe", "memo", "--reveal").out == f"pw={SECRET}\n"

    changed = own.write("safe", resources | {"b": of("Value", value=1)}, parameters={"password": hidden})
    commands = [
        ["plan", changed, *given],
        ["plan", changed, *given, "-o", "json"],
        ["up", changed, *given, "--yes", "--no-follow"],
        ["up", changed, "--yes", "-p", "password=short"],
        ["status", "safe", "-o", "json"],
        ["events", "safe", "-o", "json", "--after", "0"],
        ["history", "safe", "-o", "json"],
        ["history", "safe", "--show", "1", "-o", "json"],
        ["output", "safe", "-o", "json"],
        ["output", "safe", "memo"],
        ["logs", "safe"],
    ]
    shown += [own(*words, code=None) for words in commands]
    for done in shown:
        assert SECRET not in done.out + done.err, done
    assert SECRET not in own.log
    files = [file for file in own.state.rglob("*") if file.is_file() and not file.is_socket()]
    assert any(file.name == "terrace.db" for file in files)
    for file in files:
        assert SECRET.encode() not in file.read_bytes(), file
    labels = json.dumps([one["Config"]["Labels"] for one in own.inspect_all()])
    assert SECRET not in labels
    own.down("safe")


def test_a_hidden_parameter_that_breaks_its_rule_is_not_repeated(terrace: Terrace) -> None:
    hidden = {"type": "string", "hidden": True, "constraints": [{"allowed_pattern": "[a-z]+"}]}
    template = terrace.write("safe", {"v": of("Value", value=1)}, parameters={"password": hidden})
    done = terrace("up", template, "--yes", "-p", f"password={SECRET}", code=1)
    assert "password" in done.err
    assert SECRET not in done.err + terrace.log


# -- the state folder


def start_fails(terrace: Terrace, *words: str) -> str:
    """What is said when the server cannot start; it is short and has all of `words`."""
    done = terrace("list", code=1)
    assert all(word in done.err for word in words), done
    assert "Traceback" not in done.err + terrace.log
    assert len(done.err.splitlines()) <= 6, done
    return done.err


def test_the_database_is_locked(own: Terrace) -> None:
    own("list")
    own.stop()
    with closing(sqlite3.connect(own.state / "terrace.db")) as database:
        database.execute("begin exclusive")
        start_fails(own, "terrace.db is locked by another program")
    own("list")


def test_the_database_is_of_a_newer_version(own: Terrace) -> None:
    own("list")
    own.stop()
    with closing(sqlite3.connect(own.state / "terrace.db")) as database:
        database.execute("update schema_version set version = 1000")
        database.execute("insert or replace into identity (key, value) values ('compatible_from', '1000')")
        database.commit()
    start_fails(own, "newer")
    with closing(sqlite3.connect(own.state / "terrace.db")) as database:
        assert database.execute("select version from schema_version").fetchone() == (1000,)


def test_the_state_folder_is_read_only(own: Terrace) -> None:
    own("list")
    own.stop()
    place = str(own.state)
    subprocess.run(["mount", "--bind", place, place], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        start_fails(own, place, "cannot be written")
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
    own("list")


def test_two_servers_on_one_state_folder(own: Terrace) -> None:
    """The second one ends, and says which one is there; the first one goes on."""
    own("list")
    first = own.pid
    second = subprocess.run(
        [sys.executable, "-m", "terrace", "serve"],
        env=own.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 4, second.stderr
    assert f"is used by another server (process {first})" in second.stderr
    assert len(second.stderr.splitlines()) <= 2
    assert own.pid == first
    own("list")
