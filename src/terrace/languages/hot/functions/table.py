"""FUNCTIONS: every function of HOT, in which versions it is one, where it may stand and what it gives."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

import msgspec

from terrace.languages.hot import versions
from terrace.languages.hot.expressions import Function, Vocabulary
from terrace.languages.hot.functions import cfn, collections, logic, references, texts


class Where(StrEnum):
    """Where a function may stand: in the values of properties, metadata and outputs, or in conditions."""

    VALUES = "values"
    CONDITIONS = "conditions"


class Entry(msgspec.Struct, frozen=True):
    """A function. `since` is the first version of HOT that has it, `until` the last ("": it still does).
    `conditions` is the first in which it may stand in conditions ("": never), `values` whether it may stand in
    values. `instead` says what to write where it is gone."""

    name: str
    compile: Function
    since: str
    line: str
    until: str = ""
    values: bool = True
    conditions: str = ""
    instead: str = ""

    @property
    def places(self) -> tuple[Where, ...]:
        """Where it may stand, in the newest version that has it."""
        places = (Where.VALUES,) if self.values else ()
        return (*places, Where.CONDITIONS) if self.conditions else places

    def spans(self, version: str) -> bool:
        """Whether it is a function of that version."""
        return self.since <= version and (not self.until or version <= self.until)


def _cfn(name: str, compile_: Function, line: str, instead: str, until: str = versions.ICEHOUSE) -> Entry:
    return Entry(name, compile_, versions.ICEHOUSE, line, until=until, instead=instead)


def _condition(name: str, compile_: Function, line: str) -> Entry:
    return Entry(name, compile_, versions.NEWTON, line, values=False, conditions=versions.NEWTON)


_ALL = (
    Entry(
        "get_param",
        references.get_param,
        versions.ICEHOUSE,
        "The value of a parameter, or a part of it.",
        conditions=versions.NEWTON,
    ),
    Entry("get_resource", references.get_resource, versions.ICEHOUSE, "The reference id of a resource."),
    Entry(
        "get_attr",
        references.get_attr,
        versions.ICEHOUSE,
        "An attribute of a resource, or a part of it; from 2015-10-15 on also all attributes.",
    ),
    Entry("get_file", references.get_file, versions.ICEHOUSE, "The content of a file beside the template."),
    Entry(
        "str_replace",
        texts.str_replace,
        versions.ICEHOUSE,
        "A text with each key replaced by its value, the longest key first.",
    ),
    Entry(
        "list_join",
        texts.list_join,
        versions.ICEHOUSE,
        "The items of a list, from 2015-10-15 on of several, as one text with a delimiter.",
    ),
    Entry(
        "resource_facade",
        references.resource_facade,
        versions.ICEHOUSE,
        "In a nested template: metadata, deletion_policy or update_policy of the resource around it.",
    ),
    Entry(
        "repeat",
        collections.repeat,
        versions.KILO,
        "A template once for each combination of the items of lists, the last variable fastest.",
    ),
    Entry("digest", texts.digest, versions.KILO, "The digest of a text: md5, sha1, sha224 to sha512."),
    Entry(
        "str_split", texts.str_split, versions.LIBERTY, "The parts of a text at a delimiter, or one of them."
    ),
    Entry("map_merge", collections.map_merge, versions.MITAKA, "Several maps as one; the later value wins."),
    Entry(
        "map_replace",
        collections.map_replace,
        versions.NEWTON,
        "A map with keys and values replaced; two keys that would become one are an error.",
    ),
    Entry(
        "yaql",
        texts.yaql,
        versions.NEWTON,
        "What a yaql expression makes of data, whose root is $.data; 200 iterations and 10,000 bytes at most, no clock"
        " and no chance.",
        conditions=versions.PIKE,
    ),
    Entry(
        "if",
        logic.choose,
        versions.NEWTON,
        "One of two values, by a condition; from 2021-04-16 on without the second: nothing at all.",
    ),
    Entry("filter", collections.remove, versions.OCATA, "A list without some values."),
    Entry(
        "str_replace_strict",
        texts.str_replace_strict,
        versions.OCATA,
        "str_replace where every key must be found in the text.",
    ),
    Entry(
        "str_replace_vstrict",
        texts.str_replace_vstrict,
        versions.PIKE,
        "str_replace_strict where no value may be empty.",
    ),
    Entry("make_url", texts.make_url, versions.PIKE, "A URL from its parts, each quoted as it must be."),
    Entry("list_concat", collections.list_concat, versions.PIKE, "Several lists as one."),
    Entry(
        "list_concat_unique",
        collections.list_concat_unique,
        versions.PIKE,
        "Several lists as one, each item once.",
    ),
    Entry(
        "contains",
        collections.contains,
        versions.PIKE,
        "Whether a value is in a list, or a text in a text.",
        conditions=versions.PIKE,
    ),
    _condition("equals", logic.equals, "Whether two values are the same."),
    _condition("not", logic.negated, "Whether a condition does not hold."),
    _condition("and", logic.conjunction, "Whether all of at least two conditions hold."),
    _condition("or", logic.disjunction, "Whether at least one of two or more conditions holds."),
    _cfn(
        "Ref", cfn.ref, "A parameter, or the reference id of a resource.", "write get_param or get_resource"
    ),
    _cfn("Fn::GetAtt", cfn.get_att, "An attribute of a resource.", "write get_attr"),
    _cfn(
        "Fn::Select",
        cfn.select,
        "An item of a list or map.",
        "write the path into get_param or get_attr",
        until=versions.KILO,
    ),
    _cfn("Fn::Join", cfn.join, "The items of a list as one text.", "write list_join"),
    _cfn("Fn::Split", cfn.split, "The parts of a text.", "write str_split"),
    _cfn("Fn::Replace", cfn.replace, "A text with keys replaced by values.", "write str_replace"),
    _cfn("Fn::Base64", cfn.base64, "The text itself: it is encoded where it is needed.", "leave it out"),
    _cfn(
        "Fn::MemberListToMap",
        cfn.member_list_to_map,
        "The map that a list of numbered members stands for.",
        "write the map",
    ),
    _cfn(
        "Fn::ResourceFacade",
        cfn.resource_facade,
        "In a nested template: Metadata, DeletionPolicy or UpdatePolicy of the resource around it.",
        "write resource_facade",
    ),
    _cfn("Fn::GetAZs", cfn.get_azs, "The availability zones: there is one, nova.", "write a list of zones"),
)

FUNCTIONS: dict[str, Entry] = {entry.name: entry for entry in _ALL}


@cache
def vocabulary(version: str) -> Vocabulary:
    """The functions of one version."""
    here = [entry for entry in _ALL if entry.spans(version)]
    return Vocabulary(
        values={entry.name: entry.compile for entry in here if entry.values},
        conditions={
            entry.name: entry.compile for entry in here if entry.conditions and entry.conditions <= version
        },
        retired={entry.name: entry.instead for entry in _ALL if entry.until and entry.until < version},
        later={entry.name: entry.since for entry in _ALL if entry.since > version},
    )
