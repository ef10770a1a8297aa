"""Certificates: our own, and those that change while the server runs."""

from __future__ import annotations

import hashlib
import shutil
import ssl
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from terrace.api.edge import tls
from terrace.api.edge.tls import Certificate, fingerprint_of, own_certificate
from terrace.api.listen import certificate
from terrace.errors import DocumentError, UserError
from terrace.services.settings import Surroundings, parse
from tests.unit.api.rig import Lines


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    folder = tmp_path / "given"
    folder.mkdir()
    return own_certificate(str(folder), "given.example")


def shown(context: ssl.SSLContext) -> str:
    """What a client is shown that connects now."""
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    ends = (client.wrap_bio(one, other), context.wrap_bio(other, one, server_side=True))
    for _ in range(3):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    held = ends[0].getpeercert(binary_form=True)
    assert held is not None
    return "sha256:" + hashlib.sha256(held).hexdigest()


def test_our_own_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    file, key = own_certificate(str(tmp_path), "192.0.2.1")
    before = fingerprint_of(file)
    assert own_certificate(str(tmp_path), "192.0.2.1") == (file, key)
    assert fingerprint_of(file) == before
    assert {stat.S_IMODE(Path(one).stat().st_mode) for one in (file, key)} == {0o600}
    names = ssl._ssl._test_decode_cert(file)["subjectAltName"]  # type: ignore[attr-defined]
    assert {("IP Address", "192.0.2.1"), ("IP Address", "127.0.0.1"), ("DNS", "localhost")} <= set(names)


def test_a_new_certificate_is_taken_when_it_and_its_key_are_there(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK", 0.0)
    lines = Lines()
    found = Certificate(*pair, lines)
    before = found.fingerprint
    (tmp_path / "new").mkdir()
    new = own_certificate(str(tmp_path / "new"), "new.example")
    found.refresh()
    assert lines.lines == []

    shutil.copy(new[0], pair[0])  # one file is new already, the other not yet
    found.refresh()
    found.refresh()
    assert [line["event"] for line in lines.lines] == ["tls.certificate-refused"]
    assert shown(found.context) == before

    shutil.copy(new[1], pair[1])
    found.refresh()
    assert lines.lines[-1]["event"] == "tls.certificate"
    assert lines.lines[-1]["fingerprint"] == fingerprint_of(new[0]) != before
    assert shown(found.context) == fingerprint_of(new[0])


def test_what_is_no_certificate(pair: tuple[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    (tmp_path / "other").mkdir()
    _, other = own_certificate(str(tmp_path / "other"), "other.example")
    for file, key in ((str(broken), pair[1]), (pair[0], other), (pair[0], str(tmp_path / "nowhere"))):
        with pytest.raises(UserError) as refused:
            Certificate(file, key, Lines())
        assert refused.value.code == "bad-certificate"


def test_a_certificate_that_is_wrong_names_its_line(tmp_path: Path) -> None:
    text = f'state = "{tmp_path}"\n[server]\nlisten = "127.0.0.1:7443"\ncertificate = "/nowhere"\nkey = "/nowhere"\n'
    settings = parse(text, "server.toml", Surroundings({}, lambda _: False))
    with pytest.raises(DocumentError) as refused:
        certificate(settings, Lines())
    assert [(one.line, one.column) for one in refused.value.problems] == [(4, 1)]
    assert "server.certificate" in refused.value.problems[0].message
