"""The configuration of HAProxy that follows from what stands on a load balancer. Pure.

What people wrote comes here as numbers, addresses, words of a table, or texts that are looked at once more against
a pattern, so that nothing in it can mean anything else to the proxy.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from terrace.drivers.docker.balance.parts import Books, Part
from terrace.errors import PermanentError
from terrace.model.spec.balance import CODES, COOKIE, METHODS, PATH

FOLDER: Final = "/var/lib/terrace/balance"
ADMIN: Final = f"{FOLDER}/admin.sock"
MASTER: Final = f"{FOLDER}/master.sock"
CONNECTIONS: Final = 4000  # at once; each takes up to 33 KiB
_HEAD: Final = f"""\
# Written by Terrace from parts.json beside this file. What is changed here is put back.
global
  user haproxy
  group haproxy
  nbthread 1
  maxconn {CONNECTIONS}
  localpeer self
  stats socket {ADMIN} mode 600 level admin expose-fd listeners
  server-state-file {FOLDER}/states
  hard-stop-after 10m
  mworker-max-reloads 4
  log stdout format raw local0 notice
defaults
  log global
  timeout connect 3s
  timeout client 5m
  timeout server 5m
  timeout queue 30s
  retries 3
  option redispatch 1
  load-server-state-from-file global
peers own
  peer self 127.0.0.1:1
frontend none
  mode tcp
  bind unix@{FOLDER}/none.sock mode 600
