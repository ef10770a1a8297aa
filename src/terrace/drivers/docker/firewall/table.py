"""The table of one installation: what is always in it, how its parts are named, and how a listing is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

from terrace.errors import PermanentError
from terrace.model.seen import Owner

MARK: Final = 0x02000000
"""The bit of a packet's mark by which the engine's rules know what ours let pass."""

_MARKED: Final = f"meta mark set meta mark or {MARK:#x}"
_REPLIES: Final = (
    "ct state established ct direction reply accept",
    "meta l4proto icmp ct state related accept",
)
_BASE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "martians": (
        "type filter hook prerouting priority -301;",
        ('iifname != "lo" ip daddr 127.0.0.0/8 drop',),
    ),
    "leave_forward": ("type filter hook forward priority -12;", (*_REPLIES, "ip saddr vmap @leave")),
    "enter_forward": ("type filter hook forward priority -11;", (*_REPLIES, "ip daddr vmap @enter")),
    "leave_input": ("type filter hook input priority -12;", (*_REPLIES, "ip saddr vmap @leave")),
    "enter_output": ("type filter hook output priority -11;", (*_REPLIES, "ip daddr vmap @enter")),
    "routes": (
        "type filter hook forward priority -10;",
        (
            f"ct status dnat ct original ip daddr @floats {_MARKED} accept",
            "jump pass",
            _REPLIES[0],
            "jump block",
        ),
    ),
    "lead_in": ("type nat hook prerouting priority -101;", ("dnat ip to ip daddr map @floating",)),
    "lead_from_here": ("type nat hook output priority -101;", ("dnat ip to ip daddr map @floating",)),
    "lead_out": (
        "type nat hook postrouting priority 99;",
        (
            'ct status dnat ip saddr 127.0.0.0/8 oifname != "lo" masquerade',
            # Between networks nothing is translated: who is at the other end stays who it is.
            f"meta mark and {MARK:#x} == {MARK:#x} snat ip to ip saddr",
        ),
    ),
}
_SETS: Final = {
    "enter": "map {} {{ type ipv4_addr : verdict; }}",
    "leave": "map {} {{ type ipv4_addr : verdict; }}",
    "floats": "set {} {{ type ipv4_addr; }}",
    "floating": "map {} {{ type ipv4_addr : ipv4_addr; }}",
}
_PLAIN: Final = ("pass", "block")
NOTE: Final = "~"
_ID: Final = re.compile(r"(?P<kind>[a-z]+):(?P<uid>[a-z0-9]{1,40})-(?P<number>[0-9]{1,6})")


class Line(msgspec.Struct, frozen=True):
    """A rule of a chain: its handle, its comment, and where it jumps or goes to ("" for nowhere)."""

    handle: int
    comment: str
    target: str = ""


class Sealed(msgspec.Struct, frozen=True):
    """A chain that says of itself what must be in it: `head` in our words, `notes` in those of people, `intact` when
    nobody changed it."""

    head: tuple[str, ...]
    intact: bool
    notes: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """A table as it was listed. `sets`: name -> element -> comment; `maps`: name -> key -> (value, comment)."""

    installation: str
    chains: dict[str, list[Line]] = {}
    sets: dict[str, dict[str, str]] = {}
    maps: dict[str, dict[str, tuple[str, str]]] = {}

    @property
    def name(self) -> str:
        """What the kernel calls it."""
        return name_of(self.installation)

    @property
    def there(self) -> bool:
        """Whether there is such a table."""
        return bool(self.chains)

    @property
    def standing(self) -> bool:
        """Whether everything that is always in it is in it."""
        return all(name in self.sets or name in self.maps for name in _SETS) and all(
            [line.comment for line in self.chains.get(name, [])] == _comments(rules)
            for name, (_, rules) in _BASE.items()
        )

    def sealed(self, chain: str) -> Sealed | None:
        """A sealed chain; None when there is none."""
        lines = self.chains.get(chain)
        if lines is None:
            return None
        parts = lines[0].comment.split(":") if lines else []
        if len(parts) < 3 or not parts[-2].isdigit():
            return Sealed((), False)
        said = [line.comment for line in lines[1:]]
        wanted = [f"{number}:{parts[-1]}" for number in range(int(parts[-2]))]
        notes = tuple(unquote(one[1:]) for one in said if one.startswith(NOTE))
        intact = [one for one in said if not one.startswith(NOTE)] == wanted
        return Sealed(tuple(parts[:-2]), intact, notes)

    def owner(self, parts: Sequence[str]) -> Owner | None:
        """The owner that a comment's parts (uid, incarnation, digest) name."""
        if len(parts) < 3 or not parts[1].isdigit():
            return None
        return Owner(self.installation, parts[0], int(parts[1]), parts[2])


def name_of(installation: str) -> str:
    """The name of an installation's table."""
    return f"terrace_{hashlib.blake2b(installation.encode(), digest_size=6).hexdigest()}"


def mark(owner: Owner) -> str:
    """How a comment names an owner."""
    return f"{owner.uid}:{owner.incarnation}:{owner.digest}"


