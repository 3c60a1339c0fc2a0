"""What an editor should look at again before an issue goes out: where, why, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from pipelines.issue import inline
from pipelines.issue.entry import EntryView, read_entry, read_machine_line
from pipelines.issue.escape import make_printable_url
from pipelines.issue.lines import find_code_lines
from pipelines.issue.sentences import choose_bounds
from pipelines.model import Entry, Heard, Issue, Section
from pipelines.newsletter import Newsletter
from pipelines.normalise.url import NotAWebAddress, canonicalise, find_idle_parameters
from pipelines.rules import Rules
from pipelines.wording import Language, say

_LIQUID: Final = re.compile(r"\{(?=[{%])")  # Liquid knows no backslash
_EXTENSION: Final = re.compile(r"(?<!\\)\{(?=:)")
_TAG: Final = re.compile(
    r"(?<!\\)<(?=/?(?:script|style|link|meta|base|i?frame|object|embed|form|svg|math|template|textarea|title|xmp|plaintext)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at.

    Args:
        part: a part of the issue by its name in `Issue`, `section` or `entry`.
        position: of the section or of the entry, among all of the issue's, from 0; 0 for the other parts.
        line: of the part's or entry's Markdown, from 0.
        code: a code of the sections `finding` and `advice` of the tables of `pipelines.wording`.
        values: what the two sentences name.
        url: the address that it is about, if any.
    """

    part: str
    position: int
    line: int
    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    url: str = field(default="", compare=False)

    @property
    def kind(self) -> str:
        """The sort of finding, for scripts: `markup` for `markup/liquid`."""
        return self.code.partition("/")[0]

    def text(self, language: Language) -> str:
        """What is the matter."""
        return say(f"finding/{self.code}", self.values, language)

    def advice(self, language: Language) -> str:
        """What to do about it."""
        return say(f"advice/{self.code}", self.values, language)

    def as_json(self, language: Language) -> dict[str, Any]:
        """The finding as the JSON of the terminal and of the desk has it."""
        return {
            "part": self.part,
            "position": self.position,
            "line": self.line,
            "text": self.text(language),
            "kind": self.kind,
            "advice": self.advice(language),
            "url": self.url,
            "code": self.code,
        }


@dataclass(frozen=True, slots=True)
class Known:
    """What the newsroom knows beside the issue itself.

    Args:
        keys: the strong keys that each entry links to, for the entries of all sections in print order.
        printed: the published issues that linked to each key.
        changed: by the entry's position, how what it was picked for differs at its source by now.
        heard: what was last heard of addresses, as the issue has them.
    """

    keys: Sequence[Sequence[str]]
    printed: Mapping[str, Sequence[date]]
    changed: Mapping[int, Sequence[Finding]] = field(default_factory=dict)
    heard: Mapping[str, Heard] = field(default_factory=dict)


def lint(issue: Issue, newsletter: Newsletter, rules: Rules, known: Known) -> list[Finding]:
    """Everything that a second look is worth, in print order.

    Args:
        rules: what tells an address that soon dies, and what of one only tracks.
    """
    findings = []
    if not issue.headline:
        findings.append(Finding("headline", 0, 0, "no-headline"))
    if not issue.guide:
        findings.append(Finding("guide", 0, 0, "no-guide", {"guide": newsletter.labels.guide}))
    for name in _FRAME[:5]:
        findings += _check_frame(name, 0, getattr(issue, name), rules, known.heard)
    entry_index = 0
    first_entries: dict[str, int] = {}
    for section_index, section in enumerate(issue.sections):
        findings += _check_section(section_index, section, newsletter)
        for markdown in (section.notes, section.closing):
            findings += _check_frame("section", section_index, markdown, rules, known.heard)
        for entry in section.entries:
            findings += _check_entry(entry_index, entry, newsletter, rules, known.heard)
            urls = read_entry(entry.markdown, newsletter).urls
            findings += _find_repeats(issue, entry_index, known, first_entries, urls)
            findings += known.changed.get(entry_index, ())
            entry_index += 1
    for name in _FRAME[5:]:
        findings += _check_frame(name, 0, getattr(issue, name), rules, known.heard)
    return findings


_FRAME: Final = ("headline", "tagline", "notice", "guide", "preamble", "back_issues", "footer")