"""
_BALANCE: Final = {
    "ROUND_ROBIN": ["balance roundrobin"],
    "LEAST_CONNECTIONS": ["balance leastconn"],
    "SOURCE_IP": ["balance source", "hash-type consistent"],
}
_TCP: Final = frozenset({"TCP", "HTTPS"})


def render(books: Books) -> str:
    """All of it, the same for the same books."""
    blocks = [_listener(books, one) for one in books.of("Listener")]
    blocks += [_pool(books, one) for one in books.of("Pool")]
    return _HEAD + "".join(_block(block) for block in blocks)


def _block(lines: list[str]) -> str:
    return lines[0] + "\n" + "".join(f"  {line}\n" for line in lines[1:])


def backend(pool: Part) -> str:
    """The name of a pool in the configuration."""
    return f"pool_{pool.token}"


def server(pool: Part, member: Part) -> str:
    """The name of a member in the configuration."""
    return f"{backend(pool)}/member_{member.token}"


def cookied(pool: Part) -> bool:
    """Whether the proxy keeps clients with members by a cookie of its own."""
    return bool(pool.spec.persistence == "HTTP_COOKIE")


def mode_of(books: Books, pool: Part) -> str:
    """http or tcp: what listeners send to it, else what it is made for."""
    modes = {_mode(one) for one in books.listeners_of(pool)}
    if not modes:
        return "http" if pool.spec.protocol == "HTTP" else "tcp"
    return "tcp" if "tcp" in modes else "http"


def mismatch(books: Books) -> str:
    """Which listener and pool do not fit together, and why; "" when all do."""
    for listener in books.of("Listener"):
        pool = books.pool_of(listener)
        if pool is None:
            continue
        asked, given = listener.spec.protocol, pool.spec.protocol
        if asked == "HTTP" and given not in ("HTTP", "PROXY"):
            return f"a listener of HTTP sends to a pool of HTTP or PROXY, not of {given}"
        if _mode(listener) != mode_of(books, pool):
            return f"{pool.spec.name} is sent HTTP by one listener and TCP by another: give each a pool"
        if pool.spec.persistence.endswith("COOKIE") and _mode(listener) != "http":
            return f"a listener of {asked} sees no cookies, by which {pool.spec.name} would keep its clients"
    return ""


def _mode(listener: Part) -> str:
    return "tcp" if listener.spec.protocol in _TCP else "http"


def _listener(books: Books, listener: Part) -> list[str]:
    spec, mode = listener.spec, _mode(listener)
    lines = [f"frontend listener_{listener.token}", f"mode {mode}"]
    lines.append(f"bind {_end(books.address, spec.port)}")
    if not (spec.enabled and books.spec.enabled):
        lines.append("disabled")
    if spec.limit > 0:
        lines.append(f"maxconn {int(spec.limit)}")
    if spec.allowed:
        ranges = " ".join(str(ipaddress.ip_network(one, strict=False)) for one in spec.allowed)
        lines.append(f"tcp-request connection reject unless {{ src {ranges} }}")
    if mode == "http":
        lines.append("option idle-close-on-response")
    pool = books.pool_of(listener)
    if pool is not None and pool.spec.enabled and mode_of(books, pool) == mode:
        lines.append(f"default_backend {backend(pool)}")
    return lines


def _pool(books: Books, pool: Part) -> list[str]:
    mode = mode_of(books, pool)
    lines = [f"backend {backend(pool)}", f"mode {mode}", *_BALANCE[pool.spec.algorithm]]
    lines += _persistence(pool, mode)
    monitor = _monitor(books, pool)
    lines += _questions(monitor) if monitor is not None else []
    for member in books.on(pool, "PoolMember"):
        weight = 0 if member.leaving else member.spec.weight
        line = [f"server member_{member.token}", terms(books, pool, member, weight)]
        line += [f"cookie {member.token}"] if cookied(pool) and mode == "http" else []
        lines.append(" ".join([*line, *([] if member.spec.enabled else ["disabled"])]))
    return lines


def _persistence(pool: Part, mode: str) -> list[str]:
    match pool.spec.persistence:
        case "SOURCE_IP":
            return ["stick-table type ip size 20k expire 1h peers own", "stick on src"]
        case "HTTP_COOKIE" if mode == "http":
            return ["cookie SRV insert indirect nocache"]
        case "APP_COOKIE" if mode == "http":
            cookie = _text(COOKIE, pool.spec.cookie)
            return [
                "stick-table type string len 64 size 20k expire 1h peers own",
                f"stick store-response res.cook({cookie})",
                f"stick match req.cook({cookie})",
            ]
        case _:
            return []


def _monitor(books: Books, pool: Part) -> Part | None:
    return next((one for one in books.on(pool, "HealthMonitor") if one.spec.enabled), None)


def monitored(books: Books, pool: Part) -> bool:
    """Whether members of a pool are asked whether they are well."""
    return _monitor(books, pool) is not None


def _questions(monitor: Part) -> list[str]:
    spec = monitor.spec
    lines = [f"timeout check {int(spec.timeout)}s"] if spec.timeout else []
    match spec.type:
        case "HTTP" | "HTTPS":
            method, path = _text("|".join(METHODS), spec.method), _text(PATH, spec.path)
            codes = _text(CODES, spec.codes).replace(" ", "")
            lines += ["option httpchk", f"http-check send meth {method} uri {path}"]
            lines.append(f"http-check expect status {codes}")
        case "TLS-HELLO":
            lines.append("option ssl-hello-chk")
        case _:
            lines.append("option tcp-check")
    return lines


def terms(books: Books, pool: Part, member: Part, weight: int) -> str:
    """A member's address and what goes with it: in the configuration, and said to a proxy that runs."""
    spec, monitor = member.spec, _monitor(books, pool)
    found = [_end(spec.address, spec.port), f"weight {int(weight)}"]
    if spec.backup:
        found.append("backup")
    if pool.spec.protocol == "PROXY":
        found.append("send-proxy")
    if pool.spec.tls:
        found.append("ssl verify none")
    if monitor is not None:
        asking = monitor.spec
        found.append(
            f"check inter {max(int(asking.delay), 1)}s rise {int(asking.retries)} fall {int(asking.failures)}"
        )
        found += ["check-ssl verify none"] if asking.type == "HTTPS" and not pool.spec.tls else []
        found += [f"addr {ipaddress.ip_address(spec.monitor_address)}"] if spec.monitor_address else []
        found += [f"port {int(spec.monitor_port)}"] if spec.monitor_port else []
    return " ".join(found)


def _end(address: str, port: int) -> str:
    held = ipaddress.ip_address(address)
    return f"[{held}]:{int(port)}" if held.version == 6 else f"{held}:{int(port)}"


def _text(pattern: str, text: str) -> str:
    """`text` if it is of the pattern; PermanentError otherwise: it would mean something else to the proxy."""
    if not re.fullmatch(pattern, text):
        raise PermanentError(f"{text[:60]!r} cannot stand in the configuration of a load balancer")
    return text
