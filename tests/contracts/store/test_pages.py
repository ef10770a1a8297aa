"""Long lists, a page at a time: heads of stacks, and directives."""

from __future__ import annotations

import msgspec
from tests.contracts.store.samples import Worker, a_generation, a_stack

from terrace.model.stack import Directive, Phase
from terrace.ports.store import Store


class TestStackPages:
    NAMES = ("web", "web-2", "Web", "db", "a_b", "web.x")

    async def test_pages_go_on_by_name_and_stay_in_their_project(self, store: Store) -> None:
        for name in self.NAMES:
            await store.save_generation(a_stack(name), a_generation(), None)
        await store.save_generation(a_stack("else", project="other"), a_generation(), None)
        found, after = [], ""
        while rows := await store.stack_page("default", after=after, limit=2):
            assert len(rows) <= 2
            found += [row.name for row in rows]
            after = rows[-1].name
        assert found == sorted(self.NAMES)
        assert await store.stack_page("default") == await store.stacks("default")
        assert [row.name for row in await store.stack_page("other")] == ["else"]

    async def test_they_are_found_by_phase_and_by_how_their_names_begin(self, store: Store) -> None:
        for name in self.NAMES:
            worker = await Worker.of(store, name)
            phase = Phase.FAILING if name.startswith("web") else Phase.SETTLED
            head = msgspec.structs.replace(worker.stack, phase=phase)
            assert await worker.write(head=head)

        async def names(**wanted: str) -> list[str]:
            return [row.name for row in await store.stack_page("default", **wanted)]  # type: ignore[arg-type]

        assert await names(name="web") == ["web", "web-2", "web.x"]
        assert await names(name="web", after="web") == ["web-2", "web.x"]
        assert await names(name="a%") == await names(name="w_b") == []
        assert await names(phase="settled") == ["Web", "a_b", "db"]
        assert await names(phase="failing", name="web-") == ["web-2"]


class TestDirectivePages:
    async def test_pages_go_on_by_path_and_name(self, store: Store) -> None:
        stack = (await Worker.of(store)).stack.id
        other = (await Worker.of(store, "other")).stack.id
        places = [
            ("", "signal/1"),
            ("a", "signal/10"),
            ("a", "signal/2"),
            ("b/c", "signal/1"),
            ("b/c", "size"),
        ]
        wishes = [Directive(stack, path, what, {"n": 1}, "ada", at=2.0) for path, what in places]
        await store.direct([*wishes, Directive(other, "a", "signal/3", 1)])

        async def places_of(what: str, **wanted: object) -> list[tuple[str, str]]:
            found = await store.directive_page(stack, what, **wanted)  # type: ignore[arg-type]
            return [(one.path, one.what) for one in found]

        assert await places_of("signal/") == places[:4]
        assert await places_of("s") == places
        assert await places_of("signal/", limit=2) == places[:2]
        assert await places_of("signal/", limit=2, after=places[1]) == places[2:4]
        assert await places_of("signal/", path="a") == places[1:3]
        assert await places_of("signal/", path="a", after=places[1]) == places[2:3]
        assert await places_of("signal/", path="none") == await places_of("x") == []
        assert (await store.directive_page(stack, "size"))[0] == wishes[4]
