"""The configuration of a load balancer's proxy, and how it gets from one state to the next."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from terrace.drivers.docker.balance.changes import commands, expected, standings
from terrace.drivers.docker.balance.config import mismatch, render
from terrace.drivers.docker.balance.notes import refused
from terrace.drivers.docker.balance.parts import Books, Part, part_id, read, seen, written
from terrace.errors import PermanentError
from terrace.model.seen import Owner
from terrace.model.spec import SPECS
from terrace.model.spec.balance import LoadBalancerSpec

CONTAINER = "c0ffee000000" + "0" * 52
ONE = "server member_m-1 10.0.0.9:8080 weight 1"
HOSTILE = (
    "a\n  bind :9",
    "a b",
    'a"b',
    "a'b",
    "a#b",
    "a\\ b",
    "a$b",
    "${HOME}",
    "a\r",
    "a{b}",
    "",
    "/a\n",
    "/" + "x" * 2000,
)


def owner(uid: str) -> Owner:
    return Owner("home", uid, 1, "d")


def part(kind: str, uid: str, **fields: Any) -> Part:
    return Part(kind, owner(uid), SPECS[kind](**fields))


def at(uid: str) -> str:
    return part_id(CONTAINER, owner(uid))


def listener(uid: str = "l", **fields: Any) -> Part:
    return part("Listener", uid, **{"protocol": "HTTP", "port": 80, "balancer": CONTAINER, **fields})


def pool(uid: str = "p", **fields: Any) -> Part:
    given = {"protocol": "HTTP", "algorithm": "ROUND_ROBIN", "listener": at("l"), "name": "pool", **fields}
    return part("Pool", uid, **given)


def member(uid: str, **fields: Any) -> Part:
    return part("PoolMember", uid, **{"pool": at("p"), "address": "10.0.0.9", "port": 8080, **fields})


def monitor(**fields: Any) -> Part:
    given = {"pool": at("p"), "type": "HTTP", "delay": 5, "timeout": 3, "retries": 2, **fields}
    return part("HealthMonitor", "h", **given)


def books(*parts: Part, **fields: Any) -> Books:
    return Books(owner("b"), LoadBalancerSpec("lb", "n", **fields), "10.0.0.2", parts)


def said(*parts: Part, **fields: Any) -> list[str]:
    """The lines of the configuration that follow from what people wrote."""
    lines = [line.strip() for line in render(books(*parts, **fields)).splitlines()]
    return lines[lines.index("frontend none") + 3 :]


# --- the configuration


def test_a_listener_a_pool_and_its_members() -> None:
    assert said(listener(), pool(), member("m"), member("n", weight=5, backup=True)) == [
        "frontend listener_l-1",
        "mode http",
        "bind 10.0.0.2:80",
        "option idle-close-on-response",
        "default_backend pool_p-1",
        "backend pool_p-1",
        "mode http",
        "balance roundrobin",
        ONE,
        "server member_n-1 10.0.0.9:8080 weight 5 backup",
    ]


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ([listener(protocol="HTTPS"), pool(protocol="HTTPS")], ["mode tcp", "mode tcp"]),
        ([listener(protocol="TCP"), pool(protocol="HTTP")], ["mode tcp", "mode tcp"]),
        ([listener(limit=9)], ["maxconn 9"]),
        ([listener(enabled=False)], ["disabled"]),
        (
            [listener(allowed=("10.0.0.9/24", "10.1.0.0/16"))],
            ["tcp-request connection reject unless { src 10.0.0.0/24 10.1.0.0/16 }"],
        ),
        ([pool(algorithm="LEAST_CONNECTIONS")], ["balance leastconn"]),
        ([pool(algorithm="SOURCE_IP")], ["balance source", "hash-type consistent"]),
        ([listener(), pool(persistence="SOURCE_IP")], ["stick on src"]),
        (
            [listener(), pool(persistence="HTTP_COOKIE"), member("m")],
            ["cookie SRV insert indirect nocache", f"{ONE} cookie m-1"],
        ),
        (
            [listener(), pool(persistence="APP_COOKIE", cookie="JSESSIONID")],
            ["stick store-response res.cook(JSESSIONID)", "stick match req.cook(JSESSIONID)"],
        ),
        ([listener(), pool(protocol="PROXY"), member("m")], [f"{ONE} send-proxy"]),
        ([pool(tls=True), member("m")], [f"{ONE} ssl verify none"]),
        ([pool(), member("m", enabled=False)], [f"{ONE} disabled"]),
        ([pool(), replace(member("m"), leaving=True)], ["server member_m-1 10.0.0.9:8080 weight 0"]),
        ([pool(), member("m", address="fd00::9")], ["server member_m-1 [fd00::9]:8080 weight 1"]),
        (
            [
                pool(),
                member("m", monitor_address="10.0.0.8", monitor_port=81),
                monitor(codes="200, 204-206", path="/up"),
            ],
            [
                "timeout check 3s",
                "option httpchk",
                "http-check send meth GET uri /up",
                "http-check expect status 200,204-206",
                f"{ONE} check inter 5s rise 2 fall 3 addr 10.0.0.8 port 81",
            ],
        ),
        (
            [pool(), monitor(type="TCP", delay=0), member("m")],
            ["option tcp-check", f"{ONE} check inter 1s rise 2 fall 3"],
        ),
        (
            [pool(), monitor(type="HTTPS"), member("m")],
            [f"{ONE} check inter 5s rise 2 fall 3 check-ssl verify none"],
        ),
        ([pool(), monitor(type="TLS-HELLO")], ["option ssl-hello-chk"]),
    ],
)
def test_what_follows_from_a_property(parts: list[Part], lines: list[str]) -> None:
    found = said(*parts)
    places = [found.index(line) for line in lines]
    assert len(places) == len(lines)


def test_what_is_switched_off_is_sent_nothing() -> None:
    assert "default_backend pool_p-1" not in said(listener(), pool(enabled=False))
    assert "disabled" in said(listener(), enabled=False)
    assert "check" not in " ".join(said(listener(), pool(), member("m"), monitor(enabled=False)))


def test_a_listener_may_name_its_pool() -> None:
    found = said(listener(pool=at("q")), pool(), pool("q", listener="", balancer=CONTAINER))
    assert "default_backend pool_q-1" in found


def test_the_order_of_parts_says_nothing() -> None:
    parts = [listener(), pool(), member("m"), member("n"), monitor()]
    assert render(books(*parts)) == render(books(*reversed(parts)))
    assert written(books(*parts)) == written(books(*reversed(parts)))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out_into_the_configuration(text: str) -> None:
    for field in ("path", "method", "codes"):
        with pytest.raises(PermanentError, match="cannot stand in the configuration"):
            render(books(pool(), monitor(**{field: text})))
    with pytest.raises(PermanentError, match="cannot stand in the configuration"):
        render(books(listener(), pool(persistence="APP_COOKIE", cookie=text)))
    for broken in (
        member("m", address=text),
        member("m", monitor_address=text or "x"),
        listener(allowed=(text,)),
    ):
        with pytest.raises(ValueError, match="does not appear to be"):
            render(books(listener(), pool(), monitor(), broken))


def test_what_people_call_things_is_not_in_the_configuration() -> None:
    text = "x\n  bind :9"
    named = books(listener(name=text, description=text), pool(name=text), description=text)
    assert text not in render(named)


@pytest.mark.parametrize(
    ("asked", "given", "words"),
    [
        ({"protocol": "HTTP"}, {"protocol": "TCP"}, "a pool of HTTP or PROXY, not of TCP"),
        ({"protocol": "TCP"}, {"protocol": "HTTP", "persistence": "HTTP_COOKIE"}, "sees no cookies"),
        ({"protocol": "HTTP"}, {"protocol": "PROXY"}, ""),
        ({"protocol": "HTTPS"}, {"protocol": "TCP"}, ""),
    ],
)
def test_listeners_and_pools_that_do_not_fit(
    asked: dict[str, Any], given: dict[str, Any], words: str
) -> None:
    found = mismatch(books(listener(**asked), pool(**given)))
    assert words in found
    assert bool(words) == bool(found)


def test_one_pool_is_not_sent_both() -> None:
    two = books(listener(), listener("t", protocol="TCP", port=81, pool=at("p")), pool())
    assert "give each a pool" in mismatch(two)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (listener(protocol="UDP"), "protocol=UDP: HAProxy carries no UDP"),
        (listener(certificate="ref"), "no store of keys"),
        (pool(algorithm="SOURCE_IP_PORT"), "by address, not by port"),
        (monitor(type="PING"), "sends no pings"),
        (monitor(), ""),
        (listener(), ""),
    ],
)
def test_what_is_refused(found: Part, words: str) -> None:
    assert words in refused(found.kind, found.spec)
    assert bool(words) == bool(refused(found.kind, found.spec))


# --- the books


def test_the_books_are_read_as_they_were_written() -> None:
    full = books(listener(allowed=("10.0.0.0/8",)), pool(), replace(member("m"), leaving=True), monitor())
    found = read(written(full))
    assert found is not None
    assert written(found) == written(full)
    assert set(found.parts) == set(full.parts)


@pytest.mark.parametrize(
    "change",
    [
        ("10.0.0.2", "x"),
        ('"uid":"m"', '"uid":"m\\n"'),
        ("PoolMember", "Machine"),
        ("8080", '"80"'),
        ("}", ""),
    ],
)
def test_books_that_were_tampered_with_are_none(change: tuple[str, str]) -> None:
    text = written(books(listener(), pool(), member("m")))
    assert read(text) is not None
    assert read(text.replace(*change)) is None
    assert read("") is None


def test_what_is_shown_of_them() -> None:
    full = books(listener(), pool(), member("m"), monitor())
    found = {
        kind: seen(full, owner(uid), CONTAINER, {"m-1": "ERROR"})
        for kind, uid in {"l": "l", "p": "p", "m": "m", "h": "h"}.items()
    }
    assert all(found.values())
    shown = {kind: one.attributes for kind, one in found.items() if one is not None}
    assert shown["l"]["pool"] == at("p")
    assert shown["p"]["members"] == [{"id": at("m")}]
    assert shown["p"]["healthmonitor_id"] == at("h")
    assert shown["p"]["listeners"] == [{"id": at("l")}]
    assert shown["m"]["operating_status"] == "ERROR"
    assert shown["m"]["show"]["address"] == "10.0.0.9"
    assert shown["h"]["pools"] == [{"id": at("p")}]


# --- changes while it runs


def test_a_new_member_weighs_nothing_until_it_was_asked() -> None:
    before = books(listener(), pool(), monitor())
    assert commands(before, before.put(member("m", weight=3))) == [
        "add server pool_p-1/member_m-1 10.0.0.9:8080 weight 0 check inter 5s rise 2 fall 3",
        "enable health pool_p-1/member_m-1",
        "set server pool_p-1/member_m-1 state ready",
        "set server pool_p-1/member_m-1 health down",
        "set server pool_p-1/member_m-1 weight 3",
    ]


def test_members_change_while_the_proxy_runs() -> None:
    before = books(listener(), pool(), member("m"))
    name = "pool_p-1/member_m-1"
    leaving = before.put(replace(member("m"), leaving=True))
    assert commands(before, before.put(member("m", weight=7))) == [f"set server {name} weight 7"]
    assert commands(before, before.put(member("m", enabled=False))) == [f"set server {name} state maint"]
    assert commands(before, leaving) == [f"set server {name} state drain"]
    assert commands(leaving, before.without("m-1")) == [
        f"set server {name} state maint",
        f"shutdown sessions server {name}",
        f"del server {name}",
    ]
    assert commands(before, before) == []


def test_all_else_takes_a_reload() -> None:
    before = books(listener(), pool(), member("m"))
    assert commands(before, before.put(listener("n", port=81))) is None
    assert commands(before, before.put(pool(algorithm="SOURCE_IP"))) is None
    assert commands(before, before.put(monitor())) is None
    kept = books(listener(), pool(persistence="HTTP_COOKIE"), member("m"))
    assert commands(kept, kept.put(member("n"))) is None, "a server that is added takes no cookie"
    assert commands(kept, kept.without("m-1")) is not None


def test_what_people_call_a_pool_takes_none() -> None:
    before = books(listener(), pool(), member("m"))
    assert commands(before, before.put(pool(name="other"))) == []


def test_how_members_are() -> None:
    text = (
        "# pxname,svname,scur,status,weight\nlistener_l-1,FRONTEND,3,OPEN,\npool_p-1,member_m-1,2,UP 1/2,1\n"
        "pool_p-1,member_n-1,0,DOWN,1\npool_p-1,member_o-1,0,no check,1\npool_p-1,BACKEND,2,UP,1\n"
    )
    found = standings(text)
    assert {token: one.status for token, one in found.items()} == {
        "m-1": "ONLINE",
        "n-1": "ERROR",
        "o-1": "NO_MONITOR",
    }
    assert found["m-1"].connections == 2
    assert expected(books(pool(), member("m"))) == ["pool_p-1,member_m-1"]
