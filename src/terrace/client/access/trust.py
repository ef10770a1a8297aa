"""Which server is trusted: one whose certificate an authority signed, or one whose fingerprint is known. There is no
way to trust just anybody."""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
import ssl
from typing import Any, NamedTuple

from terrace.client.errors import UnreachableError
from terrace.errors import UserError

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


class Trust(NamedTuple):
    """`fingerprint`: the certificate must be just this one ("sha256:..."), whoever signed it. Otherwise an authority
    must have signed it: one in `ca_file` (PEM), or with "" one that this machine trusts."""

    fingerprint: str = ""
    ca_file: str = ""


def parse_fingerprint(text: str) -> str:
    """A fingerprint in the one way we write it; the prefix, colons and capitals are as people like. UserError."""
    found = "sha256:" + text.strip().lower().removeprefix("sha256:").replace(":", "")
    if not _FINGERPRINT.fullmatch(found):
        raise UserError(
            f'"{text[:80]}" is no fingerprint of a certificate',
            code="bad-fingerprint",
            hint='"sha256:" and 64 hexadecimal digits: terrace server status, on the server, shows it',
        )
    return found


def secure(plain: socket.socket, host: str, trust: Trust) -> ssl.SSLSocket:
    """TLS over a connected socket, once the other side proved to be who it should be: nothing was sent to it before
    that. UnreachableError (`untrusted-server`) when it did not; OSError as any connection."""
    context = _context(trust)
    try:
        secured = context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise UnreachableError(
            f"the server at {host} is not trusted: {error.verify_message.rstrip('.')}",
            code="untrusted-server",
            hint="terrace login shows the fingerprint of its certificate, so that you can trust just that one",
        ) from error
    if trust.fingerprint and not hmac.compare_digest(fingerprint(secured), trust.fingerprint):
        shown = fingerprint(secured)
        secured.close()
        raise UnreachableError(
            f"the server at {host} shows another certificate ({shown}) than the one you trust",
            code="untrusted-server",
            hint="ask who runs it whether the certificate was changed; if so: terrace login again",
        )
    return secured


def fingerprint(secured: ssl.SSLSocket) -> str:
    """That of the certificate which the other side shows."""
    shown = secured.getpeercert(binary_form=True) or b""
    return "sha256:" + hashlib.sha256(shown).hexdigest()


def shown_at(plain: socket.socket, host: str) -> str:
    """The fingerprint of the certificate that is shown on a connected socket, trusted or not, for somebody to decide;
    nothing else is sent. OSError."""
    with _unverified().wrap_socket(plain, server_hostname=host) as secured:
        return fingerprint(secured)


def shown_by(address: Any) -> str:
    """The same for the server at an Address. UnreachableError when there is none."""
    try:
        with socket.create_connection((address.host, address.port), 10.0) as plain:
            return shown_at(plain, address.host)
    except OSError as error:
        raise UnreachableError(
            f"the server at {address} does not answer ({error})", hint="terrace doctor"
        ) from error


def _context(trust: Trust) -> ssl.SSLContext:
    if trust.fingerprint:
        return _unverified()  # the comparison with the fingerprint takes the place of authorities and names
    try:
        return ssl.create_default_context(cafile=trust.ca_file or None)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{trust.ca_file} holds no certificates that can be read ({error})",
            code="bad-certificate",
            hint="PEM: -----BEGIN CERTIFICATE-----",
        ) from error


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
