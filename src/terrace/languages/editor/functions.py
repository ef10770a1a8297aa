"""The functions of HOT, told to people: since which version of the language, where they may stand, what each
does, and an example."""

from __future__ import annotations

import msgspec

from terrace.languages.hot.functions.table import FUNCTIONS


class FunctionHelp(msgspec.Struct, frozen=True):
    """One function. `since` and `until` are the first and the last version of the language that has it ("": it
    still does), `where` it may stand: in values, in conditions; `instead` what to write where it is gone;
    `example` a value that uses it."""

    name: str
    since: str
    description: str
    example: str
    where: tuple[str, ...] = ()
    until: str = ""
    instead: str = ""


def describe_functions() -> list[FunctionHelp]:
    """Every function that a template can use, in the order in which they came."""
    found = [
        FunctionHelp(
            one.name,
            one.since,
            one.line,
            EXAMPLES[one.name],
            tuple(str(place) for place in one.places),
            one.until,
            one.instead,
        )
        for one in FUNCTIONS.values()
    ]
    return sorted(found, key=lambda one: one.since)


EXAMPLES: dict[str, str] = {
    "get_param": "{get_param: [servers, 0, name]}",
    "get_resource": "{get_resource: web}",
    "get_attr": "{get_attr: [web, first_address]}",
    "get_file": "{get_file: start.sh}",
    "str_replace": (
        "{str_replace: {template: http://HOST/, params: {HOST: {get_attr: [web, first_address]}}}}"
    ),
    "str_replace_strict": (
        "{str_replace_strict: {template: http://HOST/, params: {HOST: {get_param: host}}}}"
    ),
    "str_replace_vstrict": (
        "{str_replace_vstrict: {template: http://HOST/, params: {HOST: {get_param: host}}}}"
    ),
    "list_join": "{list_join: [', ', [one, two]]}",
    "repeat": "{repeat: {template: 'port-%p%', for_each: {'%p%': [80, 443]}}}",
    "digest": "{digest: [sha512, {get_param: seed}]}",
    "resource_facade": "{resource_facade: metadata}",
    "str_split": "{str_split: [',', 'a,b,c', 0]}",
    "map_merge": "{map_merge: [{a: 1}, {b: 2}]}",
    "map_replace": "{map_replace: [{a: x}, {keys: {a: b}, values: {x: y}}]}",
    "yaql": "{yaql: {expression: $.data.ports.max(), data: {ports: [80, 443]}}}",
    "if": "{if: [big, m1.large, m1.small]}",
    "filter": "{filter: [[null, ''], {get_param: names}]}",
    "make_url": "{make_url: {scheme: http, host: {get_attr: [web, first_address]}, port: 80, path: /}}",
    "list_concat": "{list_concat: [[a], [b, c]]}",
    "list_concat_unique": "{list_concat_unique: [[a], [a, b]]}",
    "contains": "{contains: [web, {get_param: roles}]}",
    "equals": "{equals: [{get_param: size}, big]}",
    "not": "{not: big}",
    "and": "{and: [big, public]}",
    "or": "{or: [big, public]}",
    "Ref": "{Ref: web}",
    "Fn::GetAtt": "{'Fn::GetAtt': [web, id]}",
    "Fn::Select": "{'Fn::Select': [0, [a, b]]}",
    "Fn::Join": "{'Fn::Join': [',', [a, b]]}",
    "Fn::Split": "{'Fn::Split': [',', 'a,b']}",
    "Fn::Replace": "{'Fn::Replace': [{a: b}, 'a text']}",
    "Fn::Base64": "{'Fn::Base64': text}",
    "Fn::MemberListToMap": (
        "{'Fn::MemberListToMap': [Name, Value, ['.member.0.Name=key', '.member.0.Value=x']]}"
    ),
    "Fn::ResourceFacade": "{'Fn::ResourceFacade': Metadata}",
    "Fn::GetAZs": "{'Fn::GetAZs': ''}",
}
"""Of each function. One without an example fails the tests."""
