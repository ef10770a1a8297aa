"""The server as a process, over TCP with TLS: who is trusted, who is let in, and who is hung up on."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from terrace.api.edge.tls import fingerprint_of, own_certificate
from terrace.client import ApiError, Client, Trust, UnreachableError
from terrace.client.access.trust import shown_at
from terrace.client.transport import dial
from tests.unit.served import Server, free_port

SIM = '[providers.local]\ndriver = "sim"\n'


def settings(port: int, more: str = "") -> str:
    return f'[server]\nlisten = "127.0.0.1:{port}"\n{more}{SIM}'


@pytest.fixture
def port() -> int:
    return free_port()


def test_nothing_listens_unless_it_is_asked_for(server: Callable[..., Server]) -> None:
    one = server().start()
    assert one.process is not None
    inodes = {
        line.split()[9]
        for kind in ("tcp", "tcp6")
        for line in Path(f"/proc/{one.process.pid}/net/{kind}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    }
    open_files = [str(file.readlink()) for file in Path(f"/proc/{one.process.pid}/fd").iterdir()]
    assert not [file for file in open_files if file.removeprefix("socket:[").rstrip("]") in inodes]


def test_a_stranger_must_be_somebody_and_the_owner_need_not(server: Callable[..., Server], port: int) -> None:
    one = server(settings(port)).start()
    trust = Trust(fingerprint_of(str(one.state / "tls.crt")))
    with Client(f"https://127.0.0.1:{port}", trust=trust) as client:
        assert client.version()["version"]
        with pytest.raises(ApiError) as refused:
            client.doctor()
        assert refused.value.status in (401, 403)
        with pytest.raises(ApiError) as refused_too:
            client.streams.exec("shop", "web", ["id"])
        assert refused_too.value.status in (401, 403)
    assert one.client.doctor()["checks"]
    assert one.end() == 0


def test_a_server_is_trusted_by_its_fingerprint_or_its_authority_and_not_otherwise(
    server: Callable[..., Server], port: int
) -> None:
    one = server(settings(port)).start()
    own, address = str(one.state / "tls.crt"), f"https://127.0.0.1:{port}"
    with Client(address, trust=Trust(ca_file=own)) as client:
        assert client.version()["version"]
    for trust in (Trust(), Trust("sha256:" + "0" * 64)):
        with Client(address, trust=trust) as client, pytest.raises(UnreachableError) as refused:
            client.version()
        assert refused.value.code == "untrusted-server"
    with socket.create_connection(("127.0.0.1", port)) as plain:
        assert shown_at(plain, "127.0.0.1") == fingerprint_of(own)


def test_a_certificate_is_changed_without_a_lost_connection(
    server: Callable[..., Server], port: int, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    file, key = own_certificate(str(tmp_path), "127.0.0.1")
    new, new_key = own_certificate(str(tmp_path / "new"), "127.0.0.1")
    server(settings(port, f'certificate = "{file}"\nkey = "{key}"\n')).start()
    before = Client(f"https://127.0.0.1:{port}", trust=Trust(fingerprint_of(file)))
    pid = before.version()["pid"]
    shutil.copy(new_key, key)
    shutil.copy(new, file)
    wanted, shown = fingerprint_of(new), ""
    while shown != wanted:
        with socket.create_connection(("127.0.0.1", port)) as plain:
            shown = shown_at(plain, "127.0.0.1")
    assert before.version()["pid"] == pid  # on the connection that was open all along
    before.close()


def test_no_more_from_one_place_than_there_is_room_for(server: Callable[..., Server], port: int) -> None:
    one = server(settings(port, "connections = 3\nconnections_per_source = 2\n")).start()
    trust = Trust(fingerprint_of(str(one.state / "tls.crt")))

    def client(host: str = "127.0.0.1") -> Client:
        return Client(f"https://{host}:{port}", trust=trust)

    first, second = client(), client()
    assert first.version() == second.version()
    with pytest.raises(UnreachableError):
        client().version()
    first.close()
    while True:  # the server sees a moment later that one left
        try:
            third = client()
            assert third.version()
            break
        except UnreachableError:
            pass
    third.close()
    second.close()
    assert one.client.version()["version"]  # the owner has a door of their own


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_what_is_no_http_is_told_so(server: Callable[..., Server], port: int) -> None:
    one = server(settings(port)).start()
    trust = Trust(fingerprint_of(str(one.state / "tls.crt")))
    address = Client(f"https://127.0.0.1:{port}", trust=trust).address
    for said in (
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with dial(address, 10) as connection:
            connection.sendall(said)
            answer = connection.recv(65536)
            assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), answer
    with socket.create_connection(("127.0.0.1", port)) as plain:  # no TLS at all
        plain.settimeout(10)
        plain.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not plain.recv(65536).startswith(b"HTTP/")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain)


def test_settings_of_the_listener_that_are_wrong(server: Callable[..., Server], port: int) -> None:
    for said, line, word in (
        ('listen = "7443"\n', 3, "server.listen"),
        ('listen = "127.0.0.1:0"\n', 3, "server.listen"),
        ('listen = "127.0.0.1:1"\nkey = "k"\n', 4, 'needs "certificate"'),
        ('listen = "127.0.0.1:1"\nlisen = 1\n', 4, 'did you mean "listen"?'),
        ('listen = "127.0.0.1:1"\ncertificate = "/none"\nkey = "/none"\n', 4, "server.certificate"),
    ):
        code, words = server(f"[server]\n{said}{SIM}").refuse()
        assert (code, f"server.toml:{line}:1" in words, word in words) == (1, True, True), words
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        code, words = server(settings(port)).refuse()
        assert (code, "something else listens" in words) == (4, True)