def _check_section(section_index: int, section: Section, newsletter: Newsletter) -> Iterator[Finding]:
    category = newsletter.category(section.name)
    count = len(section.entries)
    if category is None:
        yield Finding("section", section_index, 0, "unknown-section", {"names": newsletter.category_names})
    elif count != category.quota:
        values = {"quota": category.quota, "count": count}
        code = "filling/too-many" if count > category.quota else "filling/too-few"
        yield Finding("section", section_index, 0, code, values)


def _check_frame(
    part: str, position: int, markdown: str | None, rules: Rules, heard: Mapping[str, Heard]
) -> Iterator[Finding]:
    """Links and markup of a part that is no entry."""
    yield from _check_lines(part, position, (markdown or "").split("\n"), rules, heard)


def _check_entry(
    position: int, entry: Entry, newsletter: Newsletter, rules: Rules, heard: Mapping[str, Heard]
) -> Iterator[Finding]:
    view = read_entry(entry.markdown, newsletter)
    lines = entry.markdown.split("\n")
    if read_machine_line(entry.markdown, newsletter) is not None:
        yield Finding("entry", position, 0, "machine-summary", {"machine": newsletter.labels.machine})
    if view.url is None:
        yield Finding("entry", position, 0, "no-link")
    if not view.title:
        yield Finding("entry", position, 0, "no-title")
    if view.title and not (view.source or view.prefixes or view.repository):
        yield Finding("entry", position, 0, "no-source", {"separator": newsletter.labels.source_separator})
    for line_index in _structure(lines):
        yield Finding("entry", position, line_index, "markup/ends-entry")
    for line_index, line in enumerate(lines):
        for link in inline.find_links(line):
            if _is_relative(link.url):
                yield Finding("entry", position, line_index, "bad-link", {"url": link.url[:80]}, link.url)
    yield from _check_lines("entry", position, lines, rules, heard)
    yield from _check_summary(position, view, lines, newsletter)


def _check_lines(
    part: str, position: int, lines: Sequence[str], rules: Rules, heard: Mapping[str, Heard]
) -> Iterator[Finding]:
    code = find_code_lines(lines)
    for line_index, line in enumerate(lines):
        finding = partial(Finding, part, position, line_index)
        for link in inline.find_links(line):
            if not link.url:
                yield finding("empty-link/address", {"text": inline.strip_marks(link.markdown)[:40]})
            elif not link.image and not link.markdown.strip():
                yield finding("empty-link/text", {"url": link.url[:80]}, link.url)
            if link.url and make_printable_url(link.url) is None and not _is_relative(link.url):
                yield finding("bad-link", {"url": link.url[:80]}, link.url)
        for url in inline.find_urls(line):
            for url_code, values in _check_url(url, rules, heard.get(url)):
                yield finding(url_code, values, url)
        if line_index not in code and re.match(r"\s*(?:```|~~~)", line):
            yield finding("markup/open-code")
        if _LIQUID.search(line) or (line_index not in code and _EXTENSION.search(line)):
            yield finding("markup/liquid")
        if line_index not in code and _TAG.search(line):
            yield finding("markup/tag")


def _is_relative(url: str) -> bool:
    """Whether an address is one of the site's own files: fine around the entries, not in them.

    >>> _is_relative("../a.jpg"), _is_relative("#"), _is_relative("javascript:x"), _is_relative("//e.org")
    (True, False, False, False)
    """
    return bool(re.match(r"(?!//)[^\s#:]", url) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url))


def _structure(lines: Sequence[str]) -> Iterator[int]:
    """Lines that would not be part of the entry any more once the issue is written and read again."""
    code = find_code_lines(lines)
    for line_index, line in enumerate(lines):
        ends_entry = re.match(r"##(?!#)|- (?=\S)|-(?=\[)| {0,3}([-*_])(?: *\1){2,} *$", line)
        if line_index and line_index not in code and ends_entry:
            yield line_index


def _check_url(url: str, rules: Rules, heard: Heard | None) -> Iterator[tuple[str, dict[str, object]]]:
    if _dies(url, rules):
        yield "temporary-link", {}
    elif extra := tracking(url, rules):
        yield "tracking", {"parameters": extra}
    if heard is not None and heard.state == "gone":
        yield "dead-link", {"day": heard.at.date(), "detail": heard.detail}
    if heard is not None and heard.state == "moved":
        yield "moved-link", {"day": heard.at.date(), "target": heard.detail}


def _check_summary(position: int, view: EntryView, lines: Sequence[str], newsletter: Newsletter) -> Iterator[Finding]:
    label = newsletter.labels.summary
    summary = "".join(view.summary)
    labelled = (index for index, line in enumerate(lines) if line.lstrip("*- ").startswith(label))
    finding = partial(Finding, "entry", position, next(labelled, len(lines) - 1))
    if not summary:
        yield finding("no-summary", {"summary": label})
    elif len(summary) > choose_bounds(summary).most:
        values = {"summary": label, "count": len(summary), "most": choose_bounds(summary).most}
        yield finding("long-summary", values)
    elif summary.endswith(("…", "...")):
        yield finding("torn-summary", {"summary": label})


def _find_repeats(
    issue: Issue, position: int, known: Known, first_entries: dict[str, int], urls: Sequence[str]
) -> Iterator[Finding]:
    """What it shares with an entry before it, be it an address that has no key; and what was printed before."""
    keys = known.keys[position]
    twin = next((first_entries[key] for key in (*keys, *urls) if key in first_entries), None)
    if twin is not None:
        yield Finding("entry", position, 0, "twice", {"number": twin + 1})
    for key in (*keys, *urls):
        first_entries.setdefault(key, position)
    days = sorted({day for key in keys for day in known.printed.get(key, ()) if day != issue.date})
    if days:
        yield Finding("entry", position, 0, "repeat", {"days": days[-3:]})


def _dies(url: str, rules: Rules) -> bool:
    try:
        return canonicalise(url, rules).temporary
    except NotAWebAddress:
        return False


def tracking(url: str, rules: Rules) -> tuple[str, ...]:
    """The parameters of an address that do not say what it is, in order; of one that dies or leads on, none."""
    try:
        found = canonicalise(url, rules)
        leads_on = urlsplit(found.url).hostname != urlsplit(url).hostname
        return () if found.temporary or leads_on else find_idle_parameters(url, rules)
    except ValueError:
        return ()


# ---- What can be put right without asking


def fixed(issue: Issue, rules: Rules) -> Issue:
    """The issue with what is safe put right: tracking parameters off, Liquid and forbidden tags escaped.

    Nothing that a reader sees changes, but for addresses that become shorter.
    """

    def mend(words: str | None) -> str | None:
        return words and _mended(words, rules)

    frame: dict[str, Any] = {name: mend(getattr(issue, name)) for name in _FRAME}
    return replace(
        issue,
        **frame,
        sections=tuple(
            replace(
                section,
                notes=mend(section.notes),
                closing=mend(section.closing),
                entries=tuple(replace(one, markdown=_mended(one.markdown, rules)) for one in section.entries),
            )
            for section in issue.sections
        ),
    )


def _mended(markdown: str, rules: Rules) -> str:
    lines = markdown.split("\n")
    code = find_code_lines(lines)
    return "\n".join(line if at in code else _mended_line(line, rules) for at, line in enumerate(lines))


def _mended_line(line: str, rules: Rules) -> str:
    for url in sorted(inline.find_urls(line), key=len, reverse=True):  # one may begin with another
        if extra := tracking(url, rules):
            line = line.replace(url, _without(url, extra))
    for pattern, put in _ESCAPES:
        line = _outside_code(line, lambda text, pattern=pattern, put=put: pattern.sub(put, text))  # type: ignore[misc]
    return line


_ESCAPES: Final = (
    (re.compile(r"\\?\{%"), r"\\{&#37;"),
    (re.compile(r"\\?\{(?=\{)"), r"\\{"),
    (re.compile(r"(?<=\\\{)\{"), r"\\{"),
    (_EXTENSION, r"\\{"),
    (_TAG, r"\\<"),
)


def _outside_code(line: str, change: Callable[[str], str]) -> str:
    """The line changed, but for its code spans: a backslash would be seen there."""
    pieces = re.split(r"(`[^`\n]*`)", line)
    return "".join(piece if at % 2 else change(piece) for at, piece in enumerate(pieces))


def _without(url: str, extra: Sequence[str]) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if _name_in(pair) not in extra]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _name_in(pair: str) -> str:
    """Of a parameter as it stands in Markdown, where its `&` may be written as a reference."""
    return unquote(pair.partition("=")[0]).removeprefix("amp;")
