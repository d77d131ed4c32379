"""Which calls the installed `encord` package can make, read from its source.

The second generation is called as `api_client.METHOD(path, …)` (or as a `Request` with method and URL), the legacy
API as `querier.METHOD(Class, …)`, where the class names the query.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import encord

METHODS = {
    "get": "GET",
    "get_paged_iterator": "GET",
    "post": "POST",
    "put": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}
LEGACY = {
    "basic_getter": "GET",
    "get_multiple": "GET",
    "basic_setter": "POST",
    "post_multiple": "POST",
    "basic_put": "PUT",
    "put_multiple": "PUT",
    "basic_delete": "DELETE",
}
#: Stands for a part of a path that is only known when the call is made.
PART = "{}"
#: Parts of the package that speak to nobody, or that carry the calls of the others.
CARRIERS = ("http/v2/api_client.py", "http/querier.py")


@cache
def sources() -> list[tuple[ModuleType, ast.Module]]:
    root, found = Path(encord.__file__).parent, []
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        text = path.read_text()
        if name in CARRIERS or not any(word in text for word in ("api_client", "querier", "Request(")):
            continue
        module = "encord." + name.removesuffix(".py").replace("/", ".")
        found.append((importlib.import_module(module.removesuffix(".__init__")), ast.parse(text)))
    return found


def texts(node: ast.expr | None, module: ModuleType, function: ast.AST) -> list[str]:
    """What an expression may be as text: several where a variable is set in several places."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            whole = [""]
            for value in values:
                part = value.value if isinstance(value, ast.FormattedValue) else value
                here = texts(part, module, function) or [PART]
                whole = [before + text for before in whole for text in here]
            return whole
        case ast.Attribute(attr="_domain"):
            return [""]
        case ast.Name(id=name):
            found = getattr(module, name, None)
            if isinstance(found, str):
                return [found]
            out = []
            for inner in ast.walk(function):
                if isinstance(inner, ast.Assign) and any(getattr(t, "id", "") == name for t in inner.targets):
                    out += texts(inner.value, module, function)
            return out
    return []


def given(node: ast.expr | None, function: ast.AST) -> list[str]:
    """What a parameter is given wherever its function is called."""
    names = [a.arg for a in function.args.args]
    if not isinstance(node, ast.Name) or node.id not in names:
        return []
    name, place, out = node.id, names.index(node.id), []
    for module, tree in sources():
        for call, caller in calls(tree):
            if target(call)[1] == function.name:
                named = [k.value for k in call.keywords if k.arg == name]
                out += texts((named or call.args[place : place + 1] or [None])[0], module, caller)
    return out


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Each call with the function that it stands in."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    yield node, function


def argument(call: ast.Call, *names: str) -> ast.expr | None:
    named = [k.value for k in call.keywords if k.arg in names]
    return named[0] if named else (call.args[0] if call.args else None)


def target(call: ast.Call) -> tuple[str, str]:
    """The last name before the dot, and the one behind it."""
    if not isinstance(call.func, ast.Attribute):
        return "", call.func.id if isinstance(call.func, ast.Name) else ""
    value = call.func.value
    return getattr(value, "attr", getattr(value, "id", "")), call.func.attr


def second_generation() -> tuple[set[tuple[str, str]], list[str]]:
    """Method and path below `/v2/public` of each call; and where one stands that could not be read."""
    found, unread = set(), []
    for module, tree in sources():
        for call, function in calls(tree):
            owner, method = target(call)
            # Some modules call it `client` or `_client`, as they do other things that have a `get`.
            speaks = owner.endswith("api_client") or owner in ("client", "_client")
            if speaks and method in METHODS:
                path = argument(call, "path")
                methods, paths = [METHODS[method]], texts(path, module, function) or given(path, function)
            elif method == "Request" and any(k.arg == "url" for k in call.keywords):
                methods = [m.upper() for m in texts(argument(call, "method"), module, function)]
                paths = texts(argument(call, "url"), module, function)
            else:
                continue
            if not paths or not methods:
                unread.append(f"{module.__name__}:{call.lineno}")
            for path in paths:
                path = path.split("?")[0].removeprefix("/v2/public").strip("/")
                found.update((method, path) for method in methods)
    return found, unread


def legacy() -> set[tuple[str, str]]:
    """Method and query type of each legacy call."""
    found = set()
    for module, tree in sources():
        for call, _function in calls(tree):
            owner, method = target(call)
            if not owner.endswith("querier") or method not in LEGACY:
                continue
            named = argument(call, "query_type") if any(k.arg == "query_type" for k in call.keywords) else call.args[0]
            query = getattr(module, getattr(named, "id", ""), None)
            assert inspect.isclass(query), f"{module.__name__}:{call.lineno}: {ast.unparse(call)}"
            found.add((LEGACY[method], query.__name__.lower()))
    return found
