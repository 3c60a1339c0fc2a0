"""What an editor should look at again before an issue goes out: where, why, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
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

_LIQUID: Final = re.compile(r"\{(?=[{%])")  # Liquid knows no backslash
_EXTENSION: Final = re.compile(r"(?<!\\)\{(?=:)")
_TAG: Final = re.compile(
    r"(?<!\\)<(?=/?(?:script|style|link|meta|base|i?frame|object|embed|form|svg|math|template|textarea|title|xmp|plaintext)\b)",
    re.IGNORECASE,
)
_CLEAN_WORDS: Final = "去掉：{}（--fix 可代劳）"
_LIQUID_WORDS: Final = r"写成 \{\{、\{&#37; 或 \{:（--fix 可代劳，代码里的除外）"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at.

    Args:
        part: a part of the issue by its name in `Issue`, `section` or `entry`.
        position: of the section or of the entry, among all of the issue's, from 0; 0 for the other parts.
        line: of the part's or entry's Markdown, from 0.
        text: what is the matter, in the editor's words.
        kind: what sort of thing it is, for scripts.
        advice: what to do about it.
        url: the address that it is about, if any.
    """

    part: str
    position: int
    line: int
    text: str
    kind: str = field(default="", compare=False)
    advice: str = field(default="", compare=False)
    url: str = field(default="", compare=False)


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
    changed: Mapping[int, Sequence[str]] = field(default_factory=dict)
    heard: Mapping[str, Heard] = field(default_factory=dict)


def lint(issue: Issue, newsletter: Newsletter, rules: Rules, known: Known) -> list[Finding]:
    """Everything that a second look is worth, in print order.

    Args:
        rules: what tells an address that soon dies, and what of one only tracks.
    """
    found = []
    if not issue.headline:
        found.append(
            Finding("headline", 0, 0, "还没有要目", "no-headline", "写在标题日期之后：甲/乙/丙；编辑台里按 H 起草")
        )
    if not issue.guide:
        found.append(
            Finding(
                "guide", 0, 0, f"还没有{newsletter.labels.guide}", "no-guide", "按栏目各写一两句；编辑台里按 D 起草"
            )
        )
    for name in _FRAME[:5]:
        found += _of_frame(name, 0, getattr(issue, name), rules, known.heard)
    at = 0
    seen: dict[str, int] = {}
    for place, section in enumerate(issue.sections):
        found += _of_section(place, section, newsletter)
        for words in (section.notes, section.closing):
            found += _of_frame("section", place, words, rules, known.heard)
        for entry in section.entries:
            found += _of_entry(at, entry, newsletter, rules, known.heard)
            found += _repeats(issue, at, known, seen, read_entry(entry.markdown, newsletter).urls)
            for text in known.changed.get(at, ()):
                found.append(Finding("entry", at, 0, text, "changed", "对照原文，看摘要是否还成立"))
            at += 1
    for name in _FRAME[5:]:
        found += _of_frame(name, 0, getattr(issue, name), rules, known.heard)
    return found


_FRAME: Final = ("headline", "tagline", "notice", "guide", "preamble", "back_issues", "footer")


def _of_section(place: int, section: Section, newsletter: Newsletter) -> Iterator[Finding]:
    category = newsletter.category(section.name)
    count = len(section.entries)
    if category is None:
        advice = f"改成：{'、'.join(newsletter.category_names)}"
        yield Finding("section", place, 0, "不是这份简报的栏目", "unknown-section", advice)
    elif count != category.quota:
        advice = "移走或去掉几条" if count > category.quota else "从候选里再选几条"
        yield Finding("section", place, 0, f"目标 {category.quota} 条，现有 {count} 条", "filling", advice)


def _of_frame(
    name: str, position: int, words: str | None, rules: Rules, heard: Mapping[str, Heard]
) -> Iterator[Finding]:
    """Links and markup of a part that is no entry."""
    for at, text, kind, advice, url in _of_lines((words or "").split("\n"), rules, heard):
        yield Finding(name, position, at, text, kind, advice, url)


def _of_entry(
    position: int, entry: Entry, newsletter: Newsletter, rules: Rules, heard: Mapping[str, Heard]
) -> Iterator[Finding]:
    view = read_entry(entry.markdown, newsletter)
    lines = entry.markdown.split("\n")
    if read_machine_line(entry.markdown, newsletter) is not None:
        text = f"{newsletter.labels.machine}还没有人认可，导出时不写"
        yield Finding("entry", position, 0, text, "machine-summary", "jianbao assist 编号 --accept 或 --reject")
    if view.url is None:
        yield Finding("entry", position, 0, "没有链接", "no-link", "补上原文的网址")
    if not view.title:
        yield Finding("entry", position, 0, "没有标题", "no-title", "补上标题")
    if view.title and not (view.source or view.prefixes or view.repository):
        advice = f"在标题后写上来源：标题{newsletter.labels.source_separator}来源"
        yield Finding("entry", position, 0, "没有来源", "no-source", advice)
    for at, text in _structure(lines):
        yield Finding("entry", position, at, text, "markup", "缩进两格、换成 * 或放进代码块")
    for at, line in enumerate(lines):
        for link in inline.find_links(line):
            if _is_relative(link.url):
                text = f"这个链接不能用：{link.url[:80]}"
                yield Finding("entry", position, at, text, "bad-link", "换成 http(s) 网址", link.url)
    for at, text, kind, advice, url in _of_lines(lines, rules, heard):
        yield Finding("entry", position, at, text, kind, advice, url)
    for at, text, kind, advice in _of_summary(view, lines, newsletter):
        yield Finding("entry", position, at, text, kind, advice)


