"""What a machine was given and no guest has done: the stack does not settle, says so, and does not wait for ever."""

from __future__ import annotations

from tests.unit.runtime.bench import STACK, Bench, play

from terrace.model.graph import Blueprint, Edge, Graph, Node
from terrace.model.value import Call, Ref

WEB = {"image": "one", "networks": [{"network": Ref("net")}]}
NET = Node("net", "Network", {"cidr": "10.1.0.0/24"})


async def failed(bench: Bench) -> str:
    """Why the newest generation failed, once it has."""

    async def done() -> bool:
        stack = await bench.store.stack(STACK)
        assert stack is not None
        generation = await bench.store.generation(STACK, stack.generation)
        return generation is not None and bool(generation.failed)

    await bench.until(done, 60)
    return (await bench.events("stack.failed"))[-1]


def test_user_data_that_no_guest_ran_is_waiting_and_nothing_settles() -> None:
    async def scene(bench: Bench) -> None:
        web = Node("web", "Machine", {**WEB, "user_data": "just words"})
        await bench.want(Graph((NET, web, Node("after", "Value", {"value": 1}, (Edge("web"),)))))
        assert "web: its user data waits" in await failed(bench)
        stack = await bench.store.stack(STACK)
        assert stack is not None
        assert (stack.phase, stack.settled) == ("settling", 0)
        assert "web is waiting: its user data waits" in stack.why
        records = await bench.records()
        assert (records["web"].state, records["after"].state) == ("waiting", "ready")
        await bench.up(Graph((NET, Node("web", "Machine", {**WEB, "user_data": "#!/bin/sh\n"}))))

    play(scene)


def test_user_data_may_be_a_configuration_whatever_way_it_is_named() -> None:
    async def scene(bench: Bench) -> None:
        boot = Node("boot", "SoftwareConfig", {"config": "#!/bin/sh\necho one"})
        web = Node("web", "Machine", {**WEB, "user_data": Ref("boot")})
        await bench.up(Graph((NET, boot, web)))
        thing = bench.world.things[await bench.id("web")]
        assert thing.spec.user_data == "#!/bin/sh\necho one"
        again = Node("boot", "SoftwareConfig", {"config": "#!/bin/sh\necho two"})
        await bench.up(Graph((NET, again, web)))
        assert bench.world.things[await bench.id("web")].spec.user_data == "#!/bin/sh\necho two"

    play(scene)


def test_user_data_may_come_through_the_parameter_of_a_nested_template() -> None:
    async def scene(bench: Bench) -> None:
        inner = {**WEB, "networks": [{"network": Ref("/net")}], "user_data": Call("input", ("boot",))}
        graph = Graph(
            (
                NET,
                Node("boot", "SoftwareConfig", {"config": "#!/bin/sh\necho one"}),
                Node("shop", "Nested", {"boot": Ref("boot")}, blueprint="shop.yaml"),
            ),
            {"shop.yaml": Blueprint((Node("web", "Machine", inner),), required=("boot",))},
        )
        await bench.up(graph)
        assert bench.world.things[await bench.id("shop/web")].spec.user_data == "#!/bin/sh\necho one"

    play(scene)


def test_a_member_whose_user_data_waits_ends_a_rolling_change() -> None:
    async def scene(bench: Bench) -> None:
        def graph(text: str) -> Graph:
            shape = {"kind": "Machine", "properties": {**WEB, "user_data": text}}
            rolling = {"in_service": 2, "batch": 1}
            return Graph((NET, Node("all", "Group", {"count": 3, "resource_def": shape, "rolling": rolling})))

        await bench.up(graph("#!/bin/sh\n"))
        before = {path: record.provider_id for path, record in (await bench.records()).items()}
        await bench.want(graph("just words"))
        assert "its user data waits" in await failed(bench)
        after = {path: record.provider_id for path, record in (await bench.records()).items()}
        assert sum(before[path] != after[path] for path in before) == 1
        await bench.up(graph("#!/bin/sh\ntrue"))

    play(scene)


def test_what_needs_the_agent_fails_the_generation_with_its_reason() -> None:
    async def scene(bench: Bench) -> None:
        config = Node("manifest", "SoftwareConfig", {"config": "class a {}", "group": "puppet"})
        deploy = {"config": Ref("manifest"), "machine": Ref("web")}
        graph = Graph((NET, config, Node("web", "Machine", WEB), Node("run", "SoftwareDeployment", deploy)))
        await bench.want(graph)
        assert "run: needs the agent" in await failed(bench)

    play(scene)


def test_a_deployment_is_made_changed_and_goes_before_its_machine() -> None:
    async def scene(bench: Bench) -> None:
        def graph(text: str) -> Graph:
            config = Node("boot", "SoftwareConfig", {"config": text, "group": "script"})
            deploy = {"config": Ref("boot"), "machine": Ref("web")}
            return Graph(
                (NET, config, Node("web", "Machine", WEB), Node("run", "SoftwareDeployment", deploy))
            )

        await bench.up(graph("one"))
        first = await bench.id("run")
        await bench.up(graph("two"))
        assert await bench.id("run") == first
        assert bench.world.things[first].spec.scripts == {"CREATE": "two", "UPDATE": "two"}
        await bench.down()
        gone = [entry.kind for entry in bench.world.diary if entry.what == "delete"]
        assert gone.index("SoftwareDeployment") < gone.index("Machine")

    play(scene)


def test_a_volume_begins_with_what_a_snapshot_held() -> None:
    async def scene(bench: Bench) -> None:
        data = Node("data", "Volume", {"size": 1})
        await bench.up(Graph((data,)))
        bench.world.things[await bench.id("data")].content["file"] = "kept"
        kept = Node("kept", "VolumeSnapshot", {"volume": Ref("data")})
        await bench.up(Graph((data, kept)))
        bench.world.things[await bench.id("data")].content["file"] = "changed"
        await bench.up(Graph((data, kept, Node("copy", "Volume", {"source": Ref("kept")}))))
        assert bench.world.things[await bench.id("copy")].content == {"file": "kept"}

    play(scene)
