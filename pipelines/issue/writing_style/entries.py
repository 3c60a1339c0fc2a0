"""Learns the form of entries: the first line, what names the source, what leads the summary, the labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from pipelines.issue import inline
from pipelines.issue.entry import read_entry
from pipelines.issue.lines import find_code_lines
from pipelines.issue.markdown import HARD_BREAK
from pipelines.issue.shapes import is_address_alone
from pipelines.issue.writing_style.printed import PrintedIssue, double_braces, find_usual
from pipelines.model import Entry
from pipelines.newsletter import Newsletter

_USUAL: Final = 0.5
"""Of the entries of a section, the share of a form that is the section's."""

# "：", ": ", " - "
_BEFORE_SUMMARY: Final = re.compile(r"\s*[：:—–|-]+\s*(?=\S)")
# the indent of a list's next line, a quotation
_BEFORE_TEXT: Final = re.compile(r"\n*(?P<indent> {0,4}(?:> ?)?)(?![ \t]|[-*+] )")
# "[@lin](https://github.com/lin)："
_SIGNATURE: Final = re.compile(r"\[(?P<mark>@?)(?P<name>[^\]]+)\]\((?P<url>[^()\s]+)\)(?P<colon>\s*[:：]\s*)")


_LINKED: Final = "[{title}]({url})"


def learn_form(entries: Sequence[Entry], newsletter: Newsletter) -> dict[str, Any]:
    """Learn `entry`, `source` and `summary`: the first line, what names the source, what leads the summary."""
    heads: Counter[str] = Counter()
    summaries: Counter[str] = Counter()
    signatures = []
    label = newsletter.labels.begin_line(newsletter.labels.summary).strip()
    labelled = 0
    split_entries = [_split_entry(entry.markdown.lstrip("\n")) for entry in entries]
    source = _learn_source([behind for _, behind, _ in split_entries])
    for entry, (head, whole_behind, below) in zip(entries, split_entries, strict=True):
        stripped = entry.markdown.lstrip("\n")
        heads[entry.markdown[: -len(stripped)] + head if stripped else head] += 1
        lead = _BEFORE_TEXT.match(below)
        text = below[lead.end() :] if lead else below
        labelled += bool(label) and any(line.strip().startswith(label) for line in entry.markdown.split("\n"))
        signature = _SIGNATURE.match(text)
        if signature:
            signatures.append(signature)
        behind = _remove_source(whole_behind, source)
        separator = _BEFORE_SUMMARY.match(behind)
        has_text_below = any(
            paragraph.strip() and not paragraph.startswith(("![", "<")) for paragraph in text.split("\n\n")
        )
        if separator and not (has_text_below and _is_source(behind)):
            cell_end = " |" if "|" in separator[0] and behind.endswith("|") else ""
            summaries[f"{separator[0]}{{summary}}{cell_end}"] += 1
        elif has_text_below:
            indent = lead["indent"] if lead else ""
            gap = "\n\n" if below.startswith("\n") else "\n"
            summaries[f"{gap}{indent}{{summary}}"] += 1
        else:
            summaries[""] += 1
    form: dict[str, Any] = {"entry": _choose(heads), "source": source}
    if entries and labelled >= len(entries) * _USUAL and form["entry"] == _LINKED:
        form["entry"] = ""  # the usual form, behind whose title the label stands
    if entries and labelled < len(entries) * _USUAL:
        form["summary"] = _write_summary_form(summaries, signatures, len(entries))
    return form


_LONGEST_SOURCE: Final = 40
"""Characters of the name of a source behind a title."""
_LEAST_NAMES: Final = 2
"""Titles that a name stands behind, if nothing but a dash says that it is a source and no summary."""

# "（英文）", " — The Times", " | 机器之心", "，作者：lin"
_SOURCE: Final = re.compile(
    r"(?P<lead>\s*[（(【\[]\s*|\s*[—–|｜·-]+\s*|\s+(?:by|via|from|@)\s+|\s*[，,]?\s*(?:来源|来自|作者|via|by)\s*[:：]?\s*)"
    rf"(?P<name>[^。！？!?|｜（）()【】\[\]]{{1,{_LONGEST_SOURCE}}}?)(?P<end>\s*[）)】\]])?"
)


def _learn_source(texts_behind: Sequence[str]) -> str:
    """Learn `source` from the texts behind the titles: brackets around a name, or a dash before one that comes back."""
    matches = [match for text in texts_behind if (match := _SOURCE.fullmatch(text)) and _is_source(text)]
    names = Counter(match["name"].strip() for match in matches)
    forms = Counter(
        f"{match['lead']}{{source}}{match['end'] or ''}"
        for match in matches
        if match["end"] or (match["lead"].strip() not in "（(【[" and names[match["name"].strip()] >= _LEAST_NAMES)
    )
    form, count = next(iter(forms.most_common(1)), ("", 0))
    return form if count >= max(len(texts_behind) * _USUAL, _LEAST_NAMES) else ""


