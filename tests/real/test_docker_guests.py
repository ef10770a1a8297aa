"""Docker: the way into guests, and engines that come and go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from terrace.drivers.docker.settings import DockerSettings
from terrace.errors import TransientError
from terrace.model.spec.machine import Health, Nic
from terrace.model.step import Verb
from tests.contracts.rig import HOME
from tests.real.docker_rig import DockerRig
from tests.real.engine import Engine

COUNTING = "trap 'echo last; exit' USR1; for n in 1 2 3 4 5; do echo line $n; done; sleep 1000 & wait"


@pytest.fixture
async def rig(engine: Engine, tiny_image: str) -> AsyncIterator[DockerRig]:
    made = DockerRig(engine, tiny_image)
    yield made
    await made.driver.close()


# --- guests


async def test_a_terminal_and_its_size(rig: DockerRig) -> None:
    _, seen = await rig.make()
    session = await rig.driver.exec(seen.provider_id, ["sh"], tty=True, stdin=True)
    await session.resize(33, 77)
    await session.write(b"stty size; exit 4\n")
    assert b"33 77" in b"".join([chunk.data async for chunk in session.output()])
    assert await session.wait() == 4


async def test_streams_are_told_apart(rig: DockerRig) -> None:
    _, seen = await rig.make()
    session = await rig.driver.exec(seen.provider_id, ["sh", "-c", "echo out; echo err >&2"])
    found = {chunk.stream: chunk.data async for chunk in session.output()}
    assert found == {"stdout": b"out\n", "stderr": b"err\n"}


async def test_logs_back_and_on(rig: DockerRig) -> None:

    _, seen = await rig.make(command=("sh", "-c", COUNTING))
    follow = rig.driver.logs(seen.provider_id, tail=2, follow=True)
    async with asyncio.timeout(20):
        first = await anext(follow)
        assert first.stream == "stdout"
        assert first.at > 1_700_000_000
        while b"line 5" not in first.data:
            first = await anext(follow)
        rig.engine.cli("kill", "--signal", "USR1", seen.provider_id)
        assert [chunk.data async for chunk in follow] == [b"last\n"]
    back = [chunk.data async for chunk in rig.driver.logs(seen.provider_id, tail=2)]
    assert back == [b"line 5\n", b"last\n"]


async def test_health_checks(rig: DockerRig) -> None:
    _, network = await rig.make("Network")
    serve = ("sh", "-c", "mkdir -p /www && echo hi > /www/index.html && exec httpd -f -p 80 -h /www")
    _, seen = await rig.make(networks=(Nic(network.provider_id),), command=serve)
    async with asyncio.timeout(10):
        while not (await rig.driver.probe(seen, Health("tcp", port=80)))[0]:
            await rig.clock.sleep(0.05)
    assert await rig.driver.probe(seen, Health("http", port=80)) == (True, "HTTP 200")
    assert await rig.driver.probe(seen, Health("http", port=80, path="/no")) == (False, "HTTP 404")
    assert await rig.driver.probe(seen, Health("tcp", port=81)) == (False, "connection refused")
    assert (await rig.driver.probe(seen, Health("command", command=("true",))))[0]
    said = await rig.driver.probe(seen, Health("command", command=("sh", "-c", "echo sick; exit 2")))
    assert said == (False, "exit code 2: sick")
    slow = Health("command", command=("sleep", "9"), timeout=0.2)
    assert await rig.driver.probe(seen, slow) == (False, "no answer within 0.2 s")


# --- the engine comes and goes


async def test_an_engine_that_is_away_is_no_empty_engine(rig: DockerRig) -> None:
    step, seen = await rig.make()
    rig.engine.stop()
    with pytest.raises(TransientError, match="no answer from the Docker engine") as caught:
        await rig.driver.observe(HOME, ())
    assert "\n" not in caught.value.message
    with pytest.raises(TransientError):
        await rig.finish(rig.create())
    with pytest.raises(TransientError):
        await anext(rig.driver.watch())
    rig.engine.start()
    (back,) = await rig.ours()
    assert (back.provider_id, back.state) == (seen.provider_id, "exited")
    again = await rig.change(Verb.START, step, seen)
    assert again is not None
    assert again.state == "running"


async def test_an_engine_that_is_frozen_is_not_waited_for(engine: Engine, tiny_image: str) -> None:
    rig = DockerRig(engine, tiny_image, DockerSettings(host=engine.docker_host, timeout=0.5))
    await rig.ours()
    engine.pause()
    try:
        with pytest.raises(TransientError, match="did not answer") as caught:
            await rig.driver.observe(HOME, ())
        assert caught.value.code == "provider-timeout"
    finally:
        engine.resume()
    assert await rig.ours() == []
    await rig.driver.close()


async def test_the_stream_of_hints_ends_with_the_engine(rig: DockerRig) -> None:
    hints = rig.driver.watch()
    assert await anext(hints) == ""
    rig.engine.stop()
    with pytest.raises(TransientError):
        async for _ in hints:
            pass
    rig.engine.start()


async def test_over_tcp_on_this_machine(rig: DockerRig) -> None:
    """A relay from TCP to the engine's socket stands for an engine that listens on TCP."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_unix_connection(str(rig.engine.socket))

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while piece := await source.read(65536):
                target.write(piece)
                await target.drain()
            if target.can_write_eof():
                target.write_eof()

        await asyncio.gather(copy(reader, outside), copy(inside, writer), return_exceptions=True)
        writer.close()
        outside.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0, family=socket.AF_INET)
    port = server.sockets[0].getsockname()[1]
    far = DockerRig(rig.engine, rig.image, DockerSettings(host=f"tcp://127.0.0.1:{port}"))
    try:
        assert "VolumeAttachment" not in far.driver.capabilities.kinds
        _, seen = await far.make()
        assert await far.run(seen.provider_id, "echo", "hi") == (0, "hi\n")
        assert [one.provider_id for one in await far.ours()] == [seen.provider_id]
    finally:
        await far.driver.close()
        server.close()
