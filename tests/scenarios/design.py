"""Random templates, and random changes of them, straight as graphs."""

from __future__ import annotations

from random import Random
from typing import Any

from msgspec.structs import replace

from terrace.model.graph import Blueprint, Edge, Graph, Keep, Node, Output, Until
from terrace.model.value import Call, Ref, refs

PROVIDER = "local"
KINDS_OF_MORE = ("machine", "machine", "store", "group", "values", "box", "value", "slow", "scaled", "door")
IMAGES = ("registry/debian:12", "registry/nginx:1", "registry/nginx:2")
BOX = Blueprint(
    nodes=(
        Node("m", "Machine", {"image": IMAGES[0], "memory": Call("input", ("memory",))}),
        Node("v", "Value", {"value": Ref("m", ("id",))}),
    ),
    outputs={"id": Output(Ref("v", ("value",)))},
    parameters={"memory": 64},
)


class Design:
    """What one stack should be: nodes by path. `leaves` are the paths that become things at the provider."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number = 0
        self.nodes: dict[str, Node] = {}
        self._put("secret", "RandomString", {"length": 12})
        self._put("net", "Network", {"cidr": ""} if random.random() < 0.5 else {})
        for _ in range(random.randint(2, 5)):
            self.add()

    @property
    def graph(self) -> Graph:
        """As a graph to apply."""
        return Graph(nodes=tuple(self.nodes.values()), blueprints={"box": BOX}, outputs=self._outputs())

    def leaves(self) -> dict[str, Node]:
        """The nodes that become things at the provider, by full path."""
        found: dict[str, Node] = {}
        for path, node in self.nodes.items():
            if node.kind == "Group":
                shape = node.properties["resource_def"]
                if shape["kind"] == "Machine":
                    for index in range(node.properties["count"]):
                        found[f"{path}/{index}"] = Node(f"{path}/{index}", "Machine", shape["properties"])
            elif node.kind == "Nested":
                found[f"{path}/m"] = Node(f"{path}/m", "Machine", {"memory": node.properties["memory"]})
            elif node.kind in ("Machine", "Volume", "Network"):
                found[path] = node
        return found

    def everything(self) -> int:
        """How many resources there are in all, composites too."""
        total = 0
        for node in self.nodes.values():
            total += 1
            if node.kind == "Group":
                total += int(node.properties["count"])
            elif node.kind == "Nested":
                total += len(BOX.nodes)
        return total

    # ---- changes

    def edit(self) -> str:
        """Changes something at random; what it was."""
        changes = (
            self.add,
            self.add,
            self.drop,
            self.resize,
            self.resize,
            self.replace,
            self.scale,
            self.scale,
        )
        return self._random.choice(changes)()

    def add(self) -> str:
        """One more resource."""
        random = self._random
        self._number += 1
        n = self._number
        machines = [path for path, node in self.nodes.items() if node.kind == "Machine"]
        match random.choice(KINDS_OF_MORE):
            case "machine":
                self._put(f"m{n}", "Machine", self._machine())
            case "store":
                self._put(f"vol{n}", "Volume", {"size": random.randint(1, 5)})
                mount = {"volume": Ref(f"vol{n}"), "path": "/data"}
                self._put(f"db{n}", "Machine", {**self._machine(), "volumes": [mount]})
            case "group":
                self._put(f"g{n}", "Group", self._group("Machine", self._machine(), random.randint(1, 4)))
            case "values":
                self._put(f"gv{n}", "Group", self._group("Value", {"value": "%index%"}, random.randint(1, 5)))
            case "box":
                self._put(f"box{n}", "Nested", {"memory": 64 * random.randint(1, 4)}, blueprint="box")
            case "scaled":
                self._scaled(n)
            case "door":
                self._put(f"door{n}", "WaitConditionHandle", {})
                door = {"handle": Ref(f"door{n}", ("id",)), "signals": Ref(f"door{n}", ("signals",))}
                self._put(f"told{n}", "WaitCondition", {**door, "timeout": 43_200})
            case "value":
                value: Any = Ref(random.choice(machines), ("first_address",)) if machines else "plain"
                self._put(f"v{n}", "Value", {"value": value})
            case _:
                waits = {"create": random.uniform(0, 5), "update": 1.0, "delete": random.uniform(0, 3)}
                edges = (Edge(random.choice(machines), Until.READY),) if machines else ()
                self._put(f"t{n}", "TestResource", {"value": n, "waits": waits}, edges=edges)
        return f"add {n}"

    def drop(self) -> str:
        """One resource less, with what refers to it."""
        candidates = [path for path in self.nodes if path not in ("net", "secret")]
        if not candidates:
            return "nothing to drop"
        path = self._random.choice(candidates)
        gone = {path}
        while True:
            more = {
                other
                for other, node in self.nodes.items()
                if other not in gone and (refs(node.properties) | {e.node for e in node.edges}) & gone
            }
            if not more:
                break
            gone |= more
        for one in gone:
            del self.nodes[one]
        return f"drop {sorted(gone)}"

    def resize(self) -> str:
        """A change in place."""
        path = self._some("Machine", "Nested", "Volume")
        if path is None:
            return "nothing to resize"
        node = self.nodes[path]
        if node.kind == "Volume":
            self._set(path, size=node.properties["size"] + 1)
        else:
            self._set(path, memory=64 * self._random.randint(1, 8))
        return f"resize {path}"

    def replace(self) -> str:
        """A change that takes a new machine."""
        path = self._some("Machine")
        if path is None:
            return "nothing to replace"
        self._set(path, image=self._random.choice(IMAGES))
        return f"replace {path}"

    def scale(self) -> str:
        """Another number of members."""
        path = self._some("Group", "AutoScalingGroup")
        if path is None:
            return "nothing to scale"
        to = self._random.randint(0, 5)
        self._set(path, **{"count" if self.nodes[path].kind == "Group" else "desired_capacity": to})
        return f"scale {path} to {to}"

    # ---- pieces

    def _some(self, *kinds: str) -> str | None:
        found = [path for path, node in self.nodes.items() if node.kind in kinds]
        return self._random.choice(found) if found else None

    def _set(self, path: str, **properties: Any) -> None:
        node = self.nodes[path]
        self.nodes[path] = replace(node, properties={**node.properties, **properties})

    def _put(self, path: str, kind: str, properties: dict[str, Any], **more: Any) -> None:
        keep = Keep.RETAIN if kind == "Volume" and self._random.random() < 0.2 else Keep.DELETE
        self.nodes[path] = Node(path, kind, properties, keep=keep, type_name=f"Terrace::{kind}", **more)

    def _machine(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {"image": IMAGES[0], "memory": 64 * self._random.randint(1, 8)}
        if self._random.random() < 0.7:
            wanted["networks"] = [{"network": Ref("net")}]
        if self._random.random() < 0.7:
            wanted["files"] = [{"path": "/etc/told", "content": Ref("secret", ("value",))}]
        return wanted

    def _group(self, kind: str, properties: dict[str, Any], count: int) -> dict[str, Any]:
        shape = {"kind": kind, "type_name": f"Terrace::{kind}", "properties": properties}
        rolling = {"rolling": {"batch": 2}} if self._random.random() < 0.3 else {}
        return {"count": count, "resource_def": shape, **rolling}

    def _scaled(self, n: int) -> None:
        """A group, policies that make it larger and smaller, and an alarm that calls them."""
        shape = {"kind": "Machine", "type_name": "Terrace::Machine", "properties": self._machine()}
        size = {"min_size": 0, "max_size": 5, "desired_capacity": self._random.randint(0, 3)}
        rolling = {"rolling_update": {"max_batch_size": 1, "min_in_service": self._random.randint(0, 2)}}
        policy = {"update_policy": rolling} if self._random.random() < 0.5 else {}
        self._put(f"herd{n}", "AutoScalingGroup", {**size, "resource_def": shape, **policy})
        for name, by in (("more", 1), ("less", -1)):
            change = {"group": Ref(f"herd{n}"), "adjustment": by, "adjustment_type": "change_in_capacity"}
            self._put(f"{name}{n}", "ScalingPolicy", change)
        calls = {"alarm_actions": [Ref(f"more{n}", ("url",))], "ok_actions": [Ref(f"less{n}", ("url",))]}
        self._put(f"alarm{n}", "Alarm", {**calls, "repeat_actions": self._random.random() < 0.5})

    def _outputs(self) -> dict[str, Output]:
        path = next((path for path, node in self.nodes.items() if node.kind == "Machine"), None)
        return {"first": Output(Ref(path, ("first_address",)))} if path else {}