def _remove_source(behind: str, form: str) -> str:
    """Remove the source in its form from the text behind a title."""
    lead, _, end = form.partition("{source}")
    match = _SOURCE.fullmatch(behind) if form else None
    return "" if match and (match["lead"], match["end"] or "") == (lead, end) else behind


def _is_source(behind: str) -> bool:
    """Whether what follows a title is a name, and no sentence: `— The Harbour Times`."""
    return len(behind) <= _LONGEST_SOURCE and not re.search(r"[。！？.!?|]\Z", behind)


def _split_entry(markdown: str) -> tuple[str, str, str]:
    """Split an entry into the form of its title, what follows the title in its line, and the lines below.

    An address in a line of its own below a title without a link belongs to the form.
    """
    line, _, below = markdown.partition("\n")
    links = [link for link in inline.find_links(line) if not link.image]
    if links:
        return *_split_head(line, links), below
    stars = "**" if re.fullmatch(r"\*\*[^*]+\*\*", line.rstrip()) else ""
    address, _, below_address = below.partition("\n")
    if is_address_alone(address):
        return f"{stars}{{title}}{stars}\n{{url}}", "", below_address
    return f"{stars}{{title}}{stars}", "", below


def _split_head(line: str, links: Sequence[inline.Link]) -> tuple[str, str]:
    """Split the first line of an entry into the form of its linked title, and what follows the title."""
    start, end = links[0].start, links[0].end
    lead = line[:start]
    target = re.match(r"(https?://[^(){}]*)https?://", links[0].url)
    linked = f"[{{title}}]({target[1] if target else ''}{{url}})"
    stars = "**" if lead.startswith("**") and line[end:].startswith("**") else ""
    if re.search(r"\w", lead):  # "第一篇 [标题](u)", "**01. [标题](u)**"
        return f"{stars}{linked}{stars}", line[end + len(stars) :].rstrip()
    stars = "**" if lead.endswith("**") and line[end:].startswith("**") else ""
    return f"{double_braces(lead)}{linked}{stars}", line[end + len(stars) :].rstrip()


def _choose(forms: Counter[str]) -> str:
    """Choose the form of the first line: with a link if any entry has one, with a mark (🐎) if most have some."""
    linked = Counter({form: count for form, count in forms.items() if "{url}" in form})
    chosen = linked or forms
    bare = Counter({form: count for form, count in chosen.items() if form.startswith("[")})
    marked = chosen - bare
    if not chosen:
        return _LINKED
    return (marked if marked.total() > bare.total() else bare).most_common(1)[0][0]


def _write_summary_form(summaries: Counter[str], signatures: Sequence[re.Match[str]], total: int) -> str:
    form = summaries.most_common(1)[0][0]
    if len(signatures) < total * _USUAL or "\n" not in form:
        return form
    hosts = Counter(
        match["url"][: -len(match["name"])] for match in signatures if match["url"].endswith("/" + match["name"])
    )
    address = double_braces(find_usual(hosts.elements()) or "")
    mark = find_usual(match["mark"] for match in signatures)
    colon = find_usual(match["colon"] for match in signatures)
    signature = f"[{mark}{{editor}}]({address}{{editor}}){colon}"
    return form.replace("{summary}", signature + "{summary}")


def learn_labels(entries: Sequence[Entry], newsletter: Newsletter) -> dict[str, str]:
    """Find the labels that the entries do not print: they are empty. Rare ones stay where any label line is printed."""
    views = [read_entry(entry.markdown, newsletter) for entry in entries]
    labels: dict[str, str] = {}
    label = newsletter.labels.begin_line(newsletter.labels.summary).strip()
    if not any(label in entry.markdown for entry in entries):
        labels["summary"] = ""
    if sum(view.source is not None for view in views) < len(views) * _USUAL:
        labels["source_separator"] = ""
    printed = {line.label for view in views for line in view.labels}
    if not printed & set(newsletter.labels.lines):
        labels |= dict.fromkeys(("paper", "code", "project", "document", "original", "link"), "")
    return labels


# "1、标题", "### 标题", "**标题**"
_NUMBERED: Final = re.compile(r"#{3,6} |\d{1,3}[、.] ?\S|\*\*\S")


def has_hard_breaks(printed: Sequence[PrintedIssue]) -> bool:
    """Whether most lines of lists that an export would break end with a hard break."""
    ends: Counter[bool] = Counter()
    for each in printed:
        lines = each.example.text.split("\n")
        code = find_code_lines(lines)
        for number, line in enumerate(lines):
            followed = bool("".join(lines[number + 1 : number + 2]).strip())
            if number not in code and (re.match(r"[-*+] ", line) or (followed and _NUMBERED.match(line))):
                ends[line.endswith(HARD_BREAK)] += 1
    return ends[True] >= ends[False]
