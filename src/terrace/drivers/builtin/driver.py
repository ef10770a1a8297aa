"""The provider that is always there: what Terrace makes by itself. Its record is the truth of every thing."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from msgspec.structs import replace

from terrace.drivers.builtin import doors
from terrace.drivers.builtin.alarms import AlarmSteps
from terrace.drivers.builtin.keys import key_pair
from terrace.drivers.builtin.randoms import random_string
from terrace.drivers.builtin.stacks import StackSteps
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.model.plan import Note, Verdict
from terrace.model.seen import Observation, Seen
from terrace.model.spec.placement import FlavorSpec
from terrace.model.spec.signal import UNMEASURED
from terrace.model.spec.simple import DelaySpec, TestResourceSpec
from terrace.model.spec.software import ConfigSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.clock import Clock, Entropy
from terrace.ports.driver import Capabilities, CreateOnce, Fence
from terrace.ports.stacks import Doors, OwnStacks

CONFIGS = frozenset({"SoftwareConfig", "CloudConfig", "MultipartMime"})
KINDS = CONFIGS | {"RandomString", "KeyPair", "Value", "None", "Delay", "TestResource", "DeployedServer"}
KINDS |= {"Flavor", "ServerGroup", "StackOutput", "Secret"}
KINDS |= {"WaitConditionHandle", "WaitCondition", "ScalingPolicy", "LaunchConfiguration", "Alarm"}
UNHEEDED = Note(Verdict.IGNORED, "rule", UNMEASURED)

CAPABILITIES = Capabilities(
    kinds=KINDS,
    recorded=KINDS,
    create_once=CreateOnce.BY_TOKEN,
    in_place={
        "KeyPair": frozenset(),
        "RandomString": frozenset(),
        "Value": frozenset({"value", "type"}),
        "None": frozenset({"properties"}),
        "Delay": frozenset({"minimum", "jitter", "multiplier", "actions"}),
        "TestResource": frozenset({"value", "fail", "waits", "attributes"}),
        "StackOutput": frozenset({"stack", "output", "value"}),
        "Secret": frozenset({"name", "value", "version"}),
        "DeployedServer": frozenset({"name", "metadata"}),
        "Flavor": frozenset({"cpu", "memory", "disk", "pids", "extra"}),
    },
    concurrency=10_000,
    data=frozenset(),
    synced=False,
    made=frozenset({"RandomString", "KeyPair", "WaitConditionHandle", "ScalingPolicy", "Alarm"}),
    notes={"Alarm": (UNHEEDED,)},
)

DOORS = ("WaitConditionHandle", "ScalingPolicy", "Alarm")
NOWHERE = "http://127.0.0.1:8014"
UNHEARD = Note(
    Verdict.IGNORED, "", "guests of this provider cannot reach the server: say where it is with signal_url"
)

LONGEST_NAP = 30.0
DELETE_WAIT = "delete_wait"


class BuiltinDriver:
    """ports.Driver without an outside: nothing is listed, nothing can be lost; until a create is recorded
    it may be made anew."""

    def __init__(self, clock: Clock, entropy: Entropy, door: str = "http://127.0.0.1") -> None:
        """`door`: where guests reach the server, the beginning of the URLs for signals; "" when they cannot."""
        self.capabilities = CAPABILITIES if door else _unheard(CAPABILITIES)
        self._clock = clock
        self._entropy = entropy
        self._door = door.rstrip("/") or NOWHERE
        self._stacks: StackSteps | None = None
        self._alarms = AlarmSteps(entropy, self._door)
        self._appliers: dict[str, Callable[[Step], Receipt]] = {
            "Value": self._value,
            "StackOutput": self._value,
            "Secret": self._secret,
            "None": self._nothing,
            "RandomString": self._random_string,
            "KeyPair": self._key_pair,
            "Delay": self._delay,
            "TestResource": self._test_resource,
            "WaitConditionHandle": lambda step: _kept(step, doors.handle, self._entropy, self._door),
            "ScalingPolicy": lambda step: _kept(step, doors.policy, self._entropy, self._door),
            "WaitCondition": lambda step: _kept(step, doors.condition, self._clock),
            "LaunchConfiguration": lambda step: _kept(step, doors.launch),
            "Alarm": self._nothing,
            "DeployedServer": self._deployed_server,
            "Flavor": self._flavor,
            "ServerGroup": self._server_group,
            **dict.fromkeys(CONFIGS, self._config),
        }

    def offer(self, stacks: OwnStacks, doors: Doors) -> None:
        """From now on there is also the kind Stack, and alarms call those behind `doors`. Before anything else is
        asked of this driver."""
        self._stacks = StackSteps(stacks)
        self._alarms.doors = doors
        kinds = KINDS | {"Stack"}
        in_place = {
            **CAPABILITIES.in_place,
            "Stack": frozenset({"template", "parameters", "timeout", "outputs"}),
        }
        self.capabilities = replace(self.capabilities, kinds=kinds, recorded=kinds, in_place=in_place)

    async def observe(self, installation: str, adopted: Sequence[str]) -> Observation:
        """Always empty: every kind is recorded."""
        return Observation(items=())

    async def lookup(self, kind: str, selector: str) -> Seen | None:
        """None: nothing here exists without a record."""
        return None

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """Carries out `step`. There are no requests, so the fence guards nothing here."""
        if step.kind == "Stack" and self._stacks is not None:
            return await self._stacks.apply(step)
        if step.kind == "Alarm" and step.verb is not Verb.DELETE:
            return Receipt(_seen(step, await self._alarms.attributes(step)))
        applier = self._appliers.get(step.kind)
        if applier is None:
            raise CapabilityError(f"Terrace itself makes no {step.kind}")
        return applier(step)

    async def watch(self) -> AsyncIterator[str]:
        """Never says anything."""
        await asyncio.Event().wait()
        yield ""

    async def close(self) -> None:
        """Nothing to let go."""

    def _value(self, step: Step) -> Receipt:
        if step.verb is Verb.DELETE:
            return Receipt()
        return Receipt(_seen(step, {"value": step.spec.value}))

    def _secret(self, step: Step) -> Receipt:
        if step.verb is Verb.DELETE:
            return Receipt()
        return Receipt(_seen(step, {"value": step.spec.value, "version": step.spec.version}))

    def _nothing(self, step: Step) -> Receipt:
        return Receipt() if step.verb is Verb.DELETE else Receipt(_seen(step, {}))

    def _random_string(self, step: Step) -> Receipt:
        return self._made(step, lambda: {"value": random_string(step.spec, self._entropy)})

    def _key_pair(self, step: Step) -> Receipt:
        return self._made(step, lambda: key_pair(step.spec, self._entropy))

    def _config(self, step: Step) -> Receipt:
        if step.verb is Verb.DELETE:
            return Receipt()
        spec: ConfigSpec = step.spec
        kept = {"config": spec.config, "group": spec.group, "options": spec.options}
        kept |= {"inputs": list(spec.inputs), "outputs": list(spec.outputs)}
        return Receipt(_seen(step, {**kept, "id": step.provider_id or step.owner.token}))

    def _deployed_server(self, step: Step) -> Receipt:
        if step.verb is Verb.DELETE:
            return Receipt()
        return Receipt(_seen(step, {"name": step.spec.name, "id": step.provider_id or step.owner.token}))

    def _flavor(self, step: Step) -> Receipt:
        if step.verb is Verb.DELETE:
            return Receipt()
        spec: FlavorSpec = step.spec
        sizes = {"cpu": spec.cpu, "memory": spec.memory, "disk": spec.disk, "pids": spec.pids}
        extra = {"extra_specs": spec.extra, "is_public": False}
        return Receipt(
            _seen(step, {"name": spec.name, "id": step.provider_id or step.owner.token, **sizes, **extra})
        )

    def _server_group(self, step: Step) -> Receipt:
        if step.verb is Verb.DELETE:
            return Receipt()
        own = {"name": step.spec.name, "id": step.provider_id or step.owner.token}
        return Receipt(_seen(step, {**own, "policies": list(step.spec.policies)}))

    def _made(self, step: Step, make: Callable[[], dict[str, Any]]) -> Receipt:
        """Only a create makes something up; whatever comes later keeps what was made."""
        if step.verb is Verb.DELETE:
            return Receipt()
        return Receipt(_seen(step, make() if step.verb is Verb.CREATE else step.attributes))

    def _delay(self, step: Step) -> Receipt:
        spec: DelaySpec | None = step.spec
        if spec is None:
            return self._after(step, step.attributes.get(DELETE_WAIT, 0.0), step.attributes)
        # The same incarnation always draws the same lot, so that a restart does not draw again.
        lot = zlib.crc32(step.owner.token.encode()) / 2**32
        seconds = spec.minimum + lot * spec.jitter * spec.multiplier
        attributes = {DELETE_WAIT: seconds} if "DELETE" in spec.actions else {}
        waits = step.verb.value.upper() in spec.actions
        return self._after(step, seconds if waits else 0.0, attributes)

    def _test_resource(self, step: Step) -> Receipt:
        spec: TestResourceSpec | None = step.spec
        if spec is None:
            return self._after(step, step.attributes.get(DELETE_WAIT, 0.0), step.attributes)
        attributes = {"output": spec.value, **spec.attributes}
        if spec.waits.get("delete"):
            attributes[DELETE_WAIT] = spec.waits["delete"]
        receipt = self._after(step, spec.waits.get(step.verb.value, 0.0), attributes)
        if receipt.handle or not spec.fail:
            return receipt
        if spec.transient:
            raise TransientError("the test resource was asked to fail for now")
        raise PermanentError("the test resource was asked to fail", hint="set fail to false")

    def _after(self, step: Step, seconds: float, attributes: dict[str, Any]) -> Receipt:
        """Done once `seconds` have passed since the step was first applied; the handle says when that is."""
        gone = step.verb is Verb.DELETE
        now = self._clock.now()
        try:
            due = float(step.handle) if step.handle else now + seconds
        except ValueError:
            due = now
        left = due - now
        if left > 0:
            seen = _seen(step, attributes, complete=step.verb is not Verb.CREATE)
            return Receipt.pending(f"{due:.6f}", min(left, LONGEST_NAP), f"{left:.0f} s to go", seen)
        return Receipt() if gone else Receipt(_seen(step, attributes))


def _unheard(capabilities: Capabilities) -> Capabilities:
    """Where guests cannot reach any door, and what is to be told of that."""
    notes = {kind: (*capabilities.notes.get(kind, ()), UNHEARD) for kind in DOORS}
    return replace(capabilities, notes=notes)


def _kept(step: Step, attributes: Callable[..., dict[str, Any]], *means: Any) -> Receipt:
    """What Terrace only remembers: there as long as it is not deleted."""
    return Receipt() if step.verb is Verb.DELETE else Receipt(_seen(step, attributes(step, *means)))


def _seen(step: Step, attributes: dict[str, Any], complete: bool = True) -> Seen:
    return Seen(
        kind=step.kind,
        provider_id=step.provider_id or step.owner.token,
        owner=step.owner,
        complete=complete,
        attributes=attributes,
    )
