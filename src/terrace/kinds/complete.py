"""What a template leaves unsaid: images that machines need, where ports stand, the ranges of networks,
what is bound to what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from terrace.errors import DocumentError, SpecError
from terrace.kinds.across.stack import following
from terrace.kinds.across.stack_output import FOUND, reading
from terrace.kinds.guest.images import MARK, Images, handed_down, image_parameters, is_name, parameter
from terrace.kinds.guest.spec import flavor_of
from terrace.kinds.image import resolve
from terrace.model.graph import Blueprint, Edge, Graph, Keep, Name, Node, Until, Use
from terrace.model.problem import Problem
from terrace.model.value import Ref, refs
from terrace.ports.driver import Capabilities

SHAPE = "resource_def"
TOP = "/"


def complete(graph: Graph, capabilities_of: Callable[[str], Capabilities]) -> Graph:
    """The graph with everything that follows from it; completing it again changes nothing.

    `capabilities_of` is called with the name of a provider, "" for the default one, and raises KeyError or
    SpecError when there is none. Raises DocumentError with every image, flavor and provider that there is
    not.
    """
    work = _Completion(graph, capabilities_of)
    nodes = work.level(graph.nodes, "")
    blueprints = {name: work.blueprint(blueprint) for name, blueprint in graph.blueprints.items()}
    if work.problems:
        raise DocumentError(list(work.problems))
    added = [node for path, node in work.networks.items() if path not in work.given]
    return replace(
        graph, nodes=(*work.images.added, *added, *nodes), blueprints=blueprints, uses=tuple(work.uses)
    )


class _Completion:
    def __init__(self, graph: Graph, capabilities_of: Callable[[str], Capabilities]) -> None:
        self.blueprints = graph.blueprints
        self.parameters = image_parameters(graph.blueprints)
        self.images = Images(graph.nodes)
        self.given = {node.path for node in graph.nodes}
        self.networks: dict[str, Node] = {}
        self.capabilities_of = capabilities_of
        self.problems: dict[Problem, None] = {}
        self.uses: dict[Use, None] = {}

    def blueprint(self, blueprint: Blueprint) -> Blueprint:
        nodes = self.level(blueprint.nodes, TOP)
        return blueprint if nodes is blueprint.nodes else replace(blueprint, nodes=nodes)

    def level(self, nodes: tuple[Node, ...], up: str) -> tuple[Node, ...]:
        """The nodes of one template; `up` is what leads from there to the top level."""
        done = tuple(self.node(node, up) for node in nodes)
        ranges = {node.properties["network"].node: node for node in reversed(done) if self.lends_range(node)}
        if ranges:
            done = tuple(
                _with_range(node, ranges[node.path]) if node.path in ranges else node for node in done
            )
        return nodes if all(one is other for one, other in zip(done, nodes, strict=True)) else done

    def node(self, node: Node, up: str) -> Node:
        if node.keep is Keep.SNAPSHOT:
            self.problem(
                node,
                "a snapshot cannot be made before it is deleted",
                "not-supported-yet",
                "deletion_policy: Retain keeps the thing itself",
            )
        match node.kind:
            case "Machine":
                fresh = self.machine(node, up)
            case "Nested":
                fresh = self.nested(node, up)
            case "Group":
                fresh = self.group(node, up)
            case "VolumeAttachment":
                return _bound(node)
            case "StackOutput":
                self.uses |= _used(node, up)
                fresh = node.properties if FOUND in node.properties else reading(node.properties)
            case "Stack":
                fresh = node.properties if FOUND in node.properties else following(node.properties)
            case _:
                return node
        return node if fresh is node.properties else replace(node, properties=fresh)

    def group(self, node: Node, up: str) -> dict[str, Any]:
        shape = node.properties.get(SHAPE)
        if not isinstance(shape, dict):
            return node.properties
        member = Node(
            path=node.path,
            kind=shape.get("kind", ""),
            properties=shape.get("properties") or {},
            provider=node.provider,
            region=node.region,
            blueprint=shape.get("blueprint") or "",
            place=node.place,
        )
        fresh = self.node(member, up)
        if fresh.properties is member.properties:
            return node.properties
        return {**node.properties, SHAPE: {**shape, "properties": fresh.properties}}

    def machine(self, node: Node, up: str) -> dict[str, Any]:
        properties = dict(node.properties)
        image = properties.get("image")
        capabilities = self.capabilities(node)
        if is_name(image) and self.known(node, image, capabilities):
            properties["image"] = Ref(up + self.images.path(image, node))
            properties["image_name"] = image
        elif parameter(image):
            properties["image"] = handed_down(image)
            properties["image_name"] = image
        flavor = properties.get("flavor")
        if capabilities is not None and isinstance(flavor, str):
            self.tried(node, lambda: flavor_of(flavor, capabilities))
        networks = properties.get("networks")
        if not networks and capabilities is not None and capabilities.own_network:
            properties["networks"] = [{"network": Ref(up + self.network(node))}]
        elif isinstance(networks, list | tuple) and any(_is_port(nic) for nic in networks):
            properties["networks"] = [_through_port(nic) if _is_port(nic) else nic for nic in networks]
        return properties if properties != node.properties else node.properties

    def network(self, user: Node) -> str:
        """The path of the network that machines of this stack without one share, added when there is none."""
        path = "@".join(part for part in ("network:stack", user.provider, user.region) if part)
        if path not in self.networks:
            self.networks[path] = Node(
                path=path,
                kind="Network",
                provider=user.provider,
                region=user.region,
                place=user.place,
                type_name="Terrace::Network",
                implied=True,
            )
        return path

    def nested(self, node: Node, up: str) -> dict[str, Any]:
        wanted = self.parameters.get(node.blueprint)
        if not wanted:
            return node.properties
        capabilities = self.capabilities(node)
        defaults = self.blueprints[node.blueprint].parameters
        properties = dict(node.properties)
        for name in sorted(wanted):
            value = properties.get(name, defaults.get(name))
            if value is None or name + MARK in properties:
                continue
            if is_name(value):
                found = self.known(node, value, capabilities)
                properties[name + MARK] = Ref(up + self.images.path(value, node)) if found else value
            else:
                properties[name + MARK] = handed_down(value)
        return properties

    def known(self, node: Node, image: str, capabilities: Capabilities | None) -> bool:
        """Whether `image` is one that an Image node can stand for; what it cannot be is noted as a
        problem."""
        if capabilities is None or "Image" not in capabilities.kinds:
            return False
        return self.tried(node, lambda: resolve(image, capabilities))

    def tried(self, node: Node, attempt: Callable[[], object]) -> bool:
        try:
            attempt()
        except SpecError as error:
            self.problem(node, error.message, error.code, error.hint)
            return False
        return True

    def capabilities(self, node: Node) -> Capabilities | None:
        try:
            return self.capabilities_of(node.provider)
        except (KeyError, SpecError):
            self.problem(
                node, f'there is no provider "{node.provider}"', "unknown-provider", "terrace provider list"
            )
            return None

    def problem(self, node: Node, message: str, code: str, hint: str) -> None:
        place = node.place
        text = f'resource "{node.path}": {message}'
        self.problems[Problem(text, place.file, place.line, place.column, code=code, hint=hint)] = None

    def lends_range(self, node: Node) -> bool:
        """Whether this is a Subnet that its provider knows only as the range of a network of the same
        template."""
        if node.kind != "Subnet" or not _bare(node.properties.get("network")):
            return False
        capabilities = self.capabilities(node)
        return capabilities is not None and "Subnet" in capabilities.recorded


def _used(node: Node, up: str) -> dict[Use, None]:
    """Which output of another stack is used, where the names are known."""
    stack, output = node.properties.get("stack"), node.properties.get("output")
    if not isinstance(stack, str) or not isinstance(output, str):
        return {}
    return {Use("" if up else node.path, Name("", stack, output)): None}


def _bare(value: Any) -> bool:
    """Whether `value` is a reference to a thing itself, in the same template."""
    return type(value) is Ref and not value.path and not value.node.startswith(TOP)


def _with_range(node: Node, subnet: Node) -> Node:
    """A network with the range of its subnet, unless it has one, or that hangs on other things."""
    wanted = {name: subnet.properties.get(name) for name in ("cidr", "gateway")}
    fresh = {name: value for name, value in wanted.items() if value is not None and not refs(value)}
    if node.kind != "Network" or node.properties.get("cidr") is not None or "cidr" not in fresh:
        return node
    return replace(node, properties={**node.properties, **fresh})


def _is_port(nic: Any) -> bool:
    return isinstance(nic, dict) and type(nic.get("port")) is Ref and not nic["port"].path


def _through_port(nic: Mapping[str, Any]) -> dict[str, Any]:
    """A place on a network that a port gives, with what the port says of it."""
    port: Ref = nic["port"]
    given = {name: value for name, value in nic.items() if value is not None}
    asked = {
        name: Ref(port.node, (attribute,)) for name, attribute in (("network", "network_id"), ("mac", "mac"))
    }
    address = {} if "fixed_ip" in given or "ip" in given else {"ip": Ref(port.node, ("ip",))}
    return {**asked, **address, **given}


def _bound(node: Node) -> Node:
    """An attachment lives and dies with both its ends."""
    stated = {edge.node for edge in node.edges}
    ends = {
        target
        for name in ("machine", "volume")
        for target in refs(node.properties.get(name))
        if target and target not in stated
    }
    return (
        replace(node, edges=(*node.edges, *(Edge(end, Until.BOUND) for end in sorted(ends))))
        if ends
        else node
    )
