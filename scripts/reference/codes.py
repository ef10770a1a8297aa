"""Finds every error code that the source can raise, and who raises it: for docs/reference/errors.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CODE = re.compile(r"[a-z]+(-[a-z]+)*")
Positions = dict[str, set[int]]


@dataclass
class Found:
    """One code: the names it was given to (error classes, or functions that note a mistake), and the modules."""

    callers: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)


@cache
def scan(folder: Path) -> dict[str, Found]:
    """All codes below `folder`. One that is partly worked out has a * in it."""
    trees = {
        path.relative_to(folder).as_posix(): ast.parse(path.read_bytes()) for path in folder.rglob("*.py")
    }
    everywhere = _takers(trees.values(), private=False)
    found: dict[str, Found] = {}
    for module, tree in sorted(trees.items()):
        tables = _tables(tree)
        takers = everywhere | _takers([tree], private=True)
        for caller, expression in _expressions(tree, takers):
            for code in _codes(expression, tables):
                entry = found.setdefault(code, Found())
                entry.callers.add(caller)
                entry.modules.add(module)
    return found


def _takers(trees: Iterable[ast.Module], *, private: bool) -> Positions:
    """By name of a function or class: at which places it takes a code."""
    found: Positions = {}
    for tree in trees:
        for node in ast.walk(tree):
            if str(getattr(node, "name", "")).startswith("_") is not private:
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args) if arg.arg != "self"]
                if "code" in names:
                    found.setdefault(node.name, set()).add(names.index("code"))
            elif isinstance(node, ast.ClassDef):
                fields = [
                    name for one in node.body if isinstance(one, ast.AnnAssign) for name in _targets(one)
                ]
                if "code" in fields:
                    found.setdefault(node.name, set()).add(fields.index("code"))
    return found


def _tables(tree: ast.Module) -> dict[str, ast.Dict]:
    """The dictionaries of a module, by name."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _expressions(tree: ast.Module, takers: Positions) -> Iterator[tuple[str, ast.expr]]:
    """Every expression that stands where a code does, with the name it is given to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield from ((name, one.value) for one in node.keywords if one.arg == "code")
            yield from ((name, node.args[place]) for place in takers.get(name, ()) if place < len(node.args))
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.Assign | ast.AnnAssign) and one.value and "code" in _targets(one):
                    yield node.name, one.value
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _inside(node)


def _inside(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Defaults of a parameter called code, and what a variable of that name is set to."""
    both = (*node.args.posonlyargs, *node.args.args)
    pairs = [*zip(reversed(both), reversed(node.args.defaults), strict=False)]
    pairs += [
        (arg, value) for arg, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if value
    ]
    yield from ((node.name, value) for arg, value in pairs if arg.arg == "code")
    for one in ast.walk(node):
        if isinstance(one, ast.Assign) and "code" in _targets(one):
            target = one.targets[0]
            if isinstance(target, ast.Tuple) and isinstance(one.value, ast.Tuple):
                names = [getattr(part, "id", "") for part in target.elts]
                yield node.name, one.value.elts[names.index("code")]
            else:
                yield node.name, one.value


def _targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    parts = [part for one in targets for part in (one.elts if isinstance(one, ast.Tuple) else [one])]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _codes(node: ast.expr, tables: dict[str, ast.Dict]) -> Iterator[str]:
    """The codes that an expression can be."""
    match node:
        case ast.Constant(value=str(text)) if CODE.fullmatch(text):
            yield text
        case ast.JoinedStr(values=parts):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
            if re.fullmatch(r"[a-z-]+\*", text):
                yield text
        case ast.IfExp(body=first, orelse=second):
            yield from _codes(first, tables)
            yield from _codes(second, tables)
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from _codes(part, tables)
        case ast.Subscript(value=ast.Name(id=name)) if name in tables:
            for value in tables[name].values:
                yield from _codes(value, tables)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=args) if name in tables:
            for value in (*tables[name].values, *args[1:]):
                yield from _codes(value, tables)
