"""Lint: every finding has a place, a reason and a way out; what is safe is put right; what changed since shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from builders import NOON
from commands import Cli
from databases import write_new_database
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from servers import http, serving

from crawler.home import Home, bundled
from pipelines.issue.lint import Finding, Records, fix_issue, lint
from pipelines.model import Entry, Issue, LinkCheck, Section
from pipelines.newsletter import Frame, load_newsletter
from pipelines.rules import load_rules

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
RULES = load_rules(Home(bundled()))
GOOD = "[题 | 源](https://e.org/1)\n摘要：说了一件事。"


def issue(*entries: str, **values: Any) -> Issue:
    sections = (Section("论文", tuple(map(Entry, entries))),)
    return Issue(date(2026, 11, 1), "简报", sections, headline="甲", guide="乙", **values)


def found(
    one: Issue, *, heard: Mapping[str, LinkCheck] = {}, changed: Mapping[int, Sequence[Finding]] = {}
) -> list[Finding]:
    entries = [entry for section in one.sections for entry in section.entries]
    said = lint(one, NEWSLETTER, RULES, Records([()] * len(entries), {}, changed, heard))
    return [each for each in said if each.kind != "filling"]


def words_of(one: Issue) -> list[str]:
    return [entry.markdown for section in one.sections for entry in section.entries]


def kinds(one: Issue) -> list[tuple[str, int]]:
    return [(each.kind, each.line) for each in found(one)]


@pytest.mark.parametrize(
    ("entry", "kind", "line"),
    [
        ("[题 | 源]()\n摘要：说了。", "empty-link", 0),
        (f"{GOOD}\n见[文档]( )。", "empty-link", 2),
        (
            "[题 | 源](https://mp.weixin.qq.com/s?src=11&timestamp=1&ver=2&signature=a*b)\n摘要：说了。",
            "temporary-link",
            0,
        ),
        ("[题 | 源](javascript:alert)\n摘要：说了。", "bad-link", 0),
        ("题 | 源\n摘要：说了。", "no-link", 0),
        ("[题](https://e.org/1)\n摘要：说了。", "no-source", 0),
        ("[题 | 源](https://e.org/1)\n摘要：", "no-summary", 1),
        ("[题 | 源](https://e.org/1)\n摘要：" + "长" * 301, "long-summary", 1),
        ("[题 | 源](https://e.org/1)\n摘要：没有说完……", "torn-summary", 1),
        (f"{GOOD}\n{{{{ site.title }}}}", "markup", 2),
        (f"{GOOD}\n{{% include x %}}", "markup", 2),
        (f"{GOOD}\n{{: .class}}", "markup", 2),
        (f"{GOOD}\n<script>x</script>", "markup", 2),
        ("[题 | 源](https://e.org/1?id=7&utm_source=x)\n摘要：说了。", "tracking", 0),
    ],
)
def test_a_finding_says_where_why_and_what_to_do(entry: str, kind: str, line: int) -> None:
    (one,) = [each for each in found(issue(GOOD, entry)) if each.kind == kind]
    assert (one.part, one.position, one.line) == ("entry", 1, line)
    assert one.text("zh")
    assert one.advice("zh")


def test_a_good_entry_has_nothing_to_be_said_of() -> None:
    long_english = "[A | b](https://e.org/2)\n摘要：" + "It is twice as fast as it was before. " * 10
    assert (
        kinds(
            issue(
                GOOD, r"[a \{\{ b \<script> | 源](https://e.org/1?id=7)" + "\n摘要：说了 `x = {a: 1}`。", long_english
            )
        )
        == []
    )


def test_nothing_is_missed_that_the_newsletter_does_not_print() -> None:
    bare = NEWSLETTER.model_copy(
        update={
            "labels": NEWSLETTER.labels.model_copy(update={"summary": "", "source_separator": ""}),
            "frame": Frame(entry="{title}", summary="", headline_items=0, guide=False),
        }
    )
    without_overview = replace(issue("只有一句话"), headline=None, guide=None)
    said = [finding.code for finding in lint(without_overview, bare, RULES, Records([()], {}))]
    assert [code for code in said if not code.startswith("filling/")] == []


def test_a_summary_without_a_label_is_named_all_the_same() -> None:
    bare = NEWSLETTER.model_copy(update={"labels": NEWSLETTER.labels.model_copy(update={"summary": ""})})
    said = lint(issue("[题 | 源](https://e.org/1)"), bare, RULES, Records([()], {}))
    assert "摘要是空的" in [finding.text("zh") for finding in said]


def test_what_stands_around_the_entries_is_looked_at_too() -> None:
    one = issue(
        GOOD,
        notice="[注]()",
        preamble="- 一\n- [二](https://mp.weixin.qq.com/s?signature=x&timestamp=1)",
        footer="{{ site.time }}",
    )
    one = replace(one, sections=(replace(one.sections[0], closing="[完]()"),))
    assert [(each.part, each.kind, each.line) for each in found(one)] == [
        ("notice", "empty-link", 0),
        ("preamble", "temporary-link", 1),
        ("section", "empty-link", 0),
        ("footer", "markup", 0),
    ]


def test_sections_are_filled_as_wanted_or_it_is_said() -> None:
    said = lint(issue(*[GOOD] * 5), NEWSLETTER, RULES, Records([()] * 5, {}))
    assert [each.text("zh") for each in said if each.kind == "filling"] == ["目标 4 条，现有 5 条"]


def test_a_link_printed_before_or_twice_is_named() -> None:
    keys = [("k",), ("k", "old")]
    said = lint(issue(GOOD, GOOD), NEWSLETTER, RULES, Records(keys, {"old": [date(2020, 1, 27), date(2026, 11, 1)]}))
    assert [(each.kind, each.position, each.text("zh")) for each in said if each.kind in ("twice", "repeat")] == [
        ("twice", 1, "和第 1 条的链接相同"),
        ("repeat", 1, "链接已在 2020-01-27 收录"),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("见[文档](#)。", "bad-link"),
        ("见[文档](javascript:x)。", "bad-link"),
        ("见[文档](https://e.org@evil.example/)。", "bad-link"),
        ("见[](https://e.org/2)。", "empty-link"),
        ("见[ ](https://e.org/2)。", "empty-link"),
        ('<link rel="stylesheet" href="https://e.org/x.css">', "markup"),
        ('<meta http-equiv="refresh" content="0">', "markup"),
        ("<plaintext>", "markup"),
        ("```sh", "markup"),
    ],
)
def test_a_link_without_words_or_aim_and_a_forbidden_tag_are_told_wherever_they_stand(text: str, kind: str) -> None:
    assert kinds(issue(f"{GOOD}\n{text}")) == [(kind, 2)]
    assert kinds(issue(GOOD, preamble=text)) == [(kind, 0)]


def test_a_relative_link_and_a_linked_picture_around_the_entries_are_no_fault() -> None:
    assert kinds(issue(GOOD, footer="[往期](../README.md) ![码](../qr.jpg) [![图](a.png)](https://e.org)")) == []


@pytest.mark.parametrize("text", ["- 又一条", "-[又一条](https://e.org/2)", "## 小标题", "----", "***"])
def test_a_line_that_would_end_the_entry_where_it_is_read_again_is_told(text: str) -> None:
    assert ("markup", 2) in kinds(issue(f"{GOOD}\n{text}"))


@pytest.mark.parametrize("text", ["```sh\n- 又一条\n## 小标题\n```", "  - 分项", "* 分项", "### 小标题", "# 注释"])
def test_lists_and_code_within_an_entry_are_no_fault(text: str) -> None:
    assert kinds(issue(f"{GOOD}\n{text}")) == []


def test_what_was_heard_of_a_link_and_of_a_source_is_said() -> None:
    url = "https://e.org/1"
    dead, moved, there = (LinkCheck(url, NOON, state, "https://e.org/2") for state in ("gone", "moved", "there"))  # type: ignore[arg-type]
    assert [each.kind for each in found(issue(GOOD), heard={url: dead})] == ["dead-link"]
    (one,) = found(issue(GOOD), heard={url: moved})
    assert (one.kind, one.advice("zh")) == ("moved-link", "改成 https://e.org/2")
    assert found(issue(GOOD), heard={url: there}) == []
    changed = Finding("entry", 0, 0, "changed/text", {"day": NOON.date(), "title": "题"})
    assert found(issue(GOOD), changed={0: [changed]}) == [changed]


# Putting right


def test_what_is_safe_is_put_right_and_nothing_else() -> None:
    before = issue(
        "[题 | 源](https://e.org/1?utm_source=x&id=7&utm_medium=y#p)\n"
        "摘要：{{ x }} {% y %} `{{ z }}` <script>。\n```\n{{ z }}\n```",
        "[题 | 源](https://mp.weixin.qq.com/s?__biz=MzA3&mid=1&idx=1&sn=ab&chksm=cd&scene=0)\n摘要：说了。",
        preamble="{: .x}",
    )
    after = fix_issue(before, RULES)
    assert [entry.markdown for entry in after.sections[0].entries] == [
        "[题 | 源](https://e.org/1?id=7#p)\n摘要：\\{\\{ x }} \\{&#37; y %} `{{ z }}` \\<script>。\n```\n{{ z }}\n```",
        "[题 | 源](https://mp.weixin.qq.com/s?__biz=MzA3&mid=1&idx=1&sn=ab)\n摘要：说了。",
    ]
    assert after.preamble == "\\{: .x}"
    assert {each.kind for each in found(after)} <= {"markup"}  # what stands in code is the editor's to put right
    assert fix_issue(after, RULES) == after


def test_an_address_that_begins_with_another_keeps_its_own_end() -> None:
    (after,) = words_of(
        fix_issue(
            issue("[题 | 源](https://e.org/1?utm_source=a) [二](https://e.org/1?utm_source=a_b) https://e.org/1"), RULES
        )
    )
    assert after == "[题 | 源](https://e.org/1) [二](https://e.org/1) https://e.org/1"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/r/issues?q=is%3Aopen",
        "https://github.com/o/r/blob/main/x.md?plain=1#L10",
        "https://www.youtube.com/watch?v=abcdefghijk&t=30s",
        "https://openreview.net/forum?id=abc&noteId=x",
        "https://www.bilibili.com/video/BV1abcdefghi?p=2",
    ],
)
def test_what_says_where_on_a_page_a_reader_shall_look_is_no_tracking(url: str) -> None:
    before = issue(f"[题 | 源]({url})\n摘要：说了。")
    assert kinds(before) == []
    assert fix_issue(before, RULES) == before


@pytest.mark.parametrize(
    "text",
    [r"\{{ x }}", r"\{% x %}", "{{{ x }}}", "{{% x %}}", r"\\{{ x }}", "{{{{ x", r"{\{{ x }}"],
)
def test_liquid_knows_no_backslash_so_none_is_left_standing(text: str) -> None:
    before = issue(f"{GOOD}\n{text}")
    assert ("markup", 2) in kinds(before)
    after = fix_issue(before, RULES)
    assert not re.search(r"\{[{%]", words_of(after)[0])
    assert kinds(after) == []
    assert MarkdownIt().render(words_of(after)[0]) == MarkdownIt().render(words_of(before)[0])


@given(
    st.lists(
        st.sampled_from([*"甲a{}%<>\\`&=? \n", "{{", "{%", "<script>", "https://e.org/?utm_source=x&a=1", "[x](", ")"])
    ).map("".join)
)
def test_putting_right_twice_is_putting_right_once(text: str) -> None:
    once = fix_issue(issue(text), RULES)
    assert fix_issue(once, RULES) == once


# The command


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    cli = Cli(tmp_path / "newsletter")
    cli("init", str(cli.home))
    write_new_database(cli.home / "var" / "jianbao.db")
    return cli


def add(cli: Cli, tmp_path: Path, **values: str) -> None:
    item = {"url": "https://e.org/1?utm_source=x", "title": "小模型", "published_at": "2026-11-20", **values}
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps(item) + "\n", encoding="utf-8")
    cli("add", str(path))


def told(cli: Cli, *words: str, code: int = 1) -> list[dict[str, Any]]:
    (row,) = json.loads(cli("issue", "lint", *words, "--json", code=code))["issues"]
    return list(row["findings"])


def test_an_article_edited_after_it_was_picked_shows_it_and_its_snapshot_stays(cli: Cli, tmp_path: Path) -> None:
    add(cli, tmp_path, text="这个模型压到了一兆以下，几乎不掉精度。")
    cli("decide", "1", "pick", "--issue", "2026-11-25")
    assert not [one for one in told(cli) if one["kind"] == "changed"]
    add(cli, tmp_path, title="小模型（更正）", text="更正：这个模型压到了两兆以下，掉了一点精度。")
    said = [one["text"] for one in told(cli) if one["kind"] == "changed"]
    assert [re.sub(r"\d{4}-\d\d-\d\d", "DAY", one) for one in said] == [
        "DAY 选用之后，标题由「小模型」改成了「小模型（更正）」",
        "DAY 选用之后，「小模型」的正文改过，多了 3 字",
    ]
    from pipelines.newsroom import Newsroom  # noqa: PLC0415

    with Newsroom(Home(cli.home)).store.reading() as tx:
        kept = tx.snapshots.get_newest([1])[1]
    assert (kept.title, kept.text) == ("小模型", "这个模型压到了一兆以下，几乎不掉精度。")
    assert len(kept.hash) == 64


def test_fix_changes_the_draft_and_can_be_taken_back_and_lint_says_what_is_left(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "2026-11-01.md").write_text(
        "# 试刊 (2026-11-01) 甲\n\n> 导读：{{ x }}\n\n## 论文\n\n- [题 | 源](https://e.org/9?utm_source=x)\n摘要：说了。\n",
        encoding="utf-8",
    )
    add(cli, tmp_path)
    cli("decide", "1", "pick", "--issue", "2026-11-25")
    before = cli("issue", "show", "2026-11-25")
    cli("issue", "lint", "--fix", code=1)
    assert cli("issue", "show", "2026-11-25") == before, "a draft is written clean"


def test_all_issues_are_looked_at_on_one_command(cli: Cli, tmp_path: Path) -> None:
    for day in ("2026-10-01", "2026-10-15"):
        text = f"# 试刊 ({day}) 甲\n\n## 论文\n\n- [题 | 源](https://e.org/9)\n摘要：说了。\n"
        (tmp_path / f"{day}.md").write_text(text, encoding="utf-8")
    cli("archive", "import", *map(str, sorted(tmp_path.glob("*.md"))))
    said = cli("issue", "lint", "--all", code=1)
    assert "2026-10-01 第 1 条 题：链接已在 2026-10-15 收录" in said
    assert "2026-10-15 第 1 条 题：链接已在 2026-10-01 收录" in said


PAGE = (
    "<html><head><title>{title}</title><link rel=canonical href='{url}'></head><body><article><h1>{title}</h1>"
    + "<p>{text}</p>" * 6
    + "</article></body></html>"
)


@pytest.mark.slow
def test_online_a_link_that_is_gone_or_moved_is_told_and_an_edited_article_too(cli: Cli, tmp_path: Path) -> None:
    """Links are opened only when asked for, and only through the crawler's guards."""
    with serving({"/robots.txt": http(404)}) as site:
        toml = cli.home / "newsletter.toml"
        text = re.sub(r"allow_hosts = .*", f'allow_hosts = ["{site.place}"]', toml.read_text(encoding="utf-8"))
        toml.write_text(f'{text}\n[network.hosts]\n"{site.place}" = {{ delay = 0 }}\n', encoding="utf-8")
        long = "这个模型压到了一兆以下，几乎不掉精度，在单片机上也跑得动，代码已经开源。"
        for path, said in (("/here", long), ("/edited", long.replace("一兆", "两兆"))):
            page = PAGE.format(title=f"文章{path}", url=site.base + path, text=said)
            site.answers[path] = http(body=page, content_type="text/html; charset=utf-8")
        site.answers["/moved"] = http(301, location=f"{site.base}/here")
        add(cli, tmp_path, url=f"{site.base}/edited", title="文章/edited", text=f"文章/edited\n{long * 3}")
        cli("decide", "1", "pick", "--issue", "2026-11-25")
        entries = "".join(f"- [题{one} | 源]({site.base}/{one})\n摘要：说了。\n" for one in ("here", "moved", "dead"))
        (tmp_path / "2026-11-01.md").write_text(f"# 试刊 (2026-11-01)\n\n## 论文\n\n{entries}", encoding="utf-8")
        cli("archive", "import", str(tmp_path / "2026-11-01.md"))
        cli("issue", "lint", "--all", code=1)
        assert site.seen == []
        command = [
            sys.executable,
            "-m",
            "pipelines.cli",
            "--home",
            str(cli.home),
            "issue",
            "lint",
            "--all",
            "--online",
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1, done.stderr
    rows = {row["date"]: row["findings"] for row in json.loads(done.stdout)["issues"]}
    links = [(one["kind"], one["url"]) for one in rows["2026-11-01"] if one["kind"] in ("dead-link", "moved-link")]
    assert links == [("moved-link", f"{site.base}/moved"), ("dead-link", f"{site.base}/dead")]
    assert any("正文改过" in one["text"] for one in rows["2026-11-25"])
    assert [one["kind"] for one in told(cli, "2026-11-01") if one["kind"] == "dead-link"], "it is remembered"


# The archive, counted by plain regexes first


def printed(text: str) -> Iterator[str]:
    """The items of an issue: from a bullet at the start of a line to the next, within sections."""
    body = re.split(r"(?m)^## .*往期", text)[0]
    for section in re.split(r"(?m)^## ", body)[1:]:
        inside = re.split(r"(?m)^-{3,}", section)[0]
        yield from re.split(r"(?m)^(?: ?[-*] (?=\S)|-(?=\[))", inside)[1:]


def things(item: str) -> set[str]:
    """Addresses, papers and repositories, as plain regexes know them."""
    urls = {url.rstrip(".,;:!?)'") for url in re.findall(r"https?://[A-Za-z0-9\-._~:/?#@!$&'*+,;=%()]+", item)}
    papers = {f"arxiv:{one}" for one in re.findall(r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})", item)}
    repositories = {f"github:{one.lower()}" for one in re.findall(r"github\.com/([\w-]+/[\w-]+)", item)}
    return urls | papers | repositories


@pytest.mark.slow
@pytest.mark.archive
def test_lint_finds_every_temporary_and_empty_link_and_every_repeat_of_the_archive(archive: Path, cli: Cli) -> None:
    """Prints its counts with -s."""
    paths = sorted(archive.glob("*.md"))
    texts = {path.stem: path.read_bytes().decode(errors="ignore") for path in paths}
    temporary = {day: re.findall(r"mp\.weixin\.qq\.com/s\?[^\s)]*signature=", text) for day, text in texts.items()}
    empty = {day: re.findall(r"\]\(\s*\)", text) for day, text in texts.items()}
    items = {day: list(printed(text)) for day, text in texts.items()}
    bare = {day: [one for one in mine if "http" not in one.split("\n")[0]] for day, mine in items.items()}
    days: dict[str, list[str]] = defaultdict(list)
    for day, mine in items.items():
        for item in mine:
            for one in things(item):
                days[one].append(day)
    cli("archive", "import", *map(str, paths))
    told = json.loads(cli("issue", "lint", "--all", "--json", code=1))["issues"]
    rows = {row["date"]: row["findings"] for row in told}
    said = {day: Counter(one["kind"] for one in found) for day, found in rows.items()}
    again = {thing: found for thing, found in days.items() if len(set(found)) > 1}
    twice = {thing: found for thing, found in days.items() if len(set(found)) < len(found)}
    names = ("temporary-link", "empty-link", "no-link", "twice", "repeat")
    counted = [sum(map(len, one.values())) for one in (temporary, empty, bare)]
    lines = [*map(str, counted), f"{len(twice)} things", f"{len(again)} things"]
    for name, plainly in zip(names, lines, strict=True):
        print(f"\n{name}: {plainly} by regex, {sum(one[name] for one in said.values())} by lint", end="")  # noqa: T201
    for day in texts:
        assert said[day]["temporary-link"] == len(temporary[day]), day
        assert said[day]["empty-link"] == len(empty[day]), day
        assert said[day]["no-link"] == len(bare[day]), day
    missed = [
        (day, thing)
        for thing, found in again.items()
        for day in set(found)
        if not any(one["kind"] == "repeat" and any(x in one["text"] for x in set(found) - {day}) for one in rows[day])
    ]
    missed += [
        (day, thing)
        for thing, found in twice.items()
        for day in found
        if found.count(day) > 1 and not said[day]["twice"]
    ]
    assert missed == []


@pytest.mark.parametrize(
    ("marker", "line_indexes"), [("- ", [1]), ("{n}、", [2]), ("### ", [3]), ("* ", [4])], ids=["-", "1、", "###", "*"]
)
def test_a_line_that_begins_as_the_entries_of_its_section_do_ends_the_entry(
    marker: str, line_indexes: list[int]
) -> None:
    text = "[甲 | 源](https://e.org/)\n- 乙\n2、丙\n### 丁\n* 戊\n<!--\n- 撤下\n3、撤下\n### 撤下\n* 撤下\n-->"
    written = Issue(date(2026, 11, 1), "简报", (Section("论文", (Entry(text),), marker=marker),))
    ending = [each.line for each in found(written) if each.code == "markup/ends-entry"]
    assert ending == line_indexes
