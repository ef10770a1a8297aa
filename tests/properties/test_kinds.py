"""What holds for every kind, whatever is asked of it."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.kinds.asking import mask

from terrace.engine.form import form
from terrace.errors import SpecError
from terrace.kinds import KINDS, SCHEMAS, complete
from terrace.kinds.schema import Property, Type
from terrace.model.catalogue import FLAVORS, IMAGES, Catalogue
from terrace.model.codec import Codec
from terrace.model.decision import Effect
from terrace.model.graph import Blueprint, Graph, Node
from terrace.model.record import Record, State
from terrace.model.spec import SPECS
from terrace.model.value import UNKNOWN, Call, Ref, Secret, Unknown, holds, refs
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Composite, Wanted

ABLE = Capabilities(kinds=frozenset(KINDS), catalogue=Catalogue(dict(FLAVORS), dict(IMAGES)))
SINGLE = sorted(name for name, kind in KINDS.items() if not kind.composite)
WORDS = st.sampled_from(
    ["a", "b", "x:1", "10.0.0.1", "10.0.0.0/24", "/a", "m1.tiny", "always", "missing", "ssh-rsa AA"]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
SPECIAL = {
    "flavor": st.sampled_from(sorted(FLAVORS)),
    "public_key": st.just("ssh-rsa AAAA"),
    "keys": st.just(["ssh-rsa AAAA"]),
}


def fitting(prop: Property, name: str = "") -> st.SearchStrategy[Any]:
    """Values that (mostly) fit a property."""
    if name in SPECIAL:
        return SPECIAL[name]
    if prop.allowed:
        return st.sampled_from(prop.allowed)
    match prop.type:
        case Type.STRING if prop.secret:
            return WORDS | WORDS.map(Secret)
        case Type.STRING:
            return WORDS
        case Type.INTEGER | Type.SIZE | Type.DURATION | Type.NUMBER:
            return st.integers(int(prop.minimum or 0), 9)
        case Type.BOOLEAN:
            return st.booleans()
        case Type.LIST:
            return st.lists(fitting(prop.items) if prop.items else PLAIN, max_size=2)
        case Type.MAP if prop.properties:
            return table(prop.properties)
        case Type.MAP:
            return st.dictionaries(WORDS, fitting(prop.items) if prop.items else PLAIN, max_size=2)
        case _:
            return PLAIN


def table(properties: dict[str, Property]) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: fitting(prop, name) for name, prop in properties.items() if prop.required}
    optional = {name: fitting(prop, name) for name, prop in properties.items() if not prop.required}
    return st.fixed_dictionaries(required, optional=optional)


def wishes(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    schema = SCHEMAS[kind]
    return st.dictionaries(WORDS, PLAIN, max_size=3) if schema.open else table(schema.properties)


ASKED = st.sampled_from(SINGLE).flatmap(lambda kind: st.tuples(st.just(kind), wishes(kind)))


def want(kind: str, properties: dict[str, Any]) -> Wanted | None:
    """What is wanted; None when the properties do not fit."""
    node = Node(path="it", kind=kind, properties=properties)
    try:
        typed = KINDS[kind].spec(properties, node, ABLE)
    except SpecError:
        return None
    return Wanted(node=node, spec=typed, form=form(typed, mask))


@given(ASKED)
@settings(max_examples=300, deadline=None)
def test_what_was_applied_as_wanted_differs_in_nothing(asked: tuple[str, dict[str, Any]]) -> None:
    kind, properties = asked
    wish = want(kind, properties)
    if wish is not None:
        stored = Codec().decode(Codec().encode(wish.form), dict)
        for applied in (wish.form, stored):
            assert KINDS[kind].changes(wish, applied, None, ABLE).effect is Effect.NONE


@given(ASKED)
@settings(max_examples=200, deadline=None)
def test_a_form_leads_back_to_its_spec(asked: tuple[str, dict[str, Any]]) -> None:
    kind, properties = asked
    wish = want(kind, properties)
    if wish is not None and not holds(list(properties.values()), Secret):
        assert msgspec.convert(wish.form, SPECS[kind]) == wish.spec


@given(ASKED, st.data())
@settings(max_examples=200, deadline=None)
def test_a_plan_is_never_surprised(asked: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    """With one property unknown the kind still answers, and claims only what is known."""
    kind, properties = asked
    if not properties:
        return
    name = data.draw(st.sampled_from(sorted(properties)))
    wish = want(kind, {**properties, name: UNKNOWN})
    if wish is not None:
        assert not any(
            holds(msgspec.structs.astuple(one), Unknown) for one in KINDS[kind].claims(wish.spec, ABLE)
        )
        KINDS[kind].changes(wish, {}, None, ABLE)
        for attribute in SCHEMAS[kind].attributes:
            KINDS[kind].foretell(wish, (attribute,))


@given(st.sampled_from(SINGLE), st.dictionaries(st.text(max_size=5) | WORDS, PLAIN, max_size=4))
@settings(max_examples=200, deadline=None)
def test_nonsense_is_a_mistake_and_nothing_worse(kind: str, properties: dict[str, Any]) -> None:
    want(kind, properties)


@given(
    st.integers(0, 6),
    st.lists(st.integers(0, 8), unique=True),
    st.lists(st.integers(0, 8), max_size=3),
    st.randoms(use_true_random=False),
)
def test_a_group_does_not_care_in_which_order_its_members_are(
    count: int, present: list[int], removed: list[int], shuffled: Any
) -> None:
    group = cast("Composite", KINDS["Group"])
    properties = {"count": count, "removal_policies": [{"resource_list": removed}]}
    node = Node(path="g", kind="Group", properties={**properties, "resource_def": {"kind": "Value"}})
    wish = Wanted(node=node, spec=group.spec(properties, node, ABLE), form={})
    record = Record(path="g", kind="Group", uid="u")
    found = []
    for _ in range(2):
        children = {str(key): Child(str(key), State.READY) for key in present}
        found.append(group.expand(wish, None, record, children, 1.0))
        shuffled.shuffle(present)
    assert found[0] == found[1]
    keys = {int(child.path.rpartition("/")[2]) for child in found[0].children}
    assert len(keys) == count
    assert not keys & set(removed) & set(present)
    again = group.expand(wish, None, Record(path="g", kind="Group", uid="u", memory=found[0].memory), {}, 2.0)
    assert {child.path for child in again.children} == {child.path for child in found[0].children}


EXPRESSIONS = st.recursive(
    st.integers() | st.text(max_size=3) | st.sampled_from(["a", "b", "/top"]).map(Ref),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
        | inner.map(lambda one: Call("list_join", (one,)))
        | st.just(Call("input", ("p",)))
        | inner.map(lambda one: Ref("a", ("x", one)))
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from("pqr"), EXPRESSIONS, max_size=3))
def test_a_blueprint_in_its_place_names_only_what_is_there(properties: dict[str, Any]) -> None:
    nested = cast("Composite", KINDS["Nested"])
    blueprint = Blueprint(
        nodes=(Node(path="a", kind="Value", properties=properties), Node(path="b", kind="Value"))
    )
    wish = Wanted(node=Node(path="n/m", kind="Nested", blueprint="x"), spec={}, form={})
    found = nested.expand(wish, blueprint, Record(path="n/m", kind="Nested", uid="u"), {}, 1.0)
    assert refs(found.children[0].properties) <= {"n/m/a", "n/m/b", "top"}
    assert len(refs(found.children[0].properties)) == len(refs(properties))


@given(
    st.lists(st.sampled_from(["debian-12", "x:1", "a/b", "a+b"]), max_size=5),
    st.lists(EXPRESSIONS, max_size=3),
)
def test_completing_twice_is_completing_once(images: list[str], others: list[Any]) -> None:
    machines = [
        Node(path=f"m{at}", kind="Machine", properties={"image": image}) for at, image in enumerate(images)
    ]
    values = [Node(path=f"v{at}", kind="Value", properties={"value": one}) for at, one in enumerate(others)]
    once = complete(Graph(nodes=(*machines, *values)), lambda _: ABLE)
    assert complete(once, lambda _: ABLE) == once
    assert len([node for node in once.nodes if node.implied]) == len(set(images))
    assert refs([node.properties for node in once.nodes if node.kind == "Machine"]) <= {
        node.path for node in once.nodes
    }
