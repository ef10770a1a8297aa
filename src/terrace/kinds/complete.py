"""What a template leaves unsaid: images that machines need, where ports stand, the ranges of networks,
what is bound to what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from terrace.errors import DocumentError, SpecError
from terrace.kinds.across import secret
from terrace.kinds.across.stack import following
from terrace.kinds.across.stack_output import FOUND, reading
from terrace.kinds.group.chain import LINKS
from terrace.kinds.group.launch import described
from terrace.kinds.group.members import SHAPE
from terrace.kinds.guest.images import MARK, Images, handed_down, image_parameters, is_name
from terrace.kinds.guest.placement import crowded
from terrace.kinds.guest.spec import flavor_of
from terrace.kinds.image import resolve
from terrace.kinds.net import fill
from terrace.kinds.net.fill import BOUND, TOP
from terrace.kinds.rules.check import did_you_mean
from terrace.kinds.software.fill import configs, filled
from terrace.model.graph import Blueprint, Graph, Name, Node, Use
from terrace.model.problem import Problem
from terrace.model.value import Call, Ref
from terrace.ports.driver import Capabilities


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
    added = [node for path, node in work.shared.items() if path not in work.given]
    return replace(
        graph, nodes=(*work.images.added, *added, *nodes), blueprints=blueprints, uses=tuple(work.uses)
    )


class _Completion:
    def __init__(self, graph: Graph, capabilities_of: Callable[[str], Capabilities]) -> None:
        self.blueprints = graph.blueprints
        self.parameters = image_parameters(graph.blueprints)
        self.images = Images(graph.nodes)
        self.given = {node.path for node in graph.nodes}
        # What machines of this stack share without saying so: networks, groups.
        self.shared: dict[str, Node] = {}
        self.groups: dict[str, str] = {}  # names of the security groups of the template being worked on
        self.configs: frozenset[str] = frozenset()  # its configurations
        self.capabilities_of = capabilities_of
        self.problems: dict[Problem, None] = {}
        self.uses: dict[Use, None] = {}

    def blueprint(self, blueprint: Blueprint) -> Blueprint:
        nodes = self.level(blueprint.nodes, TOP)
        return blueprint if nodes is blueprint.nodes else replace(blueprint, nodes=nodes)

    def level(self, nodes: tuple[Node, ...], up: str) -> tuple[Node, ...]:
        """The nodes of one template; `up` is what leads from there to the top level."""
        self.groups = fill.group_names(nodes)
        self.configs = configs(nodes)
        for node, message in crowded(nodes, self.capabilities):
            self.problem(node, message, "not-supported", "soft-anti-affinity asks for it as far as it goes")
        launches = {node.path: node for node in nodes if node.kind == "LaunchConfiguration"}
        done = tuple(self.node(described(node, launches), up) for node in nodes)
        lending = [node for node in done if self._lends_range(node)]
        if lending:
            ranges = {node.properties["network"].node: node for node in reversed(lending)}
            for node in lending:
                wrong = fill.wrong_subnet(node, ranges[node.properties["network"].node])
                if wrong:
                    hint = "make a network of its own for it, or leave it out"
                    self.problem(node, wrong, "not-supported", hint)
            done = tuple(fill.ranged(node, ranges) for node in done)
        return nodes if all(one is other for one, other in zip(done, nodes, strict=True)) else done

    def node(self, node: Node, up: str) -> Node:
        node = fill.with_groups(node, lambda name: self.security_group(name, node, up))
        if node.kind in BOUND:
            return fill.bound(node)
        match node.kind:
            case "Machine":
                fresh = self.machine(node, up)
            case "Nested":
                fresh = self.nested(node, up)
            case "Group" | "AutoScalingGroup":
                fresh = self.group(node, up)
            case "ResourceChain":
                fresh = self._chain(node, up)
            case "MultipartMime":
                fresh = filled(node, self.configs)
            case "StackOutput":
                self.uses |= _used(node, up)
                fresh = node.properties if FOUND in node.properties else reading(node.properties)
            case "Secret":
                self.uses |= secret.used(node, up)
                fresh = node.properties if FOUND in node.properties else secret.reading(node.properties)
            case "Stack":
                fresh = node.properties if FOUND in node.properties else following(node.properties)
            case _:
                return node
        return node if fresh is node.properties else replace(node, properties=fresh)

    def group(self, node: Node, up: str) -> dict[str, Any]:
        shape = node.properties.get(SHAPE)
        fresh = self._shape(node, shape, up) if isinstance(shape, dict) else shape
        return node.properties if fresh is shape else {**node.properties, SHAPE: fresh}

    def _chain(self, node: Node, up: str) -> dict[str, Any]:
        shapes = node.properties.get(LINKS) or ()
        fresh = [self._shape(node, shape, up) for shape in shapes]
        same = all(one is other for one, other in zip(fresh, shapes, strict=True))
        return node.properties if same else {**node.properties, LINKS: fresh}

    def _shape(self, node: Node, shape: dict[str, Any], up: str) -> dict[str, Any]:
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
        return shape if fresh.properties is member.properties else {**shape, "properties": fresh.properties}

    def machine(self, node: Node, up: str) -> dict[str, Any]:
        properties = dict(filled(node, self.configs))
        image = properties.get("image")
        capabilities = self.capabilities(node)
        fresh = self._image(image, node, up, capabilities)
        if fresh is not image:
            properties["image"], properties["image_name"] = fresh, image
        flavor = properties.get("flavor")
        if capabilities is not None and isinstance(flavor, str):
            self.tried(node, lambda: flavor_of(flavor, capabilities))
        networks = properties.get("networks")
        alone = capabilities is not None and (capabilities.own_network or properties.get("security_groups"))
        if not networks and alone:
            properties["networks"] = [{"network": Ref(up + fill.shared_network(node, self.shared))}]
        elif isinstance(networks, list | tuple) and any(fill.is_port(nic) for nic in networks):
            properties["networks"] = [
                fill.through_port(nic) if fill.is_port(nic) else nic for nic in networks
            ]
        return properties if properties != node.properties else node.properties

    def security_group(self, name: str, user: Node, up: str) -> Any:
        """The group of that name: one of the same template, or the one that all of the stack share by default."""
        if name in self.groups:
            path = self.groups[name]
            return fill.OWN if path == user.path else Ref(path)
        if name == fill.DEFAULT:
            return Ref(up + fill.default_group(user, self.shared))
        hint = did_you_mean(name, self.groups) or "name one of the template with get_resource"
        self.problem(user, f'there is no security group "{name}"', "unknown-security-group", hint)
        return name

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
            properties[name + MARK] = self._image(value, node, up, capabilities)
        return properties

    def _image(self, value: Any, node: Node, up: str, capabilities: Capabilities | None) -> Any:
        """What gives the reference of the Image where `value` gives its name, in every branch of a condition; the very
        same object where there is no Image for it."""
        if is_name(value):
            found = self.known(node, value, capabilities)
            return Ref(up + self.images.path(value, node)) if found else value
        if type(value) is Call and value.function == "if":
            condition, *branches = value.args
            fresh = [self._image(branch, node, up, capabilities) for branch in branches]
            same = all(one is other for one, other in zip(fresh, branches, strict=True))
            return value if same else Call("if", (condition, *fresh))
        return handed_down(value)

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

    def _lends_range(self, node: Node) -> bool:
        """Whether this is a Subnet that its provider knows only as the range of a network of the same
        template."""
        if node.kind != "Subnet" or not fill.bare(node.properties.get("network")):
            return False
        capabilities = self.capabilities(node)
        return capabilities is not None and "Subnet" in capabilities.recorded


def _used(node: Node, up: str) -> dict[Use, None]:
    """Which output of another stack is used, where the names are known."""
    stack, output = node.properties.get("stack"), node.properties.get("output")
    if not isinstance(stack, str) or not isinstance(output, str):
        return {}
    return {Use("" if up else node.path, Name("", stack, output)): None}
