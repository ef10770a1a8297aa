"""The live tree, and what Ctrl-C does, on a real terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from terrace.cli.follow.progress import Outcome, Progress
from tests.unit.cli.samples import SHOP, event, page, resource, stack, stream
from tests.unit.client.fake_server import Answer, FakeServer, problem

WHOLE = 20.0


class Terminal:
    """`terrace` with a terminal of its own."""

    def __init__(self, server: FakeServer, *words: str, **environ: str) -> None:
        self._ours, theirs = pty.openpty()
        self._seen = b""
        settings = {"TERRACE_SERVER": server.address, "TERM": "xterm", "PYTHONPATH": "src", **environ}
        script = "import sys; from terrace.cli.root import main; sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, **settings},
            start_new_session=True,
        )
        os.close(theirs)

    def wait_for(self, text: str) -> str:
        """What was shown so far, once `text` is in it (or the program has ended)."""
        while text.encode() not in self._seen and select.select([self._ours], [], [], WHOLE)[0]:
            try:
                self._seen += os.read(self._ours, 65536)
            except OSError:
                break
        return self._seen.decode()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> tuple[int, str]:
        """The exit code, and everything that was shown."""
        shown = self.wait_for("\0 never")
        code = self.process.wait(WHOLE)
        os.close(self._ours)
        return code, shown


@pytest.fixture
def held(server: FakeServer, routes, tmp_path: Path):
    """A stack that is coming up until the test lets go."""
    (tmp_path / "shop.yaml").write_text("heat_template_version: 2021-04-16\n")
    hold = threading.Event()
    coming = stack(settled=0, phase="settling", ready=0, why="web is creating: pulling")
    routes[f"GET {SHOP}"] = lambda _: Answer(stack() if hold.is_set() else coming)
    routes[f"PUT {SHOP}"] = coming
    web = resource("web", kind="Machine", state="creating", why="pulling the image")
    routes[f"GET {SHOP}/resources"] = page(web, resource("group/0", state="waiting"))
    first = stream(event(1, "resource.ready", "group/0")).pieces
    routes[f"GET {SHOP}/events"] = lambda request: Answer(
        pieces=first if request.headers.get("last-event-id") != "1" else (b": hello\n\n",), wait_for=hold
    )
    routes[f"GET {SHOP}/outputs"] = page()
    yield hold
    hold.set()


def test_a_live_tree_until_it_is_settled(server, held) -> None:
    terminal = Terminal(server, "up", "shop.yaml", "--yes")
    shown = terminal.wait_for("waiting on")
    assert "pulling the image" in shown
    assert "0 of 2 resources ready; waiting on web is creating: pulling" in shown
    held.set()
    code, shown = terminal.end()
    assert code == 0
    assert "\x1b[?25l" in shown
    assert shown.rstrip().endswith("2 resources ready")
    assert "\x1b[?25h" in shown, "the cursor comes back"


def test_ctrl_c_stops_following_and_says_how_to_go_on(server, held) -> None:
    terminal = Terminal(server, "up", "shop.yaml", "--yes")
    terminal.wait_for("waiting on")
    terminal.process.send_signal(signal.SIGINT)
    code, shown = terminal.end()
    assert code == 130
    assert "the work goes on. Follow it again: terrace status shop --follow" in shown
    assert "\x1b[?25h" in shown


def test_lines_on_a_dumb_terminal(server, held) -> None:
    held.set()
    code, shown = Terminal(server, "up", "shop.yaml", "--yes", TERM="dumb").end()
    assert code == 0
    assert "\x1b" not in shown
    assert "group/0           ready" in shown


def test_no_color(server, held) -> None:
    held.set()
    _, shown = Terminal(server, "up", "shop.yaml", "--yes", NO_COLOR="1").end()
    assert "\x1b[3" not in shown


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130), ("", 130)])
def test_a_person_is_asked(server, held, routes, answer: str, code: int) -> None:
    routes[f"DELETE {SHOP}"] = [
        Answer({"stack": "shop", "generation": 1, "changes": True, "items": []}),
        Answer(stack(phase="deleting", generation=2)),
    ]
    routes[f"GET {SHOP}/events"] = stream(event(2, "stack.gone", generation=2))
    routes[f"GET {SHOP}"] = [Answer(stack()), problem(404, "not-found", "gone")]
    terminal = Terminal(server, "down", "shop")
    terminal.wait_for("[y/N]")
    terminal.type(f"{answer}\n")
    ended, shown = terminal.end()
    assert ended == code, shown
    assert ("nothing was changed" in shown) == bool(code)


def test_events_of_others_and_of_the_past_are_not_taken_for_ours() -> None:
    progress = Progress(stack(generation=3, settled=2))
    assert not progress.absorb(event(1, "stack.settled", generation=2))
    assert not progress.absorb(event(2, "stack.settled", generation=3, stack="another"))
    assert progress.outcome is None
    assert progress.absorb(event(3, "stack.settled", generation=3))
    assert progress.outcome is Outcome.SETTLED


def test_a_look_finds_what_events_did_not_tell() -> None:
    for head, generation, outcome in (
        (stack(generation=2, settled=2), None, Outcome.SETTLED),
        (stack(generation=2, settled=1, phase="failing"), {"failed": "web: no"}, Outcome.FAILED),
        (stack(generation=2, settled=1, phase="failing"), {"failed": ""}, None),
        (stack(generation=3, settled=1), {"failed": ""}, Outcome.SUPERSEDED),
        (stack(id="another"), None, Outcome.GONE),
        (None, None, Outcome.GONE),
    ):
        progress = Progress(stack(generation=2, settled=1))
        progress.look(head, generation)
        assert progress.outcome is outcome


def test_a_look_at_a_rollback_goes_on_to_its_end() -> None:
    progress = Progress(stack(generation=2, settled=1))
    failed = {"failed": "web: no", "on_failure": "rollback"}
    progress.look(stack(generation=3, settled=1, phase="settling"), failed)
    assert progress.outcome is None
    progress.look(stack(generation=3, settled=3), failed)
    assert progress.outcome is Outcome.ROLLED_BACK


def test_what_failed_ends_only_if_it_is_known_to_be_kept() -> None:
    for chosen, end in (("rollback", None), ("keep", Outcome.FAILED)):
        progress = Progress(stack(generation=2, settled=1))
        progress.absorb(event(1, "stack.failed", generation=2, message="web: no"))
        assert progress.doubtful
        progress.chose(chosen)
        assert (progress.outcome, progress.doubtful) == (end, False)
    progress = Progress(stack(generation=1, settled=0))
    progress.absorb(event(1, "stack.failed", generation=1, message="web: no"))
    assert not progress.doubtful, "there is nothing to go back to"
