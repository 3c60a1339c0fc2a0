"""Reads an entry of an issue from the editor's Markdown, and rewrites its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import Final

from pipelines.issue import inline
from pipelines.issue.entry_cut import CutEntry, find_beside_title, find_text_start, find_title_end
from pipelines.issue.entry_form import write_summary
from pipelines.issue.escape import clean_line, escape_markdown, make_autolink, make_link
from pipelines.issue.lines import find_code_lines, is_definition, remove_comments
from pipelines.issue.rewording import reword_line, reword_lines
from pipelines.issue.shapes import is_address_alone
from pipelines.model import StoryLink
from pipelines.newsletter import Newsletter

LABEL_CHARACTERS: Final = 20
"""A longer run of text before a colon is a sentence, not a label."""

LABELLED_CHARACTERS: Final = 300
"""A longer text after a label is a paragraph that happens to begin with the label's word."""

SOURCE_CHARACTERS: Final = 40
"""A longer text behind a title is no name."""

_SENTENCE_MARKS: Final = "。！？!?"

PREFIX_CHARACTERS: Final = 40
"""A longer text in brackets is no prefix."""

_MOST_PREFIXES: Final = 4
_MOST_WRAPPED_LINES: Final = 3

# "Tencent/ncnn：高性能推理框架"
_REPOSITORY: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})\s*(?:[:：]\s*|$)")
# "- **", "1. "
_BULLET: Final = r"\s*(?:[-*+]\s+|\d{1,3}[.)]\s+)?\**"
# "<https://github.com/Tencent/ncnn>", "[ncnn](https://github.com/Tencent/ncnn)"
_ADDRESS: Final = r"(?:<?https?://[^\s<>]+>?|\[[^\[\]]*\]\([^\s()]+\))"
# "项目主页：https://github.com/Tencent/ncnn。"
_ADDRESS_LINE: Final = re.compile(
    rf"{_BULLET}(?P<label>[^\s:：，。；;][^:：，。；;]{{0,{LABEL_CHARACTERS - 1}}})[:：]"
    rf"\s*(?P<text>{_ADDRESS})[\s，。；;]{{0,9}}"
)
# "  > "
_QUOTE: Final = re.compile(r"^\s*>[>\s]*")
# "```sh"
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
# "[CVPR] 标题](https://arxiv.org/abs/2006.16669", "[标题] (https://e.org)", "【标题】（https://e.org）", "[标题](https://e.org）"
_BROKEN_LINK: Final = re.compile(
    r"[\]】］]\s{0,9}[(（]\s{0,9}(?P<url>https?://[^\s()（）]+(?:\([^\s()（）]*\)[^\s()（）]*)*)[)）]?"
)
_OPENING_BRACKETS: Final = "([{（［【「『《<“"
_CLOSING_BRACKETS: Final = ")]}）］】」』》>”"
# "论文：" before the link of the first line
_LEAD: Final = re.compile(r"[\s*\[]*(?P<label>[^\s:：]{0,12}[:：])?\s*")
# "a | b", but not "a \| b"
_BARE_PIPE: Final = re.compile(r"(?<!\\)\|")
# "：摘要", " — 摘要", " | 摘要 |"
_BEHIND_TITLE: Final = re.compile(r"[\s*]*[：:—–|-]")
# "🔥 ", "1️⃣ "
_MARKS_BEFORE_WORDS: Final = re.compile(r"(?:[^\w\s*\[<`\\]|\d\ufe0f?\u20e3)[^\w\[*<`\\]*")
_LOOKALIKES: Final = {"|": r"|&\#124;|(?<!\\)[｜│┃]|丨(?=\s)|(?<=\s)丨"}
"""Further forms of a separator: a character reference, other bars, U+4E28 with a blank beside it."""


@dataclass(frozen=True, slots=True)
class LabelLine:
    """A line such as `代码：https://github.com/…` or `标题：Pruning from Scratch`.

    Args:
        label: the text before the colon.
        text: the text after the colon, without marks.
        url: the first address of the text.
    """

    label: str
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class EntryView:
    """The parts of an entry.

    Args:
        title: without prefixes, repository, source and marks.
        prefixes: the texts in brackets before the title: `CVPR2020`, `2006.16669`.
        repository: the `owner/repo` before the title.
        source: the text after the last separator: `机器之心`.
        url: the address that the title links.
        links: further links of the first line.
        labels: label lines.
        summary: all other lines, without marks and without the summary word.
        urls: every address of the entry, first the title's.
    """

    title: str
    prefixes: tuple[str, ...] = ()
    repository: str | None = None
    source: str | None = None
    url: str | None = None
    links: tuple[StoryLink, ...] = ()
    labels: tuple[LabelLine, ...] = ()
    summary: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def full_title(self) -> str:
        """The title as a reader sees it: with the repository before it, without prefixes and source."""
        return ": ".join(dict.fromkeys(filter(None, (self.repository, self.title))))