def _of_lines(
    lines: Sequence[str], rules: Rules, heard: Mapping[str, Heard]
) -> Iterator[tuple[int, str, str, str, str]]:
    code = find_code_lines(lines)
    for at, line in enumerate(lines):
        for link in inline.find_links(line):
            if not link.url:
                yield (
                    at,
                    f"链接是空的：{inline.strip_marks(link.markdown)[:40]}",
                    "empty-link",
                    "补上网址，或去掉方括号",
                    "",
                )
            elif not link.image and not link.markdown.strip():
                yield at, f"链接没有文字：{link.url[:80]}", "empty-link", "在方括号里写上文字", link.url
            if link.url and make_printable_url(link.url) is None and not _is_relative(link.url):
                yield at, f"这个链接不能用：{link.url[:80]}", "bad-link", "换成 http(s) 网址", link.url
        for url in inline.find_urls(line):
            for text, kind, advice in _of_url(url, rules, heard.get(url)):
                yield at, text, kind, advice, url
        if at not in code and re.match(r"\s*(?:```|~~~)", line):
            yield at, "代码块没有闭合，后面的都会变成代码", "markup", "补上收尾的一行", ""
        if _LIQUID.search(line) or (at not in code and _EXTENSION.search(line)):
            yield at, "{{、{% 或 {: 会被 Jekyll 当成指令", "markup", _LIQUID_WORDS, ""
        if at not in code and _TAG.search(line):
            yield at, "有不该出现的 HTML 标签", "markup", "在 < 前加反斜杠（--fix 可代劳）", ""


def _is_relative(url: str) -> bool:
    """Whether an address is one of the site's own files: fine around the entries, not in them.

    >>> _is_relative("../a.jpg"), _is_relative("#"), _is_relative("javascript:x"), _is_relative("//e.org")
    (True, False, False, False)
    """
    return bool(re.match(r"(?!//)[^\s#:]", url) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url))


def _structure(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Lines that would not be part of the entry any more once the issue is written and read again."""
    code = find_code_lines(lines)
    for at, line in enumerate(lines):
        if at and at not in code and re.match(r"##(?!#)|- (?=\S)|-(?=\[)| {0,3}([-*_])(?: *\1){2,} *$", line):
            yield at, "这一行会让条目到此为止：像是新的条目、栏目或分隔线"


def _of_url(url: str, rules: Rules, heard: Heard | None) -> Iterator[tuple[str, str, str]]:
    if _dies(url, rules):
        yield "这是临时链接，几小时后就打不开了", "temporary-link", "在浏览器里打开，换成永久链接"
    elif extra := tracking(url, rules):
        yield f"链接带着跟踪参数：{'、'.join(extra)}", "tracking", _CLEAN_WORDS.format("、".join(extra))
    if heard is not None and heard.state == "gone":
        yield f"链接打不开了（{heard.at.date()} 查过）：{heard.detail}", "dead-link", "换一个转载或存档，或去掉这一条"
    if heard is not None and heard.state == "moved":
        yield f"链接转到了别处（{heard.at.date()} 查过）：{heard.detail}", "moved-link", f"改成 {heard.detail}"


def _of_summary(view: EntryView, lines: Sequence[str], newsletter: Newsletter) -> Iterator[tuple[int, str, str, str]]:
    word = newsletter.labels.summary
    said = "".join(view.summary)
    at = next((at for at, line in enumerate(lines) if line.lstrip("*- ").startswith(word)), len(lines) - 1)
    if not said:
        yield at, f"{word}是空的", "no-summary", "写两三句：讲了什么，结果如何"
    elif len(said) > choose_bounds(said).most:
        yield at, f"{word}有 {len(said)} 个字，偏长", "long-summary", f"删到 {choose_bounds(said).most} 字以内"
    elif said.endswith(("…", "...")):
        yield at, f"{word}像是没有写完", "torn-summary", "补完最后一句"


def _repeats(issue: Issue, at: int, known: Known, seen: dict[str, int], urls: Sequence[str]) -> Iterator[Finding]:
    """What it shares with an entry before it, be it an address that has no key; and what was printed before."""
    keys = known.keys[at]
    twin = next((seen[key] for key in (*keys, *urls) if key in seen), None)
    if twin is not None:
        yield Finding("entry", at, 0, f"和第 {twin + 1} 条的链接相同", "twice", "两条并成一条")
    for key in (*keys, *urls):
        seen.setdefault(key, at)
    days = sorted({day for key in keys for day in known.printed.get(key, ()) if day != issue.date})
    if days:
        text = f"链接已在 {'、'.join(map(str, days[-3:]))} 收录"
        yield Finding("entry", at, 0, text, "repeat", "是后续就写明「后续」，否则去掉")


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
