"""A real directory: OpenLDAP's slapd with its own folder, on loopback, with a certificate of its own authority."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import ldap3

from tests.real.remains import MARK, folder

BASE = "dc=plat,dc=test"
ADMIN, PASSWORD = f"cn=admin,{BASE}", "test-admin"
CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
maxsize 104857600
suffix {base}
rootdn {admin}
rootpw {password}
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,{base}" read by * none
"""


class Slapd:
    """The directory in `folder`, at ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = _free(), _free()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "db").mkdir(parents=True)
        certify(folder, ["127.0.0.1"])
        text = CONFIG.format(folder=folder, base=BASE, admin=ADMIN, password=PASSWORD)
        (folder / "slapd.conf").write_text(text)
        (folder / "reader").write_text("reader-secret\n")

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def start(self) -> None:
        """Until it answers."""
        urls = f"{self.url} {self.tls_url}"
        command = ["slapd", "-d", "0", "-f", str(self.folder / "slapd.conf"), "-h", urls]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("wb"),
            env={"PATH": "/usr/sbin:/usr/bin", MARK: str(folder())},
        )
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), 0.5).close()
                return
            except OSError:
                said = (self.folder / "log").read_text()
                assert self._process.poll() is None, f"slapd ended: {said}"
                assert time.monotonic() < end, f"slapd does not answer: {said}"
                time.sleep(0.02)

    def stop(self) -> None:
        """Gone when this returns."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    @contextmanager
    def admin(self) -> Iterator[Any]:
        """A connection of who may write there."""
        connection = ldap3.Connection(ldap3.Server(self.url), ADMIN, PASSWORD, auto_bind=True)
        try:
            yield connection
        finally:
            connection.unbind()

    def fill(self) -> None:
        """Two people, two groups, and somebody who may look."""
        with self.admin() as there:
            there.add(BASE, ["dcObject", "organization"], {"o": "plat", "dc": "plat"})
            for unit in ("people", "groups"):
                there.add(f"ou={unit},{BASE}", "organizationalUnit")
            reader = {"sn": "reader", "userPassword": "reader-secret"}
            there.add(f"cn=reader,{BASE}", "person", reader)
            self.person(there, "ada", "Ada Lovelace")
            self.person(there, "bob", "Bob (of *all*)")
            for name, members in (("devs", ["ada", "bob"]), ("ops", ["ada"])):
                there.add(
                    f"cn={name},ou=groups,{BASE}", "groupOfNames", {"member": [dn(one) for one in members]}
                )

    def person(self, there: Any, name: str, title: str) -> None:
        """One more, whose password is "pw-of-NAME"."""
        said = {"cn": title, "sn": title, "uid": name, "userPassword": f"pw-of-{name}"}
        there.add(dn(name), "inetOrgPerson", said)
        assert there.result["result"] == 0, there.result


def dn(name: str) -> str:
    return f"uid={name},ou=people,{BASE}"


def certify(folder: Path, names: list[str]) -> None:
    """An authority of its own, and a certificate of it for `names`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    own, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def made(subject: str, key: Any, extension: x509.ExtensionType) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("test authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(extension, critical=True)
            .sign(own, hashes.SHA256())
        )

    ca = made("test authority", own, x509.BasicConstraints(ca=True, path_length=0))
    entries: list[x509.GeneralName] = [
        x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names
    ]
    cert = made("directory", theirs, x509.SubjectAlternativeName(entries))
    (folder / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    (folder / "cert.pem").write_bytes(cert.public_bytes(Encoding.PEM))
    key = theirs.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