def read_entry(markdown: str, newsletter: Newsletter) -> EntryView:
    """Read an entry.

    Args:
        markdown: the text of `Entry.markdown`.
        newsletter: its label words and its separator.
    """
    return _read_entry(markdown, _LabelWords(newsletter))


class _LabelWords:
    """A newsletter, equal to any other with the same labels and sources: no other setting tells of an entry."""

    def __init__(self, newsletter: Newsletter) -> None:
        self.newsletter = newsletter
        self._key = (newsletter.labels, newsletter.source_forms)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, compared: object) -> bool:
        return isinstance(compared, _LabelWords) and compared._key == self._key


@lru_cache(maxsize=2048)  # lint, the issue's page and its export read the same entries several times each
def _read_entry(markdown: str, label_words: _LabelWords) -> EntryView:
    newsletter = label_words.newsletter
    first_line, lines = split_first_line(_remove_hidden(remove_machine_line(markdown, newsletter)))
    prefixes, unprefixed = split_prefixes(first_line)
    head = _read_head(unprefixed)
    if count := _count_address_lines(first_line, lines):
        head, lines = replace(head, url=lines[0].strip(" \t<>")), lines[count:]
    title, source = _split_source(head.title, newsletter.labels.source_separator.strip())
    if source is None and (source := _read_source_behind(head.remark, newsletter.labels.source_separator.strip())):
        head = replace(head, remark="")
    if source is None:
        source, remark = _split_formed_source(head.remark, newsletter.source_forms)
        head = replace(head, remark=remark)
    repository = _REPOSITORY.match(title)
    label_lines = {line: read_label_line(line, newsletter) for line in lines}
    paragraphs = [_read_paragraph(line, newsletter.labels.summary) for line in lines if label_lines[line] is None]
    return EntryView(
        title=(title[repository.end() :] or repository["name"]) if repository else title,
        prefixes=(*prefixes, *head.prefixes),
        repository=repository["name"] if repository else None,
        source=source,
        url=head.url,
        links=head.links,
        labels=tuple(filter(None, (label_lines[line] for line in lines))),
        summary=tuple(filter(None, (head.remark, *paragraphs))),
        urls=tuple(dict.fromkeys(filter(None, (head.url, *inline.find_urls(_remove_hidden(markdown)))))),
    )


def _remove_hidden(markdown: str) -> str:
    """Remove the parts of an entry that no page shows: comments, and the definitions of links."""
    visible = remove_comments(markdown)
    if "]:" not in visible:
        return visible
    lines = visible.split("\n")
    code = find_code_lines(lines)
    return "\n".join(line for number, line in enumerate(lines) if number in code or not is_definition(line))


def split_first_line(markdown: str) -> tuple[str, list[str]]:
    """Split an entry into its first line and all other lines. A link that is wrapped over lines is in the first line.

    >>> split_first_line("[很长的\\n标题](https://e.org/1)\\n摘要：甲")
    ('[很长的 标题](https://e.org/1)', ['摘要：甲'])
    """
    lines = markdown.lstrip("\n").split("\n")
    for count in range(2, min(len(lines), _MOST_WRAPPED_LINES) + 1):
        if "[" not in lines[0] or inline.find_links(lines[0]):
            break
        joined = " ".join(map(str.strip, lines[:count]))
        if any(link.start < len(lines[0].strip()) for link in inline.find_links(joined)):
            return joined, lines[count:]
    return lines[0], lines[1:]


def _count_address_lines(first_line: str, lines: Sequence[str]) -> int:
    """Count the lines below a title without a link that are nothing but an address: the title's, and further ones."""
    return 0 if inline.find_urls(first_line) else sum(1 for _ in takewhile(is_address_alone, lines))


# ---- Title and summary, as the desk shows and rewrites them


