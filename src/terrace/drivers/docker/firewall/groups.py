"""Security groups: chains of rules that guards of machines jump to, and a set of who is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from terrace.drivers.docker.firewall.filter import Filter
from terrace.drivers.docker.firewall.rules import rendered
from terrace.drivers.docker.firewall.table import (
    Table,
    gone,
    id_of,
    key,
    key_of,
    mark,
    provider_id,
    seal,
)
from terrace.errors import TransientError
from terrace.model.seen import Owner, Seen
from terrace.model.spec.firewall import SecurityGroupRuleSpec, SecurityGroupSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

KIND = "group"
WAYS = ("enter", "leave")


def chain_of(way: str, group: str) -> str:
    """The chain of a group's rules for what enters or leaves its machines."""
    return f"g{way}_{group}"


def added_of(way: str, group: str) -> str:
    """The chain of the rules that were added to it."""
    return f"a{way}_{group}"


def members_of(group: str) -> str:
    """The set of who is in it."""
    return f"members_{group}"


class Groups:
    """Steps for SecurityGroup and SecurityGroupRule."""

    def __init__(self, packets: Filter) -> None:
        self._filter = packets

    async def apply(self, step: Step, fence: Fence, abandoned: Callable[[Table, str], Any]) -> Receipt:
        """CREATE and UPDATE write the whole group. `abandoned` gives the commands that take down the guards of a group
        whose machines are gone."""
        async with self._filter.turn(step.owner.installation) as table:
            if step.verb is Verb.DELETE:
                group = key_of(KIND, step.provider_id or provider_id(KIND, step.owner))
                commands = [*await abandoned(table, group), *removed(table, group)]
                if commands:
                    await self._filter.change(fence, table, commands)
                return Receipt.done(None)
            await self._filter.change(fence, table, written(table, step.spec, step.owner))
        return Receipt.done(self._seen(await self._filter.listed(step.owner.installation), step))

    async def apply_rule(self, step: Step, fence: Fence) -> Receipt:
        """One rule more, or less."""
        async with self._filter.turn(step.owner.installation) as table:
            commands = taken_back(table, step.owner)
            if step.verb is not Verb.DELETE:
                commands += added(table, step.spec, step.owner)
            if commands:
                await self._filter.change(fence, table, commands)
            if step.verb is Verb.DELETE:
                return Receipt.done(None)
        return Receipt.done(self._seen(await self._filter.listed(step.owner.installation), step))

    def _seen(self, table: Table, step: Step) -> Seen:
        """What the step made, as a listing shows it."""
        for seen in shown(table):
            if seen.owner is not None and seen.owner.token == step.owner.token:
                return seen
        raise TransientError("the packet filter was changed by others a moment ago")


# --- commands


def written(table: Table, spec: SecurityGroupSpec, owner: Owner) -> list[str]:
    """Commands that make a group be as `spec` says, its added rules apart."""
    group, name = key(owner), table.name
    members = _members(table, group)
    commands = [f"add set inet {name} {members_of(group)} {{ type ifname . ipv4_addr; }}"]
    for way, direction in zip(WAYS, ("ingress", "egress"), strict=True):
        rules = [rendered(rule, members) for rule in spec.rules if rule.direction == direction]
        if way == "leave" and not rules:
            rules = ["accept"]
        commands += [
            f"add chain inet {name} {added_of(way, group)}",
            *seal(
                name,
                chain_of(way, group),
                ("group", mark(owner)),
                [*rules, f"jump {added_of(way, group)}"],
                [spec.name],
            ),
        ]
    return commands


def removed(table: Table, group: str) -> list[str]:
    """Commands that remove a group; the kernel refuses while something still refers to it."""
    chains = [part(way, group) for part in (chain_of, added_of) for way in WAYS]
    commands = gone(table, *chains)
    if members_of(group) in table.sets:
        commands.append(f"delete set inet {table.name} {members_of(group)}")
    return commands


def added(table: Table, spec: SecurityGroupRuleSpec, owner: Owner) -> list[str]:
    """Commands that add a rule to a group. TransientError when the group is not there."""
    group, rule = key_of(KIND, spec.security_group), spec.rule
    chain = added_of(WAYS[rule.direction == "egress"], group)
    if chain not in table.chains:
        raise TransientError(f"security group {spec.security_group} is not there", code="missing")
    line = rendered(rule, _members(table, group))
    return [f'add rule inet {table.name} {chain} {line} comment "rule:{mark(owner)}"']


def taken_back(table: Table, owner: Owner) -> list[str]:
    """Commands that remove the rules that an owner added."""
    return [
        f"delete rule inet {table.name} {chain} handle {line.handle}"
        for chain, lines in table.chains.items()
        if chain.startswith("a")
        for line in lines
        if line.comment.split(":")[:3] == ["rule", owner.uid, str(owner.incarnation)]
    ]


def _members(table: Table, own: str) -> Callable[[str], str]:
    """Names of sets of members by group. TransientError for one that is not there: nobody is ever in it by mistake."""

    def name(group: str) -> str:
        found = own if group == "self" else key_of(KIND, group)
        if found != own and members_of(found) not in table.sets:
            raise TransientError(f"security group {group} is not there", code="missing")
        return members_of(found)

    return name


# --- what is there


def shown(table: Table) -> list[Seen]:
    """The groups and added rules of a table."""
    found: list[Seen | None] = []
    for chain, lines in table.chains.items():
        if chain.startswith("genter_"):
            found += _group(table, chain.removeprefix("genter_"))
        elif chain.startswith(("aenter_", "aleave_")):
            group = chain.partition("_")[2]
            found += [_rule(table, line.comment, group) for line in lines if line.comment.startswith("rule:")]
    return [seen for seen in found if seen is not None]


def _group(table: Table, group: str) -> list[Seen]:
    sides = [table.sealed(chain_of(way, group)) for way in WAYS]
    found = next((side for side in sides if side is not None and len(side.head) == 4), None)
    owner = table.owner(found.head[1:]) if found is not None else None
    if found is None or owner is None:
        return []
    intact = (
        all(side is not None and side.intact for side in sides)
        and members_of(group) in table.sets
        and all(added_of(way, group) in table.chains for way in WAYS)
        and table.standing
    )
    name, own = next(iter(found.notes), ""), id_of(KIND, group)
    return [
        Seen(
            "SecurityGroup",
            own,
            owner,
            attributes={"name": name, "id": own},
            properties={"intact": intact},
            name=name,
        )
    ]


def _rule(table: Table, comment: str, group: str) -> Seen | None:
    owner = table.owner(comment.split(":")[1:])
    if owner is None:
        return None
    own = provider_id("rule", owner)
    return Seen(
        "SecurityGroupRule", own, owner, attributes={"id": own}, name=f"a rule of {id_of(KIND, group)}"
    )
