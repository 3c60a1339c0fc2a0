"""Reference links: `[标题][1]` in an entry, and its address in a line `[1]: https://…` elsewhere in the file.

An entry moves between issues, feeds and pages by itself, so that its links become inline links when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pipelines.issue import inline
from pipelines.issue.escape import make_link
from pipelines.issue.lines import find_code_lines, fold_label

# "[1]", "[]": the label after the text
_LABEL: Final = re.compile(r"\[(?P<label>(?!\^)[^\[\]]{0,300})\]")


def resolve_links(markdown: str, definitions: Mapping[str, str]) -> str:
    """Write the reference links of a Markdown text as inline links. Code and unknown labels stay as they are.

    Args:
        markdown: of an entry, or a line.
        definitions: of the issue: `MarkdownLines.definitions`.

    >>> resolve_links("[甲 | 源][1]，[乙][]，[丙]", {"1": "https://e.org/1", "乙": "https://e.org/2"})
    '[甲 | 源](https://e.org/1)，[乙](https://e.org/2)，[丙]'
    """
    if not definitions or "[" not in markdown:
        return markdown
    lines = markdown.split("\n")
    code = find_code_lines(lines)
    blocks: list[tuple[bool, list[str]]] = []
    for number, line in enumerate(lines):
        if not blocks or blocks[-1][0] != (number in code):
            blocks.append((number in code, []))
        blocks[-1][1].append(line)
    return "\n".join(
        "\n".join(block) if is_code else _resolve_block("\n".join(block), definitions) for is_code, block in blocks
    )


def _resolve_block(markdown: str, definitions: Mapping[str, str]) -> str:
    pairs = dict(inline.find_brackets(markdown))
    inline_links = inline.find_links(markdown)
    pieces: list[str] = []
    position = 0
    for start, end in sorted(pairs.items()):
        if start < position or any(link.start <= start < link.end for link in inline_links):
            continue
        text = markdown[start + 1 : end]
        label = _LABEL.match(markdown, end + 1)
        name = fold_label(label["label"] or text if label else text)
        begins_line = not markdown[:start].rpartition("\n")[2].strip()
        if name not in definitions or (begins_line and markdown.startswith(":", end + 1)):
            continue
        pieces += [markdown[position:start], make_link(_resolve_block(text, definitions), definitions[name])]
        position = label.end() if label else end + 1
    return "".join((*pieces, markdown[position:]))