def read_title(markdown: str, newsletter: Newsletter) -> str:
    """Read an entry's title as a reader sees it: with the repository before it, without prefixes and source."""
    return read_entry(markdown, newsletter).full_title


def read_summary(markdown: str, newsletter: Newsletter) -> str:
    """Read an entry's summary as a reader sees it, a paragraph a line."""
    lines = _remove_hidden(markdown).split("\n")
    if newsletter.labels.summary:
        _, summary_lines, _ = _split_at_summary(lines, newsletter)
    else:
        cut_entry = _find_unlabelled_summary("\n".join(lines), newsletter)
        summary_lines = list(cut_entry.lines) if cut_entry else []
    return "\n".join(filter(None, (_read_paragraph(line, newsletter.labels.summary) for line in summary_lines)))


def reword_entry(markdown: str, newsletter: Newsletter, *, title: str, summary: str, section: str = "") -> str:
    """Give an entry another title and another summary. A part whose text is equal already stays as it is.

    Args:
        markdown: of the entry.
        newsletter: its label words and its separator.
        title: plain text; an empty one changes nothing.
        summary: plain text, a paragraph a line.
        section: that the entry stands in; it gives the form of a summary that the entry does not have yet.

    Returns:
        The entry's new Markdown.
    """
    first_line, lines = split_first_line(markdown)
    if clean_line(title) and clean_line(title) != clean_line(read_title(markdown, newsletter)):
        first_line = _replace_title(first_line, title, newsletter)
    if [clean_line(line) for line in summary.split("\n")] != [
        clean_line(line) for line in read_summary(markdown, newsletter).split("\n")
    ]:
        paragraphs = [clean_line(line) for line in summary.split("\n") if clean_line(line)]
        if not newsletter.labels.summary:
            return _reword_unlabelled("\n".join([first_line, *lines]), paragraphs, section, newsletter)
        lines_before, summary_lines, lines_after = _split_at_summary(lines, newsletter)
        summary_lines = _reword_summary(summary_lines, paragraphs, newsletter)
        lines = [*lines_before, *summary_lines, *lines_after]
    return "\n".join([first_line, *lines])


def relink_entry(markdown: str, url: str) -> str:
    """Let the title of an entry link another page; its words stay. An entry whose title has no link gets one.

    Args:
        markdown: of the entry.
        url: a result of `make_printable_url`.

    Returns:
        The entry's new Markdown.
    """
    first_line, lines = split_first_line(markdown)
    prefixes, unprefixed = split_prefixes(first_line)
    prefix = first_line[: len(first_line.strip()) - len(unprefixed)] if prefixes else ""
    if _count_address_lines(first_line, lines):
        return "\n".join([first_line, url, *lines[1:]])
    main_link = next((link for link in inline.find_links(unprefixed) if not link.image), None)
    if main_link is None:
        relinked = make_link(_read_unlinked_head(unprefixed).title.strip(), url)
    else:
        relinked = unprefixed[: main_link.start] + make_link(main_link.markdown, url) + unprefixed[main_link.end :]
    return "\n".join([prefix + relinked, *lines])


def _reword_summary(lines: Sequence[str], paragraphs: Sequence[str], newsletter: Newsletter) -> list[str]:
    """Give the lines of a summary another text, and keep the Markdown of every word that stays."""
    word = newsletter.labels.summary
    label = _compile_label(word).match(lines[0]) if lines else None
    label_text = label[0] if label else ""
    unlabelled = [lines[0][len(label_text) :], *lines[1:]] if lines else []
    if not paragraphs or not any(line.strip() for line in unlabelled):
        first, *further = map(escape_markdown, paragraphs or [""])
        return [(label_text if label and paragraphs else newsletter.labels.begin_line(word)) + first, *further]
    code = find_code_lines(unlabelled)
    texts = [
        line.strip() if number in code and not _FENCE.match(line) else _read_paragraph(line, word)
        for number, line in enumerate(lines)
    ]
    first, *further = reword_lines(unlabelled, texts, paragraphs, code) or [""]
    return [label_text + first, *further]


def _reword_unlabelled(markdown: str, paragraphs: Sequence[str], section: str, newsletter: Newsletter) -> str:
    """Give an entry without the label 摘要： another summary, or its first one in the form of its section."""
    cut_entry = _find_unlabelled_summary(markdown, newsletter)
    if cut_entry is not None:
        code = find_code_lines(cut_entry.lines)
        texts = [
            line.strip() if number in code and not _FENCE.match(line) else _read_paragraph(line, "")
            for number, line in enumerate(cut_entry.lines)
        ]
        return cut_entry.reword(texts, paragraphs, apart=newsletter.style_section(section).is_set_apart)
    written = write_summary(list(map(escape_markdown, paragraphs)), section, newsletter, by_hand=True)
    first_line, lines = split_first_line(markdown)
    return markdown + written if written.startswith("\n") else "\n".join([first_line + written, *lines])


def _find_unlabelled_summary(markdown: str, newsletter: Newsletter) -> CutEntry | None:
    """Find the summary of an entry that has no label: beside the title, or else every line that is no label line."""
    first_line, lines = split_first_line(markdown)
    signed = newsletter.signs_summaries
    head_end = _find_head_end(first_line, newsletter)
    span = find_beside_title(first_line, head_end) if head_end is not None else None
    if span is not None:
        start, end = span
        start += find_text_start(first_line[start:end], signed=signed)
        label_lines = (number for number, line in enumerate(lines) if read_label_line(line, newsletter))
        line_count = 0 if first_line[end:].strip() else next(label_lines, len(lines))  # a row ends with its line
        ending = first_line[end:] + "".join(f"\n{line}" for line in lines[line_count:])
        return CutEntry(first_line[:start], [first_line[start:end], *lines[:line_count]], ending)
    count = _count_address_lines(first_line, lines)
    lines_before, summary_lines, lines_after = _split_at_summary(lines[count:], newsletter)
    lines_before = [*lines[:count], *lines_before]
    if not any(_read_paragraph(line, "") for line in summary_lines):
        return None
    start = find_text_start(summary_lines[0], signed=signed)
    opening = "\n".join([first_line, *lines_before, summary_lines[0][:start]])
    ending = "".join(f"\n{line}" for line in lines_after)
    return CutEntry(opening, [summary_lines[0][start:], *summary_lines[1:]], ending)


def _find_head_end(line: str, newsletter: Newsletter) -> int | None:
    """Find the end of an entry's linked title, with the source behind it; None for a title without a link.

    A sentence that goes on behind the link is the title as a whole: `昨天[某项目](https://e.org)发布了新版本。`
    """
    title_end = find_title_end(line)
    if title_end is None or (_read_head(line).title == line and not _BEHIND_TITLE.match(line, title_end)):
        return None
    start = len(line) - len(line[title_end:].lstrip(_REMARK_MARKS))
    matches = (_compile_source_form(form).match(line, start) for form in newsletter.source_forms)
    return next((match.end() for match in matches if match), title_end)


def _replace_title(line: str, title: str, newsletter: Newsletter) -> str:
    prefixes, unprefixed = split_prefixes(line)
    prefix = line[: len(line.strip()) - len(unprefixed)] if prefixes else ""
    head = _read_head(unprefixed)
    separator = newsletter.labels.source_separator
    _, source = _split_source(head.title, separator.strip())
    new_title = escape_markdown(title) + (f"{separator}{escape_markdown(source)}" if source else "")
    main_link = next((link for link in inline.find_links(unprefixed) if not link.image), None)
    if main_link is None and head.url:
        return f"{prefix}{new_title} {make_autolink(head.url)}"
    if main_link is None:
        return prefix + _reword_title(unprefixed, title, separator)
    if not inline.strip_marks(main_link.markdown):  # a linked picture stays before the title
        return f"{prefix}{unprefixed[: main_link.end]} {new_title}"
    if head.title != main_link.markdown:  # the link is a part of the title: the title becomes the link
        return prefix + _read_marks_before(unprefixed) + make_link(new_title, main_link.url)
    title_end = main_link.text_start + len(main_link.markdown)
    new_title = _reword_title(main_link.markdown, title, separator)
    return prefix + unprefixed[: main_link.text_start] + new_title + unprefixed[title_end:]


def _reword_title(markdown: str, title: str, separator: str) -> str:
    """Give a title other words; the source behind it, and the marks of the words that stay, are kept.

    >>> _reword_title("**甲** | 量子位", "甲乙", " | ")
    '**甲乙** | 量子位'
    """
    text = inline.strip_marks(markdown)
    old_title, source = _split_source(markdown, separator.strip())
    new_text = clean_line(title) + text[len(old_title) :]
    reworded = reword_line(markdown, text, new_text)
    if reworded != escape_markdown(new_text):
        return reworded
    return escape_markdown(title) + (f"{separator}{escape_markdown(source)}" if source else "")


def _read_marks_before(line: str) -> str:
    """Read the emoji, numbers and other marks before the words of a line.

    >>> _read_marks_before("🔥 **高通**"), _read_marks_before("高通")
    ('🔥 ', '')
    """
    match = _MARKS_BEFORE_WORDS.match(line)
    return match[0] if match else ""


def _split_at_summary(lines: Sequence[str], newsletter: Newsletter) -> tuple[list[str], list[str], list[str]]:
    """Split lines into the lines before the summary, the summary's, and the lines after it."""
    summary_start = _compile_label(newsletter.labels.summary)
    starts = (
        number
        for number, line in enumerate(lines)
        if summary_start.match(line)
        or (not newsletter.labels.summary and line.strip() and not read_label_line(line, newsletter))
    )
    start = next(starts, None)
    if start is None:
        return list(lines), [], []
    label_lines = (number for number in range(start + 1, len(lines)) if read_label_line(lines[number], newsletter))
    end = next(label_lines, len(lines))
    return list(lines[:start]), list(lines[start:end]), list(lines[end:])


# ---- The machine line: a summary that a model wrote and the editor has not accepted yet


def read_machine_line(markdown: str, newsletter: Newsletter) -> str | None:
    """Read the text of an entry's machine line, as Markdown; None for an entry without one."""
    machine_start = _compile_label(newsletter.labels.machine)
    for line in markdown.split("\n"):
        if match := machine_start.match(line):
            return line[match.end() :].strip()
    return None


def remove_machine_line(markdown: str, newsletter: Newsletter) -> str:
    """Remove the machine line from an entry, also one that an editor has indented or set in bold."""
    machine_start = _compile_label(newsletter.labels.machine)
    return "\n".join(line for line in markdown.split("\n") if not machine_start.match(line))


def set_machine_line(markdown: str, text: str, newsletter: Newsletter) -> str:
    """Put a machine line before an entry's summary, in place of an earlier one.

    Args:
        markdown: of the entry.
        text: of the machine line: Markdown, one line.
        newsletter: its label words.

    Returns:
        The entry's new Markdown.
    """
    lines = remove_machine_line(markdown, newsletter).split("\n")
    summary_start = _compile_label(newsletter.labels.summary)
    summary_lines = (number for number in range(1, len(lines)) if summary_start.match(lines[number]))
    index = next(summary_lines, len(lines))
    return "\n".join([*lines[:index], newsletter.labels.begin_line(newsletter.labels.machine) + text, *lines[index:]])


def accept_machine_line(markdown: str, newsletter: Newsletter) -> str:
    """Make the text of the machine line the entry's summary, in place of its own; from then on it is the editor's."""
    text = read_machine_line(markdown, newsletter)
    if text is None:
        return markdown
    unmarked = remove_machine_line(markdown, newsletter).split("\n")
    lines_before, _, lines_after = _split_at_summary(unmarked, newsletter)
    summary_line = newsletter.labels.begin_line(newsletter.labels.summary) + text
    return "\n".join([*lines_before, summary_line, *lines_after])


def remove_unprinted_lines(markdown: str, newsletter: Newsletter) -> str:
    """Remove the lines of an entry that no page shows: the machine line, and a summary's label with nothing behind it.

    Without the label, a title with a bare `|` may be left alone, which kramdown reads as a table: the `|` becomes a
    character reference.

    >>> from pipelines.newsletter import Category
    >>> newsletter = Newsletter(title="简报", editor="甲", categories=(Category(name="博文"),))
    >>> remove_unprinted_lines("[甲 | 源](https://e.org)\\n摘要：", newsletter)
    '[甲 &#124; 源](https://e.org)'
    """
    accepted = remove_machine_line(markdown, newsletter)
    lines_before, summary_lines, lines_after = _split_at_summary(accepted.split("\n"), newsletter)
    if not newsletter.labels.summary or not lines_before or not summary_lines or read_summary(accepted, newsletter):
        return accepted
    if any(map(_FENCE.match, summary_lines)) or inline.find_urls("\n".join(summary_lines)):
        return accepted
    printed = "\n".join([*lines_before, *lines_after]).rstrip()
    return printed if "\n" in printed else _BARE_PIPE.sub("&#124;", printed)


# ---- The first line


@dataclass(frozen=True, slots=True)
class _Head:
    """The first line without its bracketed prefixes. `title` is Markdown; `remark` is text without marks."""

    title: str
    url: str | None = None
    links: tuple[StoryLink, ...] = ()
    prefixes: tuple[str, ...] = ()
    remark: str = ""


def split_prefixes(line: str) -> tuple[tuple[str, ...], str]:
    """Split a line into the texts in brackets at its start that are no links, and the remainder.

    >>> split_prefixes("[CVPR2020][2003.1] [标题](u)")
    (('CVPR2020', '2003.1'), '[标题](u)')
    """
    prefixes: list[str] = []
    remainder = line.strip()
    while len(prefixes) < _MOST_PREFIXES:
        close = dict(inline.find_brackets(remainder[: PREFIX_CHARACTERS + 2])).get(0)
        # "【CVPR2020】[标题](https://arxiv.org/abs/2006.16669)"
        lenticular = re.match(rf"【([^【】]{{1,{PREFIX_CHARACTERS}}})】\s*(?=\[)", remainder)
        if lenticular:
            prefixes.append(lenticular[1])
            remainder = remainder[lenticular.end() :]
        elif (
            close
            and remainder[close + 1 : close + 2] not in ("(", "（", "")
            and not _BROKEN_LINK.match(remainder, close)
        ):
            prefixes.append(inline.strip_marks(remainder[1:close]))
            remainder = remainder[close + 1 :].lstrip()
        else:
            break
    return tuple(prefixes), remainder


def _read_head(line: str) -> _Head:
    links = [link for link in inline.find_links(line) if not link.image]
    if not links:
        return _read_unlinked_head(line)
    main_link, *further_links = links
    if not inline.strip_marks(main_link.markdown):  # a linked picture
        return replace(_Head((line[: main_link.start] + line[main_link.end :]).strip()), url=main_link.url)
    story_links = tuple(StoryLink(inline.strip_marks(link.markdown).strip("[]"), link.url) for link in further_links)
    lead = _read_lead(line, main_link)
    if lead is None:  # the link is a part of the title
        return _Head(line, main_link.url, story_links)
    label = lead.rstrip(":：")
    gap_ends = (*(link.start for link in further_links), len(line))
    gaps = (line[link.end : gap_end] for link, gap_end in zip(links, gap_ends, strict=True))
    remark = inline.strip_marks(" ".join(gap.lstrip(_REMARK_MARKS).rstrip(" *，；;,、") for gap in gaps))
    return _Head(main_link.markdown, main_link.url, story_links, (label,) if label else (), remark)


def _read_lead(line: str, main_link: inline.Link) -> str | None:
    """Read the words before the link that is the title: a label, or words beside `[标题 | 来源](…)`.

    Returns:
        The words, empty for marks, pictures, emoji and numbers alone; None if the link is a part of the title.
    """
    lead = inline.strip_marks(line[: main_link.start])
    if (label := _LEAD.fullmatch(lead)) is not None:
        return label["label"] or ""
    if not any(character.isalpha() for character in lead):
        return ""
    return lead if _compile_separator("|").search(main_link.markdown) else None


def _read_unlinked_head(line: str) -> _Head:
    """Read a first line without a whole link: brackets that do not pair, a bare address, or only text."""
    broken = _BROKEN_LINK.search(line)
    if broken:
        return _Head(
            line[: broken.start()].lstrip("[【［* "), broken["url"], remark=inline.strip_marks(line[broken.end() :])
        )
    bare = inline.find_bare_url(line)
    if bare is None:
        return _Head(line)
    start, end = bare
    lead = line[:start].rstrip(f"{_OPENING_BRACKETS} :：\t")
    remark = line[end:].lstrip(_CLOSING_BRACKETS).strip(" ，。；,;")
    return _Head(lead or remark, line[start:end], remark=inline.strip_marks(remark) if lead else "")


def _split_source(markdown: str, separator: str) -> tuple[str, str | None]:
    """Split a first line at its last separator into title and source, both without marks.

    >>> _split_source("KDD 2019 | 特征组合 | 机器之心", "|"), _split_source(r"a \\| b", "|")
    (('KDD 2019 | 特征组合', '机器之心'), ('a | b', None))
    """
    if not separator:
        return inline.strip_marks(markdown), None
    links = inline.find_links(markdown)
    *_, last = (
        None,
        *(
            match
            for match in _compile_separator(separator).finditer(markdown)
            if not any(link.start <= match.start() < link.end for link in links)
        ),
    )
    title = inline.strip_marks(markdown[: last.start()]) if last else ""
    source = inline.strip_marks(markdown[last.end() :]) if last else ""
    return (title, source or None) if title else (inline.strip_marks(markdown), None)


def _read_source_behind(remark: str, separator: str) -> str | None:
    """Read the source behind the link of a title: `[标题](…) | 机器之心`. A sentence and a row's cells are no source.

    >>> _read_source_behind("| 机器之心", "|"), _read_source_behind("| 快 | 省", "|")
    ('机器之心', None)
    """
    pattern = _compile_separator(separator)
    match = pattern.match(remark) if separator else None
    source = remark[match.end() :].strip() if match else ""
    if not source or len(source) > LABEL_CHARACTERS or pattern.search(source) or re.search(r"[，。；！？,;!?]", source):
        return None
    return source


_REMARK_MARKS: Final = " *:：，。；;,、"
"""What stands between a link and a remark, and is no part of the remark."""


def _split_formed_source(remark: str, forms: Sequence[str]) -> tuple[str | None, str]:
    """Split the text behind a title into the source, where a form of the newsletter says so, and what follows it.

    >>> _split_formed_source("（英文）很长。", ["（{source}）"]), _split_formed_source("很长。", ["（{source}）"])
    (('英文', '很长。'), (None, '很长。'))
    """
    for form in forms:
        if match := _compile_source_form(form).match(remark):
            return match["source"].strip(), remark[match.end() :].lstrip(_REMARK_MARKS)
    return None, remark


@lru_cache(maxsize=64)
def _compile_source_form(form: str) -> re.Pattern[str]:
    lead, _, end = (re.escape(part.strip(_REMARK_MARKS)) for part in form.partition("{source}"))
    name = rf"(?P<source>[^{_SENTENCE_MARKS}|\n]{{1,{SOURCE_CHARACTERS}}}?)"
    return re.compile(rf"{lead}\s*{name}\s*{end or chr(92) + 'Z'}")


@lru_cache(maxsize=8)
def _compile_separator(separator: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\\){re.escape(separator)}{_LOOKALIKES.get(separator, '')}")


# ---- All lines after the first


def read_label_line(line: str, newsletter: Newsletter) -> LabelLine | None:
    """Read a label line: a label of the newsletter before any text, or another short label before a lone address.

    Returns:
        The label line; None for any other line.
    """
    match = _compile_label_line(newsletter.labels.lines).fullmatch(line) or _ADDRESS_LINE.fullmatch(line)
    if match is None or match["label"] == newsletter.labels.summary or is_definition(line):
        return None
    text = inline.strip_marks(match["text"])
    if not text or len(text) > LABELLED_CHARACTERS:
        return None
    return LabelLine(match["label"].strip(), text, next(iter(inline.find_urls(match["text"])), None))


def is_label_or_summary_line(line: str, newsletter: Newsletter) -> bool:
    """Whether a line is a label line or begins the summary: such a line belongs to an entry at any position."""
    return bool(read_label_line(line, newsletter) or _compile_label(newsletter.labels.summary).match(line))


@lru_cache(maxsize=8)
def _compile_label(word: str) -> re.Pattern[str]:
    """Compile the pattern of a word that begins a line: "摘要：", "- **摘要**："; no line begins with an empty word."""
    if not word:
        return re.compile(r"(?!)")
    return re.compile(rf"{_BULLET}{re.escape(word)}\**\s{{0,9}}[:：]")


@lru_cache(maxsize=8)
def _compile_label_line(labels: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the pattern of a line that begins with one of the labels: "- **代码**：见论文"."""
    if not labels:
        return re.compile(r"(?!)")
    longest_first = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    return re.compile(rf"{_BULLET}(?P<label>{longest_first})\**\s{{0,9}}[:：](?P<text>.*)", re.DOTALL)


def _read_paragraph(line: str, summary_word: str) -> str:
    """Read the text of a line, without marks, bullet and summary word; empty for a fence."""
    if _FENCE.match(line):
        return ""
    line = _QUOTE.sub("", line)
    start = _compile_label(summary_word).match(line) or re.match(_BULLET, line)
    return inline.strip_marks(line[start.end() if start else 0 :])
