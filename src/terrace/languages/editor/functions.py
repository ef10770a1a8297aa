"""The functions of HOT, told to people: since which version of the language, and what each does."""

from __future__ import annotations

import msgspec

from terrace.languages.hot.expressions import _FUNCTIONS
from terrace.languages.hot.versions import LATER, VERSIONS


class FunctionHelp(msgspec.Struct, frozen=True):
    """One function. `since` is the version of the language from which on it may be used; `example` a value
    that uses it."""

    name: str
    since: str
    description: str
    example: str


def describe_functions() -> list[FunctionHelp]:
    """Every function that a template can use, in the order in which they came."""
    found = [FunctionHelp(name, since, *TEXTS[name]) for name, since in _since().items()]
    return sorted(found, key=lambda one: one.since)


def _since() -> dict[str, str]:
    """The functions that there are, each with the first version that has it."""
    return {name: LATER.get(name, VERSIONS[0]) for name in _FUNCTIONS}


TEXTS: dict[str, tuple[str, str]] = {
    "get_param": (
        "The value of a parameter, or what a path leads to in it. A path that leads nowhere gives an empty text.",
        "{get_param: [servers, 0, name]}",
    ),
    "get_resource": (
        "The reference of a resource: its id, name or key, as others need it. Makes this one wait for it.",
        "{get_resource: web}",
    ),
    "get_attr": (
        "An attribute of a resource, or what a path leads to in it. Makes this one wait for it.",
        "{get_attr: [web, first_address]}",
    ),
    "get_file": (
        "The content of a file beside the document. Files are sent along; nothing is fetched.",
        "{get_file: start.sh}",
    ),
    "str_replace": (
        "A text in which each key of params is replaced by its value, the longest key first.",
        "{str_replace: {template: http://HOST/, params: {HOST: {get_attr: [web, first_address]}}}}",
    ),
    "str_replace_strict": (
        "As str_replace; a key that the template does not hold is an error.",
        "{str_replace_strict: {template: http://HOST/, params: {HOST: {get_param: host}}}}",
    ),
    "str_replace_vstrict": (
        "As str_replace_strict; a value that is empty or nothing is an error too.",
        "{str_replace_vstrict: {template: http://HOST/, params: {HOST: {get_param: host}}}}",
    ),
    "list_join": (
        "The texts of a list (several lists from 2015-10-15 on) in one, with a text between them. Maps and lists "
        "become JSON.",
        "{list_join: [', ', [one, two]]}",
    ),
    "repeat": (
        "A list with one copy of template for each item of the lists in for_each; with several lists, for each "
        "combination of their items unless permutations is false.",
        "{repeat: {template: 'port-%p%', for_each: {'%p%': [80, 443]}}}",
    ),
    "digest": (
        "The digest of a text, in hexadecimal: md5, sha1, sha224, sha256, sha384 or sha512.",
        "{digest: [sha512, {get_param: seed}]}",
    ),
    "resource_facade": (
        "In a nested template: metadata, deletion_policy or update_policy of the resource that it stands for.",
        "{resource_facade: metadata}",
    ),
    "str_split": (
        "The parts of a text between a delimiter; with a number, only that part.",
        "{str_split: [',', 'a,b,c', 0]}",
    ),
    "map_merge": ("One map made of several; what comes later wins.", "{map_merge: [{a: 1}, {b: 2}]}"),
    "map_replace": (
        "A map with some of its keys, or some of its values, replaced.",
        "{map_replace: [{a: x}, {keys: {a: b}, values: {x: y}}]}",
    ),
    "yaql": (
        "The result of a YAQL expression over data, which it sees as $.data. Bounded in steps and size.",
        "{yaql: {expression: $.data.ports.max(), data: {ports: [80, 443]}}}",
    ),
    "if": (
        "The second part when the condition holds, else the third. Only the part that is taken is read. From "
        "2021-04-16 on the third may be left out: what holds the function is then left out too.",
        "{if: [big, m1.large, m1.small]}",
    ),
    "filter": ("A list without certain values.", "{filter: [[null, ''], {get_param: names}]}"),
    "make_url": (
        "A URL from scheme, username, password, host, port, path, query and fragment.",
        "{make_url: {scheme: http, host: {get_attr: [web, first_address]}, port: 80, path: /}}",
    ),
    "list_concat": ("Several lists in one.", "{list_concat: [[a], [b, c]]}"),
    "list_concat_unique": ("Several lists in one, each value once.", "{list_concat_unique: [[a], [a, b]]}"),
    "contains": ("Whether a value is in a list, map or text.", "{contains: [web, {get_param: roles}]}"),
    "equals": ("In conditions: whether two values are the same.", "{equals: [{get_param: size}, big]}"),
    "not": ("In conditions: whether one does not hold.", "{not: big}"),
    "and": ("In conditions: whether all of two or more hold.", "{and: [big, public]}"),
    "or": ("In conditions: whether any of two or more holds.", "{or: [big, public]}"),
    "Ref": ("Of CFN, in version 2013-05-23: a parameter's value or a resource's reference.", "{Ref: web}"),
    "Fn::GetAtt": ("Of CFN, in version 2013-05-23: get_attr without a path.", "{'Fn::GetAtt': [web, id]}"),
    "Fn::Select": (
        "Of CFN, in version 2013-05-23: one item of a list or map.",
        "{'Fn::Select': [0, [a, b]]}",
    ),
    "Fn::Join": ("Of CFN, in version 2013-05-23: list_join.", "{'Fn::Join': [',', [a, b]]}"),
    "Fn::Split": ("Of CFN, in version 2013-05-23: str_split.", "{'Fn::Split': [',', 'a,b']}"),
    "Fn::Replace": ("Of CFN, in version 2013-05-23: str_replace.", "{'Fn::Replace': [{a: b}, 'a text']}"),
    "Fn::Base64": (
        "Of CFN, in version 2013-05-23: the text itself; user data is not encoded.",
        "{'Fn::Base64': text}",
    ),
    "Fn::MemberListToMap": (
        "Of CFN, in version 2013-05-23: a map from a list of numbered members.",
        "{'Fn::MemberListToMap': [Name, Value, ['.member.0.Name=key', '.member.0.Value=x']]}",
    ),
    "Fn::ResourceFacade": (
        "Of CFN, in version 2013-05-23: resource_facade.",
        "{'Fn::ResourceFacade': Metadata}",
    ),
    "Fn::GetAZs": ("Of CFN, in version 2013-05-23: the zones there are.", "{'Fn::GetAZs': ''}"),
}
"""What each does, and an example. A function without an entry here fails the tests."""