def key(owner: Owner) -> str:
    """What chains and sets of an owner are named after."""
    return f"{owner.uid}_{owner.incarnation}"


def provider_id(kind: str, owner: Owner) -> str:
    """The provider id of something of an owner."""
    return f"{kind}:{owner.token}"


def key_of(kind: str, provider: str) -> str:
    """The key that a provider id stands for; PermanentError when it is no id of this kind."""
    match = _ID.fullmatch(provider)
    if match is None or match["kind"] != kind:
        shown = quote(provider[:60], safe=" @:/")
        raise PermanentError(
            f'there is no {kind} "{shown}"', hint="refer to one of the template with get_resource"
        )
    return f"{match['uid']}_{match['number']}"


def id_of(kind: str, key: str) -> str:
    """The provider id that a key stands for."""
    uid, _, number = key.rpartition("_")
    return f"{kind}:{uid}-{number}"


def packed(text: str, most: int = 80) -> str:
    """Any text as part of a comment; cut where it would be too long for one."""
    return quote(text, safe="")[:most]


def unpacked(text: str) -> str:
    """The text that was packed."""
    return unquote(text)


def seal(
    table: str, chain: str, head: Iterable[str], rules: Sequence[str], notes: Sequence[str] = ()
) -> list[str]:
    """Commands that make a chain hold exactly `rules`, and `notes` for people."""
    print_ = hashlib.blake2b("\n".join(rules).encode(), digest_size=6).hexdigest()
    first = ":".join((*head, str(len(rules)), print_))
    return [
        f"add chain inet {table} {chain}",
        f"flush chain inet {table} {chain}",
        f'add rule inet {table} {chain} counter comment "{first}"',
        *(f'add rule inet {table} {chain} counter comment "{NOTE}{packed(note)}"' for note in notes),
        *(f'add rule inet {table} {chain} {rule} comment "{i}:{print_}"' for i, rule in enumerate(rules)),
    ]


def gone(table: Table, *chains: str) -> list[str]:
    """Commands that remove chains, those that are there."""
    held = [chain for chain in chains if chain in table.chains]
    return [
        *(f"flush chain inet {table.name} {chain}" for chain in held),
        *(f"delete chain inet {table.name} {chain}" for chain in held),
    ]


def skeleton(table: Table) -> list[str]:
    """Commands that put in what is always there, none when it is."""
    if table.standing:
        return []
    name = table.name
    return [
        f"add table inet {name}",
        *("add " + shape.format(f"inet {name} {one}") for one, shape in _SETS.items()),
        *(f"add chain inet {name} {chain}" for chain in _PLAIN),
        *(
            command
            for chain, (hook, rules) in _BASE.items()
            for command in (
                f"add chain inet {name} {chain} {{ {hook} policy accept; }}",
                f"flush chain inet {name} {chain}",
                *(
                    f'add rule inet {name} {chain} {rule} comment "{comment}"'
                    for rule, comment in zip(rules, _comments(rules), strict=True)
                ),
            )
        ),
    ]


def _comments(rules: Sequence[str]) -> list[str]:
    """What the rules of a base chain carry: a number, and what they were made from."""
    return [
        f"{i}:{hashlib.blake2b(rule.encode(), digest_size=4).hexdigest()}" for i, rule in enumerate(rules)
    ]


# --- reading


def read(installation: str, listing: Mapping[str, Any]) -> Table:
    """A table from what `nft -j list table` says."""
    table = Table(installation, {}, {}, {})
    for item in listing.get("nftables", ()):
        match item:
            case {"chain": chain}:
                table.chains.setdefault(chain["name"], [])
            case {"set": named}:
                table.sets[named["name"]] = dict(_element(one) for one in named.get("elem", ()))
            case {"map": named}:
                pairs = (_pair(one) for one in named.get("elem", ()))
                table.maps[named["name"]] = {first: (second, comment) for first, second, comment in pairs}
            case {"rule": rule}:
                line = Line(rule["handle"], rule.get("comment", ""), _target(rule.get("expr", ())))
                table.chains.setdefault(rule["chain"], []).append(line)
            case _:
                pass
    return table


def _element(item: Any) -> tuple[str, str]:
    """An element and its comment; the parts of one with several are joined by blanks."""
    inner = item.get("elem") if isinstance(item, dict) else None
    if inner is not None:
        return _element(inner["val"])[0], str(inner.get("comment", ""))
    if isinstance(item, dict) and "concat" in item:
        return " ".join(str(part) for part in item["concat"]), ""
    return str(item), ""


def _pair(item: Any) -> tuple[str, str, str]:
    first, second = item
    name, comment = _element(first)
    return name, _verdict(second), comment


def _verdict(value: Any) -> str:
    for kind in ("goto", "jump"):
        if isinstance(value, dict) and kind in value:
            return str(value[kind]["target"])
    return str(value)


def _target(expressions: Iterable[Any]) -> str:
    return next((_verdict(one) for one in expressions if {"goto", "jump"} & set(one)), "")
