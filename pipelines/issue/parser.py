"""The Markdown parser of exports and of the desk: CommonMark with tables, strikethrough and emphasis beside CJK text.

CommonMark does not end emphasis between a full stop and a letter: `**重点。**下一句` shows its asterisks, because
Chinese sets no blank after 。 (commonmark/commonmark-spec#650). kramdown, which builds the site, shows it bold. This
parser follows the amendment that the thread proposes: a Chinese, Japanese or Korean character beside a delimiter counts
as a blank does.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml, isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from pipelines.text import UNSPACED

# "。", "量", "Ａ": CJK letters, CJK punctuation, full-width forms
_CJK: Final = re.compile(
    f"[{UNSPACED}\u1100-\u11ff\u2e80-\u303f\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)


@lru_cache(maxsize=4)
def make_parser(*, html: bool, pictures: bool = True) -> MarkdownIt:
    """Make the parser.

    Args:
        html: whether HTML in the Markdown is HTML; otherwise it is text.
        pictures: whether pictures are pictures; otherwise a picture is a link to it.
    """
    parser = MarkdownIt("commonmark", {"html": html}).enable(["table", "strikethrough"])
    parser.block.ruler.at("reference", _read_definition, {"alt": []})
    if not pictures:
        parser.add_render_rule("image", _link_picture)
    inline = _InlineParser()
    inline.ruler, inline.ruler2 = parser.inline.ruler, parser.inline.ruler2
    parser.inline = inline
    return parser


def _link_picture(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Write a picture as a link to it, named by its alternative text; inside a link, its name is the link's text."""
    picture = tokens[index]
    address = str(picture.attrs.get("src", ""))
    alternative = renderer.renderInlineAsText(picture.children or (), options, env)
    name = "🖼 " + escapeHtml(alternative.strip() or address.rpartition("/")[2] or address)
    depth = sum(token.nesting for token in tokens[:index] if token.type in ("link_open", "link_close"))
    return name if depth else f'<a href="{escapeHtml(address)}">{name}</a>'


def _read_definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read the definition of a link, but not a footnote: CommonMark would read it as a definition and hide its text."""
    footnote = state.src.startswith("[^", state.bMarks[start] + state.tShift[start])
    return not footnote and reference(state, start, end, silent)


class _InlineState(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - the parser's names
        scanned = super().scanDelims(start, canSplitWord)
        if not canSplitWord:  # an underscore
            return scanned
        previous = self.src[start - 1] if start else " "
        end = start + scanned.length
        following = self.src[end] if end < self.posMax else " "
        return Scanned(
            can_open=not isWhiteSpace(ord(following)) and (not _is_latin_mark(following) or _ends_word(previous)),
            can_close=not isWhiteSpace(ord(previous)) and (not _is_latin_mark(previous) or _ends_word(following)),
            length=scanned.length,
        )


def _is_latin_mark(character: str) -> bool:
    return (isMdAsciiPunct(ord(character)) or isPunctChar(character)) and not _CJK.match(character)


def _ends_word(character: str) -> bool:
    return bool(isWhiteSpace(ord(character)) or _is_latin_mark(character) or _CJK.match(character))


class _InlineParser(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: MutableMapping[str, Any], tokens: list[Token]) -> list[Token]:
        state = _InlineState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens
