"""Finds mistakes and doubtful parts of an issue before it is published, and fixes the mistakes that need no editor.

A finding says where it is, what is the matter and what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from crawler.errors import Detail, Failure
from pipelines.issue import inline
from pipelines.issue.entry import EntryView, read_entry, read_machine_line, read_title
from pipelines.issue.escape import is_relative, make_printable_url
from pipelines.issue.lines import THEMATIC_BREAK, find_code_lines, find_comment_lines
from pipelines.issue.sentences import HAN, Bounds, fit_bounds
from pipelines.issue.shapes import read_mark, write_mark
from pipelines.model import Entry, Issue, LinkCheck, Section
from pipelines.newsletter import Newsletter, SectionStyle
from pipelines.normalise.url import NotAWebAddress, canonicalise, find_idle_parameters
from pipelines.rules import Rules
from pipelines.wording import Language, say

# "{{ page.title }}", "{% raw %}": Liquid ignores a backslash before them
_LIQUID: Final = re.compile(r"\{(?=[{%])")

# "{: .class}": an attribute list of kramdown
_EXTENSION: Final = re.compile(r"(?<!\\)\{(?=:)")

# "<script>", "</iframe"
_TAG: Final = re.compile(
    r"(?<!\\)<(?=/?(?:script|style|link|meta|base|i?frame|object|embed|form|svg|math|template|textarea|title|xmp|plaintext)\b)",
    re.IGNORECASE,
)


_MOST_TITLE_CHARACTERS: Final = 30
"""A longer title of an entry is cut where a finding names the entry."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about an issue that the editor should look at.

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
        """The kind of finding, for scripts: `markup` for `markup/liquid`."""
        return self.code.partition("/")[0]

    @property
    def is_error(self) -> bool:
        """Whether readers would see a broken page; all other findings are for the editor to judge."""
        return self.kind in _ERRORS and self.code not in _NO_ERRORS

    def text(self, language: Language) -> str:
        """Say what is the matter, in the reader's language."""
        return say(f"finding/{self.code}", self.values, language)

    def advice(self, language: Language) -> str:
        """Say what to do about it, in the reader's language."""
        return say(f"advice/{self.code}", self.values, language)

    def as_json(self, language: Language) -> dict[str, Any]:
        """Make the finding's JSON document, of the terminal and of the desk."""
        return {
            "part": self.part,
            "position": self.position,
            "line": self.line,
            "text": self.text(language),
            "kind": self.kind,
            "advice": self.advice(language),
            "url": self.url,
            "code": self.code,
            "error": self.is_error,
        }


_ERRORS: Final = frozenset(
    {"markup", "bad-link", "empty-link", "temporary-link", "dead-link", "no-title", "machine-summary"}
)
_NO_ERRORS: Final = frozenset({"markup/emphasis"})


@dataclass(frozen=True, slots=True)
class Records:
    """The newsroom's records of what an issue prints.

    Args:
        keys: the strong keys of each entry, for the entries of all sections in print order.
        printed: by key, the dates of the published issues that printed it.
        source_changes: by the entry's position, findings about articles that changed since their pick.
        link_checks: by address, as the issue has it, the last check.
        bounds: the usual length of the newsletter's summaries, in Han characters.
    """

    keys: Sequence[Sequence[str]]
    printed: Mapping[str, Sequence[date]]
    source_changes: Mapping[int, Sequence[Finding]] = field(default_factory=dict)
    link_checks: Mapping[str, LinkCheck] = field(default_factory=dict)
    bounds: Bounds = HAN


def lint(issue: Issue, newsletter: Newsletter, rules: Rules, records: Records) -> list[Finding]:
    """Find everything that an editor should look at before the issue is published.

    Args:
        issue: a draft, or a published issue.
        newsletter: its labels and categories.
        rules: the table of addresses: which soon die, which parameters only track.
        records: of the entries and links of the issue.

    Returns:
        Findings in print order.
    """
    findings = []
    if not issue.headline and newsletter.frame.headline_items:
        findings.append(Finding("headline", 0, 0, "no-headline"))
    if not issue.guide and newsletter.frame.guide:
        findings.append(Finding("guide", 0, 0, "no-guide", {"guide": newsletter.labels.guide}))
    for name in _FRAME[:5]:
        findings += _check_frame(name, 0, getattr(issue, name), rules, records.link_checks)
    entry_index = 0
    first_entries: dict[str, int] = {}
    for section_index, section in enumerate(issue.sections):
        findings += _check_section(section_index, section, newsletter)
        for markdown in (section.notes, section.closing):
            findings += _check_frame("section", section_index, markdown, rules, records.link_checks)
        for entry in section.entries:
            view = read_entry(entry.markdown, newsletter)
            if section.is_briefs:
                findings += _check_brief(entry_index, entry, newsletter, rules, records.link_checks)
            else:
                style = newsletter.style_section(section.name)
                findings += _check_entry(entry_index, entry, view, newsletter, rules, style=style, records=records)
            for line_index in _find_ending_lines(entry.markdown.split("\n"), section.marker):
                findings.append(Finding("entry", entry_index, line_index, "markup/ends-entry"))
            findings += _find_repeats(issue, entry_index, records, first_entries, view.urls)
            findings += records.source_changes.get(entry_index, ())
            entry_index += 1
    for name in _FRAME[5:]:
        findings += _check_frame(name, 0, getattr(issue, name), rules, records.link_checks)
    return findings


def describe_finding(issue: Issue, finding: Finding, newsletter: Newsletter, language: Language) -> str:
    """Describe a finding in one line: its position in the issue, and what is the matter.

    Args:
        issue: the issue that the finding is about.
        finding: of `lint`, or of `pipelines.issue.portability`.
        newsletter: its labels name the guide and the notice, and tell where the title of an entry begins.
        language: of the reader.
    """
    if finding.part == "section":
        where = issue.sections[finding.position].name
    elif finding.part == "entry":
        entries = [entry for section in issue.sections for entry in section.entries]
        title = read_title(entries[finding.position].markdown, newsletter)
        if len(title) > _MOST_TITLE_CHARACTERS:
            title = f"{title[: _MOST_TITLE_CHARACTERS - 1].rstrip()}…"
        where = say("place/entry", {"number": finding.position + 1, "title": title}, language)
    else:
        own_names = {"guide": newsletter.labels.guide, "notice": newsletter.labels.notice}
        where = own_names.get(finding.part) or say(f"place/{finding.part}", {}, language)
    code = "place/finding-line" if finding.line else "place/finding"
    return say(code, {"where": where, "line": finding.line + 1, "text": finding.text(language)}, language)


def find_issue_urls(issue: Issue) -> list[str]:
    """Find every web address that an issue links in its entries and the texts around them, each once."""
    texts = [issue.notice, issue.guide, issue.preamble, issue.footer]
    for section in issue.sections:
        texts += [section.notes, *(entry.markdown for entry in section.entries), section.closing]
    lines = (line for text in texts if text for line in text.split("\n"))
    return list(dict.fromkeys(url for line in lines for url in inline.find_urls(line)))


_FRAME: Final = ("headline", "tagline", "notice", "guide", "preamble", "back_issues", "footer")


def _check_section(section_index: int, section: Section, newsletter: Newsletter) -> Iterator[Finding]:
    if section.is_briefs:
        return
    category = newsletter.category(section.name)
    count = len(section.entries)
    if category is None:
        yield Finding("section", section_index, 0, "unknown-section", {"names": newsletter.category_names})
    elif count != category.quota:
        values = {"quota": category.quota, "count": count}
        code = "filling/too-many" if count > category.quota else "filling/too-few"
        yield Finding("section", section_index, 0, code, values)


def _check_frame(
    part: str, position: int, markdown: str | None, rules: Rules, link_checks: Mapping[str, LinkCheck]
) -> Iterator[Finding]:
    """Check links and markup of a part that is no entry."""
    yield from _check_lines(part, position, (markdown or "").split("\n"), rules, link_checks)


def _check_entry(
    position: int,
    entry: Entry,
    view: EntryView,
    newsletter: Newsletter,
    rules: Rules,
    *,
    style: SectionStyle,
    records: Records,
) -> Iterator[Finding]:
    """Check an entry, which needs what the newsletter prints in its section."""
    lines = entry.markdown.split("\n")
    if read_machine_line(entry.markdown, newsletter) is not None:
        yield Finding("entry", position, 0, "machine-summary", {"machine": newsletter.labels.machine})
    if view.url is None and (not style.entry or "{url}" in style.entry):
        yield Finding("entry", position, 0, "no-link")
    if not view.title:
        yield Finding("entry", position, 0, "no-title")
    separator = newsletter.labels.source_separator
    if separator.strip() and view.title and not (view.source or view.prefixes or view.repository):
        yield Finding("entry", position, 0, "no-source", {"separator": separator})
    yield from _check_entry_lines(position, lines, rules, records.link_checks)
    if view.summary or style.summary != "":
        yield from _check_summary(position, view, lines, newsletter, records.bounds)


def _check_brief(
    position: int, entry: Entry, newsletter: Newsletter, rules: Rules, link_checks: Mapping[str, LinkCheck]
) -> Iterator[Finding]:
    """Check a one-liner, which needs neither link nor source nor summary, and has one line."""
    lines = entry.markdown.split("\n")
    if newsletter.briefs is not None and len(lines) > 1:
        yield Finding("entry", position, 1, "long-brief", {"briefs": newsletter.briefs.name})
    yield from _check_entry_lines(position, lines, rules, link_checks)


def _check_entry_lines(
    position: int, lines: Sequence[str], rules: Rules, link_checks: Mapping[str, LinkCheck]
) -> Iterator[Finding]:
    for line_index, line in enumerate(lines):
        for link in inline.find_links(line):
            if is_relative(link.url):
                yield Finding("entry", position, line_index, "bad-link", {"url": link.url[:80]}, link.url)
    yield from _check_lines("entry", position, lines, rules, link_checks)


def _check_lines(
    part: str, position: int, lines: Sequence[str], rules: Rules, link_checks: Mapping[str, LinkCheck]
) -> Iterator[Finding]:
    code = find_code_lines(lines)
    for line_index, line in enumerate(lines):
        finding = partial(Finding, part, position, line_index)
        for link in inline.find_links(line):
            if not link.url:
                yield finding("empty-link/address", {"text": inline.strip_marks(link.markdown)[:40]})
            elif not link.image and not link.markdown.strip():
                yield finding("empty-link/text", {"url": link.url[:80]}, link.url)
            if link.url and make_printable_url(link.url) is None and not is_relative(link.url):
                yield finding("bad-link", {"url": link.url[:80]}, link.url)
        for url in inline.find_urls(line):
            for url_code, values in _check_url(url, rules, link_checks.get(url)):
                yield finding(url_code, values, url)
        if line_index not in code and re.match(r"\s*(?:```|~~~)", line):
            yield finding("markup/open-code")
        if _LIQUID.search(line) or (line_index not in code and _EXTENSION.search(line)):
            yield finding("markup/liquid")
        if line_index not in code and _TAG.search(line):
            yield finding("markup/tag")


def _find_ending_lines(lines: Sequence[str], marker: str) -> Iterator[int]:
    """Find the numbers of lines that end the entry as soon as the issue is written and read again.

    Args:
        lines: of an entry.
        marker: of its section; a line that begins with the same mark is another entry.

    >>> [list(_find_ending_lines(["甲", "2、乙", "- 丙"], marker)) for marker in ("{n}、", "- ")]
    [[1], [2]]
    """
    own_mark = read_mark(f"{write_mark(marker, 1)}x", after_blank=True)
    kind = own_mark.kind if own_mark is not None else None
    opaque = find_code_lines(lines) | find_comment_lines(lines)
    for line_index, line in enumerate(lines):
        if not line_index or line_index in opaque:
            continue
        mark = read_mark(line, after_blank=False)
        is_item = mark is not None and mark.kind == kind and mark.indent == 0
        if is_item or re.match(r"##(?!#)", line) or THEMATIC_BREAK.fullmatch(line):
            yield line_index


def _check_url(url: str, rules: Rules, link_check: LinkCheck | None) -> Iterator[tuple[str, dict[str, object]]]:
    if _is_temporary(url, rules):
        yield "temporary-link", {}
    elif tracking := find_tracking_parameters(url, rules):
        yield "tracking", {"parameters": tracking}
    if link_check is not None and link_check.state == "gone":
        yield "dead-link", {"day": link_check.at.date(), "detail": Failure.from_json(link_check.detail).detail}
    if link_check is not None and link_check.state == "moved":
        yield "moved-link", {"day": link_check.at.date(), "target": link_check.detail}


