"""From what a request brings to a graph that may be saved: limits, compiling, and whether the providers,
images and flavors it names exist. What is wrong is reported in one go, each mistake at its place."""

from __future__ import annotations

import asyncio
import difflib
import math
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import msgspec

from terrace.engine.stack.sizes import UNKNOWN_FLAVOR
from terrace.errors import DocumentError, ForbiddenError, ProviderError, QuotaError, SpecError, UserError
from terrace.kinds import KINDS, TYPES, complete
from terrace.kinds.impossible import impossible, written
from terrace.languages import Asked, Compiled, compile_source
from terrace.model.graph import Graph, Node
from terrace.model.problem import Problem
from terrace.model.stack import OnFailure, Source
from terrace.model.value import Secret, holds
from terrace.ports.driver import Capabilities, Driver
from terrace.ports.store import Store
from terrace.runtime.outside.named import ADDRESS, named
from terrace.runtime.outside.reach import Reach, hint_of, missing
from terrace.services.flavors.offering import Offering
from terrace.services.flavors.places import Blame
from terrace.services.gate import Where
from terrace.services.people.projects import Reaching
from terrace.services.settings import Settings

DEPTH = 64
INTEGERS = range(-(2**63), 2**64)
_REFERENCE = re.compile(r"[\w.-]+(:\d+)?(/[\w.-]+)*(:[\w.-]+)?(@\w+:[0-9a-f]+)?")


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks for. None: as the settings say. `targets` are the only resources that change (none: all do),
    `excludes` those that do not. `plan` is the digest of the plan that they saw: only exactly that is done ("":
    whatever follows from the source)."""

    source: Source
    on_failure: OnFailure | None = None
    timeout: float | None = None
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    plan: str = ""


class Prepared(msgspec.Struct, frozen=True):
    """A wish that may be saved: its graph, the effective parameters (hidden ones as Secret), and the source
    with everything sealed that may hold a secret."""

    graph: Graph
    parameters: dict[str, Any]
    source: Source
    warnings: tuple[Problem, ...]


class _Seen(msgspec.Struct, frozen=True):
    """A wish as it is looked at: what it came from, which regions of providers its project `may` use, and which
    flavors."""

    source: Source
    may: Callable[[str, str], bool]
    offering: Offering


class Admission:
    """Checks wishes against the settings' limits and what the drivers offer."""

    def __init__(
        self,
        settings: Settings,
        drivers: Mapping[str, Driver],
        reach: Reach,
        store: Store,
        reaching: Reaching | None = None,
    ) -> None:
        self._reach = reach
        self._store = store
        self._settings = settings
        self._drivers = drivers
        self._reaching = reaching

    async def prepare(
        self, where: Where, stack_id: str, wish: Wish, before: Mapping[str, Any] | None = None
    ) -> Prepared:
        """The wish compiled and checked. `before` are the parameters that the stack has now. DocumentError with every
        mistake found, QuotaError past a limit."""
        source = wish.source
        self._check_limits(source)
        _check_values(source.parameters, ("parameters",))
        _check_files(source)
        compiled = await asyncio.to_thread(
            compile_source,
            source,
            project=where.project,
            stack=where.stack,
            stack_id=stack_id,
            kinds=TYPES,
            operator=self._settings.operator,
        )
        offering = Offering(self._store, where, stack_id, await self._store.offer(where.project))
        seen = _Seen(source, await self._may(where.project), offering)

        def able(provider: str) -> Capabilities | None:
            found = self._able(provider)
            return None if found is None else offering.over(found)

        problems = [problem async for problem in self._strangers(compiled.graph, seen)]
        problems += [
            asked.problem
            for asked in compiled.asked
            if not await self._exists(asked, where.project, offering)
        ]
        problems += _changed(compiled, before or {})
        if problems:
            raise DocumentError(problems + await asyncio.to_thread(impossible, compiled.graph, able))
        graph = complete(compiled.graph, lambda provider: offering.over(self.capabilities_of(provider)))
        problems = await asyncio.to_thread(impossible, graph, able)
        if problems:
            raise DocumentError(problems)
        beyond = [problem async for problem in self._beyond(where.project, graph, source)]
        if beyond:
            raise DocumentError(beyond)
        return Prepared(
            graph,
            compiled.parameters,
            _sealed(source, compiled),
            compiled.warnings,
        )

    def capabilities_of(self, provider: str) -> Capabilities:
        """What a provider ("": the default one) can do. SpecError when there is none of that name."""
        name = provider or self._settings.default_provider
        if name not in self._drivers:
            raise SpecError(f'there is no provider "{name}"', ("provider",), code="unknown-provider")
        return self._drivers[name].capabilities

    def _check_limits(self, source: Source) -> None:
        limits = self._settings.limits
        if len(source.files) > limits.files:
            raise QuotaError(
                f"{len(source.files):,} files are too many in one request ({limits.files:,} at most)",
                code="too-many-files",
                hint="limits.files in server.toml",
            )
        for name, text in source.files.items():
            if len(text) > limits.document or len(text.encode()) > limits.document:
                raise QuotaError(
                    f'"{name}" is too large ({len(text):,} characters; {limits.document:,} bytes at most)',
                    code="document-too-large",
                    hint="limits.document in server.toml",
                )

    def _able(self, provider: str) -> Capabilities | None:
        """What a provider can do; None when there is none of that name."""
        driver = self._drivers.get(provider or self._settings.default_provider)
        return driver.capabilities if driver is not None else None

    # --- names of providers, images and flavors

    async def within_reach(self, project: str, graph: Graph) -> None:
        """ForbiddenError when a graph that was admitted once needs what the project may not use any more."""
        may = await self._may(project)
        for node in written(graph):
            provider = self._provider(node)
            if not may(provider, node.region):
                raise ForbiddenError(
                    f'resource "{node.path}" needs provider "{provider}", which project "{project}" may not use',
                    code="out-of-reach",
                    hint=f"terrace project reach {project}",
                )

    async def _may(self, project: str) -> Callable[[str, str], bool]:
        if self._reaching is None:
            return lambda provider, region: True
        return await self._reaching.of(project)

    def _provider(self, node: Node) -> str:
        return node.provider or KINDS[node.kind].provider or self._settings.default_provider

    async def _strangers(self, graph: Graph, seen: _Seen) -> AsyncIterator[Problem]:
        """A Problem for each provider, image and flavor that is named and does not exist for the project."""
        known: dict[tuple[str, str], bool] = {}
        blame, may = Blame(seen.source), seen.may
        for node in written(graph):
            provider = self._provider(node)
            if provider not in self._drivers or not may(provider, node.region):
                known_here = [name for name in self._drivers if may(name, "")]
                hint = _suggest(provider, known_here) or "terrace provider list"
                yield blame(node, "provider", provider, f'there is no provider "{provider}"', hint)
                continue
            if node.kind != "Machine":
                continue
            capabilities = self._drivers[provider].capabilities
            catalogue = capabilities.catalogue
            flavor = node.properties.get("flavor")
            wrong = (
                await seen.offering.lacks(flavor, capabilities)
                if isinstance(flavor, str) and flavor
                else None
            )
            if wrong is not None:
                said, hint, code = wrong
                message = f'resource "{node.path}" {said}'
                if code == UNKNOWN_FLAVOR:
                    message = _lacks(node, "flavor", str(flavor), provider)
                yield blame(node, "flavor", str(flavor), message, hint, code)
            image = node.properties.get("image")
            if not isinstance(image, str) or not image or image in catalogue.images:
                continue
            if (provider, image) not in known:
                known[provider, image] = await self._has_image(provider, image)
            if not known[provider, image]:
                listing = f"terrace image list --provider {provider}"
                hint = _suggest(image, catalogue.images)
                hint = f"{hint} ({listing})" if hint else f"{listing}; to pull it, write {image}:latest"
                yield blame(node, "image", image, _lacks(node, "image", image, provider), hint)

    async def _beyond(self, project: str, graph: Graph, source: Source) -> AsyncIterator[Problem]:
        """A Problem for each thing that is named outright and that the project may not refer to."""
        asked: dict[tuple[str, str, str], bool] = {}
        blame = Blame(source)
        for node in written(graph):
            provider = node.provider or KINDS[node.kind].provider or self._settings.default_provider
            for kind, selector, field in () if node.external_id else named(node.kind, node.properties):
                thing = (provider, kind, selector)
                if thing not in asked:
                    asked[thing] = await self._within(project, *thing)
                if not asked[thing]:
                    message = f'resource "{node.path}": {missing(kind, selector, provider)}'
                    yield blame(node, field, selector, message, hint_of(kind), code="not-within-reach")

    async def _within(self, project: str, provider: str, kind: str, selector: str) -> bool:
        if kind == ADDRESS:
            return True  # whose it is shows only when machines stand
        try:
            return await self._reach.allows(provider, project, kind, selector)
        except ProviderError:
            return True  # it cannot be asked now; the step will say

    async def _exists(self, asked: Asked, project: str, offering: Offering) -> bool:
        """Whether what a parameter must name is there, as far as the default provider can say."""
        provider = self._settings.default_provider
        capabilities = self._drivers[provider].capabilities
        names = [str(name) for name in (asked.value if isinstance(asked.value, list) else [asked.value])]
        if asked.kind == "Flavor":
            return not await offering.missing(names, capabilities)
        if asked.kind not in capabilities.kinds or asked.kind in capabilities.recorded:
            return True  # it is not this provider that makes such things, so it cannot say
        for name in names:
            if asked.kind == "Image":
                if name not in capabilities.catalogue.images and not await self._has_image(provider, name):
                    return False
                continue
            if not await self._within(project, provider, asked.kind, name):
                return False
        return True

    async def _has_image(self, provider: str, image: str) -> bool:
        """Whether machines can start from `image`: it is there, or its name says where to pull it from."""
        if not image.startswith("recipe:") and ("/" in image or ":" in image or "@" in image):
            return _REFERENCE.fullmatch(image) is not None
        try:
            return await self._drivers[provider].lookup("Image", image) is not None
        except ProviderError:
            return True  # it cannot be asked now; the machine itself will say


