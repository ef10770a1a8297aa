"""All nouns: what there is to want, under which names templates ask for it, and what each wants next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from terrace.errors import SpecError
from terrace.kinds.across.secret import NamedSecret
from terrace.kinds.across.stack import HEAT_STACK, Stack
from terrace.kinds.across.stack_output import StackOutput
from terrace.kinds.balance import (
    OCTAVIA,
    HealthMonitor,
    Listener,
    LoadBalancer,
    Pool,
    PoolMember,
)
from terrace.kinds.builtin import Delay, Nothing, RandomString, Value
from terrace.kinds.complete import complete
from terrace.kinds.group import SHAPE, Chain, Group, LaunchConfiguration, ScalingGroup, ScalingPolicy
from terrace.kinds.guest.placement import Flavor, ServerGroup
from terrace.kinds.heat import HEAT
from terrace.kinds.image import Image
from terrace.kinds.keypair import KeyPair
from terrace.kinds.machine import Machine
from terrace.kinds.nested import Nested
from terrace.kinds.net.floating import FloatingIP, FloatingIPAssociation
from terrace.kinds.net.network import Network, Port, Subnet
from terrace.kinds.net.router import Router, RouterGateway, RouterInterface
from terrace.kinds.net.security import SecurityGroup, SecurityGroupRule
from terrace.kinds.rules.check import did_you_mean, read
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type, TypeEntry
from terrace.kinds.signal import Alarm, WaitCondition, WaitConditionHandle
from terrace.kinds.software.config import CloudConfig, MultipartMime, SoftwareConfig
from terrace.kinds.software.deployment import DeployedServer, SoftwareDeployment
from terrace.kinds.software.group import SoftwareDeploymentGroup
from terrace.kinds.testing import TestResource
from terrace.kinds.volume import Volume, VolumeAttachment, VolumeSnapshot
from terrace.ports.kind import Kind

__all__ = [
    "KINDS",
    "NATIVE",
    "SCHEMAS",
    "TYPES",
    "Property",
    "Schema",
    "Type",
    "TypeEntry",
    "check_properties",
    "complete",
    "find_type",
]

NATIVE: Final = "Terrace::"

NOUNS: Final[tuple[Noun, ...]] = (
    Machine(),
    Volume(),
    VolumeAttachment(),
    VolumeSnapshot(),
    Network(),
    Subnet(),
    Port(),
    SecurityGroup(),
    SecurityGroupRule(),
    Router(),
    RouterInterface(),
    RouterGateway(),
    FloatingIP(),
    FloatingIPAssociation(),
    LoadBalancer(),
    Listener(),
    Pool(),
    PoolMember(),
    HealthMonitor(),
    KeyPair(),
    Image(),
    Group(),
    ScalingGroup(),
    Chain(),
    Nested(),
    RandomString(),
    Value(),
    Nothing(),
    Delay(),
    TestResource(),
    StackOutput(),
    NamedSecret(),
    Stack(),
    WaitConditionHandle(),
    WaitCondition(),
    ScalingPolicy(),
    LaunchConfiguration(),
    Alarm(),
    SoftwareConfig(),
    CloudConfig(),
    MultipartMime(),
    SoftwareDeployment(),
    SoftwareDeploymentGroup(),
    DeployedServer(),
    Flavor(),
    ServerGroup(),
)

KINDS: Final[dict[str, Kind]] = {noun.name: noun for noun in NOUNS}


# Taken out of the properties by whoever reads a template: Node.provider.
PROVIDER: Final = Property(
    Type.STRING, "The name of a configured provider; the default one when left out.", minimum=1
)


def _own(noun: Noun) -> TypeEntry:
    schema = noun.schema
    return TypeEntry(
        NATIVE + noun.name,
        noun.name,
        schema.properties if noun.provider else {**schema.properties, "provider": PROVIDER},
        {name: name for name in schema.attributes},
        noun.translate,
        open=schema.open,
        any_attribute=schema.any_attribute,
        description=schema.description,
        member=SHAPE if SHAPE in schema.properties else "",
        pending=schema.pending,
    )


# "Nested" is not here: a nested template is named by its file.
TYPES: Final[dict[str, TypeEntry]] = (
    {entry.type: entry for noun in NOUNS if noun.name != "Nested" for entry in [_own(noun)]}
    | HEAT
    | HEAT_STACK
    | OCTAVIA
)


SCHEMAS: Final[dict[str, Schema]] = {noun.name: noun.schema for noun in NOUNS}


def find_type(name: str) -> TypeEntry:
    """The type of that name; SpecError with the nearest name when there is none."""
    entry = TYPES.get(name)
    if entry is None:
        raise SpecError(
            f'there is no resource type "{name}"', hint=did_you_mean(name, TYPES), code="unknown-type"
        )
    return entry


def check_properties(type_name: str, properties: Mapping[str, Any]) -> list[SpecError]:
    """Every mistake in the properties of a resource as they stand in a template (expressions anywhere):
    names, required ones, types of literals, allowed values. Each error's `path` leads to the value.
    SpecError when there is no such type."""
    entry = find_type(type_name)
    problems: list[SpecError] = []
    if not entry.open:
        read(entry.properties, properties, problems)
    return problems