def _check_summary(
    position: int, view: EntryView, lines: Sequence[str], newsletter: Newsletter, bounds: Bounds
) -> Iterator[Finding]:
    label = newsletter.labels.summary
    name = label or Detail.of("unlabelled-summary")
    summary = "".join(view.summary)
    labelled = (index for index, line in enumerate(lines) if label and line.lstrip("*- ").startswith(label))
    finding = partial(Finding, "entry", position, next(labelled, len(lines) - 1))
    if not summary:
        yield finding("no-summary", {"summary": name})
    elif len(summary) > (most := fit_bounds(bounds, summary).most):
        values = {"summary": name, "count": len(summary), "most": most}
        yield finding("long-summary", values)
    elif summary.endswith(("…", "...")):
        yield finding("torn-summary", {"summary": name})


def _find_repeats(
    issue: Issue, position: int, records: Records, first_entries: dict[str, int], urls: Sequence[str]
) -> Iterator[Finding]:
    """Find an earlier entry of the issue with the same key or address, and published issues with the same key."""
    keys = records.keys[position]
    twin = next((first_entries[key] for key in (*keys, *urls) if key in first_entries), None)
    if twin is not None:
        yield Finding("entry", position, 0, "twice", {"number": twin + 1})
    for key in (*keys, *urls):
        first_entries.setdefault(key, position)
    days = sorted({day for key in keys for day in records.printed.get(key, ()) if day != issue.date})
    if days:
        yield Finding("entry", position, 0, "repeat", {"days": days[-3:]})


def _is_temporary(url: str, rules: Rules) -> bool:
    try:
        return canonicalise(url, rules).temporary
    except NotAWebAddress:
        return False


def find_tracking_parameters(url: str, rules: Rules) -> tuple[str, ...]:
    """Find the parameters of an address that only track, in their order.

    A temporary address needs all its parameters, and a redirect holds its target in them: neither has any to find.
    """
    try:
        address = canonicalise(url, rules)
        redirects = urlsplit(address.url).hostname != urlsplit(url).hostname
        return () if address.temporary or redirects else find_idle_parameters(url, rules)
    except ValueError:
        return ()


# ---- Fixes that need no editor


def fix_issue(issue: Issue, rules: Rules) -> Issue:
    """Remove tracking parameters, and escape Liquid and forbidden tags.

    A reader sees no difference but shorter addresses.
    """

    def fix(markdown: str | None) -> str | None:
        return markdown and _fix_markdown(markdown, rules)

    frame: dict[str, Any] = {name: fix(getattr(issue, name)) for name in _FRAME}
    return replace(
        issue,
        **frame,
        sections=tuple(
            replace(
                section,
                notes=fix(section.notes),
                closing=fix(section.closing),
                entries=tuple(
                    replace(entry, markdown=_fix_markdown(entry.markdown, rules)) for entry in section.entries
                ),
            )
            for section in issue.sections
        ),
    )


def _fix_markdown(markdown: str, rules: Rules) -> str:
    lines = markdown.split("\n")
    code = find_code_lines(lines)
    return "\n".join(line if number in code else _fix_line(line, rules) for number, line in enumerate(lines))


def _fix_line(line: str, rules: Rules) -> str:
    for url in sorted(inline.find_urls(line), key=len, reverse=True):  # an address may begin with a shorter one
        if tracking := find_tracking_parameters(url, rules):
            line = line.replace(url, _remove_parameters(url, tracking))
    pieces = re.split(r"(`[^`\n]*`)", line)  # every second piece is a code span, where a backslash would be visible
    return "".join(piece if index % 2 else _escape_markup(piece) for index, piece in enumerate(pieces))


_ESCAPES: Final = (
    (re.compile(r"\\?\{%"), r"\\{&#37;"),
    (re.compile(r"\\?\{(?=\{)"), r"\\{"),
    (re.compile(r"(?<=\\\{)\{"), r"\\{"),
    (_EXTENSION, r"\\{"),
    (_TAG, r"\\<"),
)


def _escape_markup(text: str) -> str:
    for pattern, replacement in _ESCAPES:
        text = pattern.sub(replacement, text)
    return text


def _remove_parameters(url: str, names: Sequence[str]) -> str:
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if _read_parameter_name(pair) not in names]
    return urlunsplit(parts._replace(query="&".join(pairs)))


def _read_parameter_name(pair: str) -> str:
    """Read the name of a parameter; Markdown may have `&amp;` before it in place of `&`."""
    return unquote(pair.partition("=")[0]).removeprefix("amp;")
