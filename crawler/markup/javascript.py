"""Values that a page's scripts assign, read without running them: strings, and objects and arrays of strings.

Every pattern here consumes its input, also a string that never ends, so that no input takes quadratic time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

JsValue: TypeAlias = "str | dict[str, JsValue] | list[JsValue]"

STRING: Final = r"""'[^'\\]*+(?:\\.[^'\\]*+)*+'?|"[^"\\]*+(?:\\.[^"\\]*+)*+"?"""
"""Pattern of a string literal, to be used with DOTALL; its closing quote is missing where the page was cut short."""

_LITERAL: Final = re.compile(rf"getXmlValue\([^)]{{0,80}}\)|({STRING})", re.DOTALL)
_TOKEN: Final = re.compile(
    rf"(?P<key>[A-Za-z_$][\w$]*+\s*+:)|[A-Za-z_$][\w$]*+|(?P<string>{STRING})|[{{}}\[\]]", re.DOTALL
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_USUAL: Final = (
    (r"\x0a", "\n"),
    (r"\x0d", "\r"),
    (r"\x22", '"'),
    (r"\x26", "&"),
    (r"\x27", "'"),
    (r"\x3c", "<"),
    (r"\x3e", ">"),
)
"""Escapes that servers write to keep HTML safe inside a script; replaced one after the other, three times as fast."""


def read_literal(source: str) -> JsValue:
    """Read an object or array literal, also one cut short, as far as it is made of strings; the rest is left out.

    A call such as `decode('…')` and an expression such as `'1' * 1` are the string in them. Of a key given twice, the
    first value that is not empty stands.

    Args:
        source: begins with the literal; the text after the literal is not read.

    >>> read_literal("{a: decode('x\\\\x0ay'), b: [{c: '1' * 1}, {c: '2'}], d: true}; {")
    {'a': 'x\\ny', 'b': [{'c': '1'}, {'c': '2'}]}
    """
    outermost: list[JsValue] = []
    open_values: list[dict[str, JsValue] | list[JsValue]] = [outermost]
    keys = [""]
    for token in _TOKEN.finditer(source):
        if token["key"]:
            keys[-1] = token["key"][:-1].rstrip()
        elif token["string"]:
            _put(open_values[-1], keys[-1], unquote(token["string"]))
        elif token[0] in "{[":
            literal: dict[str, JsValue] | list[JsValue] = {} if token[0] == "{" else []
            _put(open_values[-1], keys[-1], literal)
            open_values.append(literal)
            keys.append("")
        elif token[0] in "}]":
            open_values.pop()
            keys.pop()
            if len(open_values) <= 1:
                break
    return outermost[0] if outermost else {}


def strings(expression: str) -> Iterator[str]:
    """The strings of an expression in turn, without the names that it looks up in an XML island.

    >>> list(strings("(xml ? getXmlValue('a.DATA') : 'b').html(false) || \\"c\\";"))
    ['b', 'c']
    """
    for literal in _LITERAL.finditer(expression):
        if literal[1]:
            yield unquote(literal[1])


def unquote(literal: str) -> str:
    r"""The text of a string literal; empty where the page was cut short before its closing quote.

    >>> unquote(r"'\x3cb\x3e \u6a21\u578b \'7\' \/'")
    "<b> 模型 '7' /"
    """
    if len(literal) < 2 or literal[-1] != literal[0]:
        return ""
    text = literal[1:-1]
    if "\\" not in text:
        return text
    if "\\\\" not in text:
        for written, meant in _USUAL:
            text = text.replace(written, meant)
        if text.count("\\") == text.count(r"\x5c"):
            return text.replace(r"\x5c", "\\")
    text = _ESCAPE.sub(_character, text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _put(parent: dict[str, JsValue] | list[JsValue], key: str, literal: JsValue) -> None:
    if isinstance(parent, list):
        parent.append(literal)
    elif key and not parent.get(key):
        parent[key] = literal


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else _CONTROLS.get(escape[3], escape[3])