def _changed(compiled: Compiled, before: Mapping[str, Any]) -> list[Problem]:
    """A Problem for each parameter that must not change and does."""
    return [
        problem
        for name, problem in compiled.immutable.items()
        if name in before and before[name] != compiled.parameters[name]
    ]


def _lacks(node: Node, what: str, name: str, provider: str) -> str:
    return f'resource "{node.path}" asks for {what} "{name}", which provider "{provider}" does not have'


def _suggest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f'did you mean "{close[0]}"?' if close else ""


# --- values and files


def _check_values(value: Any, path: tuple[str | int, ...]) -> None:
    """SpecError for numbers and depths that no database keeps."""
    where = ".".join(map(str, path[:8]))
    if len(path) > DEPTH:
        raise SpecError(f"{where}... is nested too deeply ({DEPTH} levels at most)", path[:8])
    if isinstance(value, float) and not math.isfinite(value):
        raise SpecError(f"{where} is not a finite number", path)
    if isinstance(value, int) and value not in INTEGERS:
        raise SpecError(f"{where} is too large a number", path)
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        _check_values(item, (*path, key))


def _check_files(source: Source) -> None:
    if not source.template:
        raise UserError("the request names no template", code="missing-file")
    named = [(source.template, "template"), *((name, "environment") for name in source.environments)]
    missing = [
        Problem(f'the {what} "{name}" is not among the files of the request', file=name, code="missing-file")
        for name, what in named
        if name not in source.files
    ]
    if missing:
        raise DocumentError(missing)


def _sealed(source: Source, compiled: Compiled) -> Source:
    """The source as it is kept: hidden parameters as Secret and, once there are any, the files too, in which
    they may stand as defaults, in environments, or as what a nested template is given."""
    hidden = {name for name, value in compiled.parameters.items() if holds(value, Secret)}
    if not hidden and not any(blueprint.hidden for blueprint in compiled.graph.blueprints.values()):
        return source
    return msgspec.structs.replace(
        source,
        files={name: Secret(text) for name, text in source.files.items()},
        parameters={name: Secret(v) if name in hidden else v for name, v in source.parameters.items()},
    )
