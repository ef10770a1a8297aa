"""Load balancers: a place where requests come in, and the members that they go on to.

Texts that end up in the configuration of a proxy have patterns, which leave no room for anything that means something
else there: whoever reads them and whoever writes them there look at the same ones.
"""

from __future__ import annotations

from typing import Final

import msgspec

PATH: Final = r"/[A-Za-z0-9._~/?&=%:@,+;!*-]{0,1023}"
COOKIE: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"
CODES: Final = r"[1-5][0-9]{2}(-[1-5][0-9]{2})?( *, *[1-5][0-9]{2}(-[1-5][0-9]{2})?){0,63}"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")


class LoadBalancerSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A proxy with an address. That is of `network`, or of the network of `subnet` (provider ids); `address` "": the
    provider chooses. `security_groups` (provider ids) say what may pass there; none: what its listeners take.
    `enabled` False: it takes nothing."""

    name: str
    network: str = ""
    subnet: str = ""
    address: str = ""
    security_groups: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True


class ListenerSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A port of a load balancer (`balancer`, provider id; "": that of its pool), and how it is spoken to there: HTTP,
    HTTPS (passed on as it is), TCP, TERMINATED_HTTPS, PROXY, UDP. `pool` (provider id) takes what comes, "": the one
    that names this listener. `limit` connections at once (-1: any number). `allowed` are the ranges that may connect;
    none: all may. `certificate` and `more_certificates` name what TERMINATED_HTTPS shows."""

    protocol: str
    port: int
    balancer: str = ""
    pool: str = ""
    limit: int = -1
    allowed: tuple[str, ...] = ()
    certificate: str = ""
    more_certificates: tuple[str, ...] = ()
    name: str = ""
    description: str = ""
    enabled: bool = True


class PoolSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Members that share what comes in. It is the default of `listener`, or belongs to `balancer` (provider ids) and
    is named by listeners. `algorithm` is ROUND_ROBIN, LEAST_CONNECTIONS, SOURCE_IP or SOURCE_IP_PORT. `persistence`
    keeps a client with its member: SOURCE_IP, HTTP_COOKIE or APP_COOKIE (the application's own, `cookie`), "" for none.
    `tls`: members are spoken to by TLS."""

    protocol: str
    algorithm: str
    listener: str = ""
    balancer: str = ""
    persistence: str = ""
    cookie: str = ""
    tls: bool = False
    name: str = ""
    description: str = ""
    enabled: bool = True


class PoolMemberSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An address and port that a pool (provider id) sends to. `weight` is its share among the others, 0: nothing new.
    `subnet` (provider id) is where that address is, "": where the load balancer's own is. Health is asked at
    `monitor_address` and `monitor_port`, where those are given. `backup`: only when all others are down."""

    pool: str
    address: str
    port: int
    weight: int = 1
    subnet: str = ""
    monitor_address: str = ""
    monitor_port: int = 0
    backup: bool = False
    enabled: bool = True


class HealthMonitorSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the members of a pool (provider id) are asked whether they are well: by `type` PING, TCP, HTTP, HTTPS,
    TLS-HELLO or UDP-CONNECT, every `delay` seconds, each answer within `timeout` seconds. After `retries` good answers
    a member is taken in, after `failures` bad ones it is left out. `path`, `method` and `codes` ("200,202" or
    "200-204") are of HTTP and HTTPS."""

    pool: str
    type: str
    delay: int
    timeout: int
    retries: int
    failures: int = 3
    path: str = "/"
    method: str = "GET"
    codes: str = "200"
    enabled: bool = True
