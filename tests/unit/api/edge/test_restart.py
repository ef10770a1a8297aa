"""A server that begins anew, or ends, loses no request."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable

from terrace.api.edge.handover import Inherited
from terrace.api.edge.tls import fingerprint_of
from terrace.client import Client, Trust, local
from terrace.client.address import Address
from tests.unit.served import REQUEST, Server, free_port

SIM = '[providers.local]\ndriver = "sim"\n'


class Asking(threading.Thread):
    """Somebody who asks and asks; `failures` are the requests that were lost."""

    def __init__(self, client: Callable[[], Client], ask: Callable[[Client, int], object]) -> None:
        super().__init__(daemon=True)
        self._client, self._ask = client, ask
        self.done = 0
        self.failures: list[Exception] = []
        self.enough = threading.Event()

    def run(self) -> None:
        client = self._client()
        while not self.enough.is_set():
            try:
                self._ask(client, self.done)
            except Exception as error:
                self.failures.append(error)
            self.done += 1
            if self.done % 10 == 0:  # now and then on a new connection
                client.close()
                client = self._client()
        client.close()


def test_nobody_is_turned_away_while_it_begins_anew(server: Callable[..., Server]) -> None:
    port = free_port()
    one = server(f'[server]\nlisten = "127.0.0.1:{port}"\n{SIM}').start()
    trust = Trust(fingerprint_of(str(one.state / "tls.crt")))
    unix = Address(path=str(one.state / "server.sock"))
    people = [
        Asking(lambda: Client(f"https://127.0.0.1:{port}", trust=trust), lambda client, _: client.version()),
        Asking(lambda: Client(unix), lambda client, _: list(client.stacks.listing())),
        Asking(lambda: Client(unix), lambda client, at: client.stacks.apply(f"s{at}", REQUEST)),
    ]
    for person in people:
        person.start()
    assert one.process is not None
    started = [one.client.server()["started"]]
    for _ in range(2):
        before = [person.done for person in people]
        assert local.restart(unix) == one.process.pid
        started.append(one.client.server()["started"])
        while any(person.done < done + 3 for person, done in zip(people, before, strict=True)):
            time.sleep(0.01)
    for person in people:
        person.enough.set()
    for person in people:
        person.join(30)
    assert [person.failures for person in people] == [[], [], []]
    assert len(set(started)) == 3
    stacks = {stack["name"]: stack["generation"] for stack in one.client.stacks.listing()}
    assert stacks == {f"s{at}": 1 for at in range(people[2].done)}  # each once
    assert one.end() == 0
    assert not (one.state / "server.sock").exists()


def test_with_settings_that_are_wrong_it_goes_on_as_it_is(server: Callable[..., Server]) -> None:
    one = server().start()
    assert one.process is not None
    started = one.client.server()["started"]
    good = one.config.read_text()
    one.config.write_text(good + "[server]\nlisten = 7443\n")
    one.process.send_signal(signal.SIGHUP)
    while not one.log("server.restart-refused"):
        time.sleep(0.01)
    assert one.client.server()["started"] == started
    one.config.write_text(good + f'[server]\nlisten = "127.0.0.1:{free_port()}"\n')
    local.restart(Address(path=str(one.state / "server.sock")))
    assert one.client.server()["fingerprint"].startswith("sha256:")
    assert one.end() == 0


def test_who_waits_is_answered_before_it_ends(server: Callable[..., Server]) -> None:
    one = server('[providers.local]\ndriver = "sim"\nlatency = [600.0, 600.0]\n').start()
    waited: list[dict] = []
    waiting = threading.Thread(
        target=lambda: waited.append(one.client.stacks.apply("shop", REQUEST, wait=60.0))
    )
    waiting.start()
    while "shop" not in [stack["name"] for stack in one.client.stacks.listing()]:
        time.sleep(0.01)
    assert one.end() == 0
    waiting.join(10)
    assert waited[0]["phase"] in ("accepted", "settling")


def test_sockets_of_another_process_are_not_touched() -> None:
    environ = {"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "HOME": "/"}
    found = Inherited(environ)
    assert found.unix() is None
    assert environ == {"HOME": "/"}


def test_a_socket_at_another_place_than_is_asked_for_is_let_go() -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with socket.socket() as tcp:
                tcp.bind(("127.0.0.1", 0))
                tcp.listen()
                port = tcp.getsockname()[1]
                os.dup2(tcp.fileno(), 3)
            environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
            found = Inherited(environ)
            assert found.tcp("127.0.0.1", port + 1) is None
            assert found.unix() is None
            taken = found.tcp("localhost", port)
            assert taken is not None
            found.close()
            taken.getsockname()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
