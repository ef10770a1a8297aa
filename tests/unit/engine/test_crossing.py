"""What a stack reads of others, and what it gives them."""

from __future__ import annotations

import re

from terrace.engine.stack.crossing import Exports, Imports
from terrace.model.graph import Found, Name, Use, owned_name
from terrace.model.value import UNKNOWN

ID = Name("p", "net", "id")
RANGE = Name("p", "net", "range")


def test_what_was_never_there_is_unknown_and_asked_for_once() -> None:
    imports = Imports()
    assert imports.read("r", ID) is UNKNOWN
    imports.settle("r", {ID})
    assert imports.asked == {ID}
    assert imports.arrive([Found(ID, why="not there")]) == {"r"}
    assert imports.asked == set()
    assert imports.read("r", ID) is UNKNOWN
    assert imports.asked == set()
    assert imports.why("r") == 'waiting for output "id" of stack "net": not there'
    assert imports.why("other") == ""


def test_only_those_who_read_it_look_again_and_only_when_it_changed() -> None:
    imports = Imports()
    imports.settle("a", {ID})
    imports.settle("b", {ID, RANGE})
    assert imports.arrive([Found(ID, (1,)), Found(RANGE, (2,))]) == {"a", "b"}
    assert imports.arrive([Found(ID, (1,)), Found(RANGE, (3,))]) == {"b"}
    assert imports.read("a", ID) == {"value": 1, "gone": ""}


def test_what_was_read_is_kept_for_its_reader_and_for_no_other() -> None:
    imports = Imports()
    imports.settle("a", {ID})
    imports.arrive([Found(ID, (None,))])
    assert imports.read("a", ID) == {"value": None, "gone": ""}
    imports.arrive([Found(ID, why="not there")])
    assert imports.read("a", ID) == {"value": None, "gone": 'output "id" of stack "net": not there'}
    assert imports.read("late", ID) is UNKNOWN
    assert imports.uses() == (Use("a", ID, (None,)),)


def test_it_comes_back_from_what_is_stored() -> None:
    imports = Imports()
    imports.restore([Use("a", ID, (1,)), Use("b", RANGE)])
    assert not imports.changed
    assert imports.read("a", ID) == {"value": 1, "gone": ""}
    assert imports.asked == {ID}
    assert imports.uses() == (Use("a", ID, (1,)), Use("b", RANGE))


def test_what_nobody_reads_any_more_is_forgotten() -> None:
    imports = Imports()
    imports.settle("a", {ID, RANGE})
    imports.changed = False
    imports.settle("a", {ID, RANGE})
    assert not imports.changed
    imports.settle("a", {RANGE})
    assert imports.changed
    assert set(imports.readers) == {RANGE}
    imports.settle("a", ())
    assert imports.uses() == ()
    assert imports.by_path == {}


def test_only_what_may_have_changed_is_worked_out() -> None:
    exports = Exports()
    exports.desire({"a": 1, "b": 2, "c": 3}, {"a": {"web"}, "b": {"group"}, "c": set()})
    assert exports.take() == {"a": 1, "b": 2, "c": 3}
    assert exports.take() == {}
    exports.touch("group/0/disk")
    assert exports.take() == {"b": 2}
    exports.touch("web-2")
    assert exports.take() == {}


def test_what_is_not_known_for_the_moment_stays_and_what_is_not_wanted_goes() -> None:
    exports = Exports()
    exports.desire({"a": 1, "b": 2}, {})
    assert exports.learn({"a": 1}) == {"a": 1}
    assert exports.learn({}) is None
    assert exports.learn({"a": 1, "b": 2}) == {"a": 1, "b": 2}
    exports.desire({"b": 2}, {})
    assert exports.learn({}) == {"b": 2}
    exports.fresh = True
    assert exports.learn({}) == {"b": 2}
    assert exports.learn({}) is None


def test_the_name_of_an_owned_stack_is_one_that_a_stack_can_have() -> None:
    uid = "0123456789abcdefghij"
    for path in ("own", "group/0", "shop/db", "0", "_x", "image:debian-12", "ü", "a" * 400):
        assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}", owned_name(path, uid)), path
    assert owned_name("group/0", uid) == "group-0-0123456789ab"
    assert owned_name("own", uid) != owned_name("own", uid[::-1])
