"""Certificates: one that somebody gave, read again when its files change, or one of our own, made once."""

from __future__ import annotations

import datetime
import hashlib
import os
import socket
import ssl
import time
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from terrace.errors import UserError
from terrace.ports.telemetry import Telemetry

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

LOOK = 1.0
"""Seconds between two looks at the files, at most as often as somebody connects."""
YEARS = 10
"""How long a certificate of our own is good for: clients know it by its fingerprint."""


class Certificate:
    """The certificate in `file` with the key in `key`, as a context that connections are made with. UserError
    (`bad-certificate`) when they cannot be used."""

    def __init__(self, file: str, key: str, telemetry: Telemetry) -> None:
        self._file = file
        self._key = key
        self._telemetry = telemetry
        self.context = _context(file, key)
        self._known = _state(file, key)
        self._refused = self._known
        self._looked = time.monotonic()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as clients pin it."""
        return fingerprint_of(self._file)

    def refresh(self) -> None:
        """Reads the files again if they changed. Connections that are open are not touched; while the files do not fit
        each other (one is written already, the other is not), the certificate stays what it was."""
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        found = _state(self._file, self._key)
        if found in (self._known, self._refused):
            return
        try:
            _context(self._file, self._key)
            self.context.load_cert_chain(self._file, self._key)
        except (UserError, OSError) as error:
            self._refused = found
            self._telemetry.log("warning", "tls.certificate-refused", file=self._file, error=str(error))
            return
        self._known = self._refused = found
        self._telemetry.log("info", "tls.certificate", file=self._file, fingerprint=self.fingerprint)


def _context(file: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    for one in (file, key):
        if not os.access(one, os.R_OK):
            raise UserError(f"{one} cannot be read", code="bad-certificate")
    try:
        context.load_cert_chain(file, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = getattr(error, "reason", None) or str(error)
        raise UserError(
            f"{file} and {key} are not a certificate and its key: {str(why).lower().replace('_', ' ')}",
            code="bad-certificate",
            hint="both in PEM; the key without a password, the certificate with those between it and its authority",
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")


def _state(*files: str) -> tuple[tuple[int, int, int] | None, ...]:
    return tuple(_mark(file) for file in files)


def _mark(file: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def fingerprint_of(file: str) -> str:
    """SHA-256 of the first certificate in a PEM file: "sha256:" and 64 hexadecimal digits. OSError, ValueError."""
    with open(file, encoding="ascii", errors="replace") as opened:
        text = opened.read()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = text[text.index(begin) : text.index(end) + len(end)]
    return "sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


def own_certificate(folder: str, host: str) -> tuple[str, str]:
    """The files of this server's own certificate in `folder` (mode 0600), made when there are none, for `host` and the
    names of this machine. UserError when they cannot be written."""
    file, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    if os.path.exists(file) and os.path.exists(key):
        return file, key
    made, secret = _make(host)
    try:
        # The key first: with both there, nothing is made again.
        _write(key, secret)
        _write(file, made)
    except OSError as error:
        raise UserError(
            f"the server's certificate cannot be kept in {folder}: {error.strerror}", code="state-folder"
        ) from error
    return file, key


def _write(path: str, data: bytes) -> None:
    draft = f"{path}.new"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _make(host: str) -> tuple[bytes, bytes]:
    """A certificate that signs itself, and its key, both in PEM. cryptography is imported only here: a server makes one
    once in its life."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Terrace server")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), secret


def _names(host: str) -> Sequence[GeneralName]:
    from cryptography import x509

    found: list[GeneralName] = []
    for one in dict.fromkeys((host, "localhost", socket.gethostname(), "127.0.0.1", "::1")):
        try:
            address = ip_address(one)
        except ValueError:
            if one.isascii():
                found.append(x509.DNSName(one))
            continue
        if not address.is_unspecified:
            found.append(x509.IPAddress(address))
    return found
