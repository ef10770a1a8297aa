"""A life of a server with secrets in every place that may hold one, and a look for them in all that it leaves behind.
Run over SQLite by test_everywhere.py, over PostgreSQL by tests/real/postgres/test_secrecy.py."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.unit.served import Server

HIDDEN = "correct-horse-battery-staple"
OTHER = "another-horse-battery-staple"
PASSWORD = "five quite secret words here"
PROJECT = "/v1/projects/default"
TEMPLATE = """heat_template_version: 2021-04-16
parameters: {pin: {type: string, hidden: true, constraints: [{length: {max: 60}}]}}
resources:
  v: {type: 'Terrace::Value', properties: {value: {get_param: pin}}}
  handle: {type: 'OS::Heat::WaitConditionHandle'}
  key: {type: 'OS::Nova::KeyPair', properties: {name: mine, save_private_key: true}}
  web:
    type: Terrace::Machine
    properties:
      image: debian-12
      flavor: m1.tiny
      environment: {P: {str_replace: {template: 'x-P', params: {P: {get_param: pin}}}}}
      user_data: {list_join: ['', ['#!/bin/sh ', {get_param: pin}]]}
      files: [{path: /etc/pin, content: {get_param: pin}}]
outputs:
  pin: {value: {get_attr: [v, value]}}
  token: {value: {get_attr: [handle, token]}}
  key: {value: {get_attr: [key, private_key]}}
"""
READER = """heat_template_version: 2021-04-16
resources:
  there: {type: 'Terrace::StackOutput', properties: {stack: shop, output: pin}}
  mine: {type: 'Terrace::Value', properties: {value: {get_attr: [there, value]}}}
outputs: {pin: {value: {get_attr: [mine, value]}}}
"""


class Local(http.client.HTTPConnection):
    """HTTP over the server's own socket, so that every header can be said."""

    def __init__(self, path: Path) -> None:
        super().__init__("terrace", timeout=30)
        self._path = str(path)

    def connect(self) -> None:
        """Over the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class Life:
    """What is done with one server, and all that it `told` when nobody asked for a secret: `secrets` appear nowhere."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.told: list[str] = []
        self.secrets = [HIDDEN, OTHER, PASSWORD]
        self._keys = 0

    def ask(self, method: str, path: str, body: Any = None, *, secret: bool = False, ok: bool = True) -> Any:
        """A request that may be repeated, and is: its answer lies in the database from then on. `secret`: it gives one
        away on purpose."""
        self._keys += 1
        headers = {"Idempotency-Key": f"key-{self._keys}", "Content-Type": "application/json"}
        texts = []
        for _ in range(1 if method == "GET" else 2):
            connection = Local(self.server.state / "server.sock")
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            texts.append(answer.read().decode())
            connection.close()
            assert not ok or answer.status < 300, (path, answer.status, texts[-1])
        if not secret:
            self.told += texts
        return json.loads(texts[0]) if texts[0].startswith(("{", "[")) else texts[0]

    def live(self) -> Life:
        """Everything once."""
        shop = PROJECT + "/stacks/shop"
        self.ask("PUT", f"{PROJECT}/secrets/db", {"value": OTHER})
        wish = {"template": "t.yaml", "files": {"t.yaml": TEMPLATE}, "parameters": {"pin": HIDDEN}}
        self.ask("PUT", shop + "?dry_run=1&seal=1", wish)
        self.ask("PUT", shop + "?wait=settled&timeout=20", wish)
        stored = {**wish, "parameters": {"pin": "secret:db"}}
        self.ask("PUT", f"{PROJECT}/stacks/blog?wait=settled&timeout=20", stored)
        reader = {"template": "r.yaml", "files": {"r.yaml": READER}}
        self.ask("PUT", f"{PROJECT}/stacks/reader?wait=settled&timeout=20", reader)
        self.ask("PUT", shop, {**wish, "parameters": {"pin": HIDDEN * 9}}, ok=False)
        self.ask(
            "PUT", shop, {**wish, "files": {"t.yaml": TEMPLATE + "x: [" + HIDDEN}}, ok=False, secret=True
        )
        self._reveal(shop)
        self.ask("POST", "/v1/users", {"name": "ada", "password": PASSWORD})
        self.ask("POST", "/v1/login", {"name": "ada", "password": PASSWORD + "!"}, ok=False)
        made = [self.ask("POST", "/v1/login", {"name": "ada", "password": PASSWORD}, secret=True)["token"]]
        token = {"name": "ci", "project": "default", "role": "viewer", "service": True}
        made.append(self.ask("POST", "/v1/tokens", token, secret=True)["token"])
        self.secrets += [*made, *(one[4:] for one in made)]
        paths = ("", "/resources", "/resources/v", "/resources/web", "/outputs", "/outputs/pin", "/events")
        for path in (*paths, "/generations", "/generations/1", "/document", "/signals"):
            self.ask("GET", shop + path)
        for path in (
            "/v1/audit",
            "/metrics",
            "/v1/users",
            "/v1/tokens?project=default",
            "/v1/keys",
            "/v1/events",
        ):
            self.ask("GET", path)
        self.ask("POST", "/v1/keys/rotate")
        return self

    def _reveal(self, shop: str) -> None:
        """Whoever asks and may is told; it is in the audit log, without what was told."""
        told = {
            one["name"]: one["value"]
            for one in self.ask("GET", shop + "/outputs?reveal=1", secret=True)["items"]
        }
        assert told["pin"] == HIDDEN
        self.secrets += [told["token"], told["key"].splitlines()[2]]

    def command(self, *words: str) -> None:
        """A command of the person whose server it is; what it says counts as told."""
        environ = {
            **os.environ,
            "TERRACE_SERVER_CONFIG": str(self.server.config),
            "TERRACE_SERVER": f"unix://{self.server.state}/server.sock",
            "HOME": str(self.server.folder),
        }
        done = subprocess.run(
            [sys.executable, "-m", "terrace", *words],
            env=environ, capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        self.told.append(done.stdout + done.stderr)

    def found_in(self, held: bytes) -> list[str]:
        """The secrets that stand in some bytes, in one of the ways in which text is kept."""
        return [secret for secret in self.secrets if any(form in held for form in forms(secret))]

    def traces(self, *more: tuple[str, bytes]) -> list[tuple[str, str]]:
        """Where which secret was found: in what was told, in every file of the state folder, and in `more`."""
        places = [(f"told {number}", text.encode()) for number, text in enumerate(self.told)]
        files = [file for file in self.server.folder.rglob("*") if file.is_file()]
        places += [(file.name, file.read_bytes()) for file in files]
        return [(name, one) for name, held in (*places, *more) for one in self.found_in(held)]


def forms(secret: str) -> list[bytes]:
    """A secret as it might stand in bytes."""
    plain = secret.encode()
    return [plain, secret.encode("utf-16-le"), plain.hex().encode(), base64.b64encode(plain)[:-4]]
