"""The bytes of a past issue's file -> text, and a line for each thing in them that is damaged."""

from __future__ import annotations

import re
from typing import Final

from pipelines.issue import inline
from pipelines.issue.lines import ITEM

MAX_BYTES: Final = 4 * 2**20
MAX_BAD_SEQUENCES: Final = 20
"""Byte sequences that are not UTF-8; a file with more of them is no UTF-8 text."""

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# "- [一个很长的标题](https://mp.weixin.qq.com/s/GFE", "- [一个很长的标"
_TORN_LINK: Final = re.compile(r"\[[^\]]*$|\]\([^)]*$")


class NotAnIssue(Exception):
    """The file is no past issue; the message names the file and says what is expected of one."""


def decode_issue(data: bytes, name: str) -> tuple[str, list[str]]:
    """Decode the file of a past issue.

    Args:
        data: UTF-8, with or without a byte order mark, any line ends.
        name: of the file, for messages.

    Returns:
        The text, its lines ended by `\\n`; and a message for each damage.

    Raises:
        NotAnIssue: the file is too long, or no UTF-8 text.
    """
    if len(data) > MAX_BYTES:
        raise NotAnIssue(f"{name}：有 {len(data)} 字节，超过 {MAX_BYTES} 字节，不像一期简报")
    text, damage = _replace_bad_sequences(data, name)
    text, control_count = _CONTROLS.subn("", text)
    if control_count:
        damage.append(f"去掉了 {control_count} 个控制字符")
    whole, torn_lines = _remove_torn_line(text)
    return whole, [*damage, *torn_lines]


def _replace_bad_sequences(data: bytes, name: str) -> tuple[str, list[str]]:
    pieces: list[str] = []
    damage: list[str] = []
    start = 0
    while start < len(data):
        try:
            pieces.append(data[start:].decode())
            break
        except UnicodeDecodeError as error:
            bad, end = start + error.start, start + error.end
            pieces.append(data[start:bad].decode())
            if error.reason == "unexpected end of data":
                damage.append(f"文件在第 {bad} 字节处断在一个字的中间，之后的内容已丢失")
                break
            damage.append(f"第 {bad} 字节不是 UTF-8，换成了 \ufffd")
            pieces.append("\ufffd")
            start = end
        if len(damage) > MAX_BAD_SEQUENCES:
            raise NotAnIssue(f"{name}：不是 UTF-8 文本；请先转换编码")
    return "".join(pieces).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), damage


def _remove_torn_line(text: str) -> tuple[str, list[str]]:
    """Remove a last line that is an item cut off inside its link: its address is lost."""
    whole, _, last_line = text.rpartition("\n")
    if not ITEM.match(last_line) or inline.find_links(last_line) or not _TORN_LINK.search(last_line):
        return text, []
    return whole, [f"末行的条目不完整，没有读入：{last_line[:60]}"]
