"""Newsletters of other shapes: learned from three made-up issues each, and the next one made from candidates.

Everything goes through the command line, as an editor uses it, and the export is compared line by line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from commands import Cli
from places import ROOT

from pipelines.issue.entry import read_entry
from pipelines.issue.entry_form import EntryParts, assemble_entry
from pipelines.issue.markdown import render_issue
from pipelines.issue.reading import read_issue
from pipelines.issue.reading_style import Example
from pipelines.newsletter import load_newsletter
from pipelines.newsroom.editing.learned_style import learn_style

SETTINGS = ROOT / "data/newsletter.toml"
FIRST = date(2026, 1, 5)
NEXT = 14
"""The number of the issue that is made; 11, 12 and 13 are the examples."""

TOPICS = ("灯塔", "潮汐", "海图", "罗盘", "信天翁", "船坞", "缆绳", "浮标", "锚链", "舷窗", "桅杆", "罗经")


@dataclass(frozen=True)
class Item:
    title: str
    url: str
    summary: str


def make_items(number: int, count: int) -> list[Item]:
    """Make the items of an issue: no two have words or addresses in common."""
    items = []
    for index in range(count):
        topic = TOPICS[(number * 3 + index) % len(TOPICS)]
        word = f"{topic}{'甲乙丙丁'[number % 4]}{'子丑寅卯辰巳'[index]}"
        summary = f"{word}讲的是怎样在大雾里找到回港的路，附有完整的步骤。"
        items.append(Item(f"{word}手册", f"https://example.org/{number}/{index}", summary))
    return items


def day_of(number: int) -> date:
    return FIRST + timedelta(days=7 * (number - 1))


def write_weekly(number: int, items: list[Item]) -> str:
    first, second = (
        "\n\n".join(f"{rank}、[{item.title}]({item.url})\n\n{item.summary}" for rank, item in enumerate(part, 1))
        for part in (items[:2], items[2:])
    )
    return (
        f"# 海边周刊（第 {number} 期）：\n\n这里记录每周的海上见闻，周一发布。\n\n"
        f"![](cover/{number}.png)\n\n## 新闻\n\n{first}\n\n## 工具\n\n{second}\n\n## 订阅\n\n每周一发布。\n"
    )


def write_running_numbers(number: int, items: list[Item]) -> str:
    lines = [f"{rank}、[{item.title}]({item.url})：{item.summary}" for rank, item in enumerate(items, 1)]
    return (
        f"# 《海港》第 {number} 期\n> 兴趣是最好的老师。\n\n## 目录\n\n"
        f"图片刷不出来，[点击](https://example.org/volume/{number}) 换一种方式。\n\n## 内容\n> 每月 28 号更新\n\n"
        f"### 灯塔 项目\n{lines[0]}\n\n{lines[1]}\n\n### 海图 项目\n{lines[2]}\n\n## 声明\n署名，请勿改编。\n"
    )


def write_bold_sections(number: int, items: list[Item]) -> str:
    first, second = (
        "\n\n".join(f"{'①②③④'[rank]} {item.title}" for rank, item in enumerate(part)) for part in (items[:3], items[3:])
    )
    return (
        f"# 海风潮流周刊#{number}：\n\n精选海上的文章。\n\n以下是本期标题：\n\n"
        f"**[🦄文章&教程](https://example.org/all)**\n\n{first}\n\n"
        f"**[🐿️项目&资源](https://example.org/all)**\n\n{second}\n\n"
        "欢迎订阅，之后可读[全文](https://example.org/read)。\n\n**关注海风**，[扫码](https://example.org/code)\n"
    )


def write_signed(number: int, items: list[Item]) -> str:
    first, second = (
        "\n\n".join(
            f"### 🐎 [{item.title}]({item.url})\n\n[@lin](https://example.com/lin)：{item.summary}" for item in part
        )
        for part in (items[:2], items[2:])
    )
    day = day_of(number)
    return (
        f"# 老船长周报 #{number} | {day}\n\n![header](header/{number}.png)\n老船长周报，只说海上的事。\n\n"
        f"## 文章\n\n{first}\n\n## 工具\n\n{second}\n\n## 说明\n\n🐎 很快就能读完；🐕 中等\n"
    )


def write_dated(number: int, items: list[Item]) -> str:
    first, second = ("\n\n".join(f"+ [{item.title}]({item.url})" for item in part) for part in (items[:2], items[2:]))
    packages = second.replace(")", f"): {items[2].summary}", 1)
    return (
        f"---\ntitle: Harbour {day_of(number):%G-W%V}\ndescription: News of the sea\n---\n\nSend us your links.\n\n"
        f"### Insights\n\n{first}\n\n### Packages\n\n{packages}\n\n### Connect\n\n<i>[Join](https://example.org/join)</i>\n"
    )


def write_fields(number: int, items: list[Item]) -> str:
    first, second = ("\n".join(f"* [{item.title}]({item.url})" for item in part) for part in (items[:2], items[2:]))
    return (
        f"Title: This Week at Sea {number}\nNumber: {number}\nDate: {day_of(number)}\nCategory: Sea\n\n"
        "Hello and welcome to *This Week at Sea*!\nWrite to us at any time.\n\n## Updates from the Community\n\n"
        f"<!-- one line for each -->\n\n### Official\n{first}\n\n### Tooling\n{second}\n\n"
        "## Jobs\n\nSee [the thread](https://example.org/jobs)\n"
    )


def write_gathered(number: int, items: list[Item]) -> str:
    first, second = (
        "\n\n".join(f"{rank}、[{item.title}]({item.url})\n\n{item.summary}" for rank, item in enumerate(part, 1))
        for part in (items[:2], items[2:])
    )
    return (
        f"# 海员爱好者周刊：第 {number} 期\n\n欢迎投稿，请[提交](https://example.org/new)。\n\n"
        f"![](imgs/issue{number}/cover.png)\n\n"
        f"## 资讯\n\n{first}\n\n## 资源&&工具\n\n{second}\n\n## 订阅\n\n![wechat](imgs/wechat.png)\n"
    )


def write_indented(number: int, items: list[Item]) -> str:
    first, second = (
        "\n".join(f"{rank}. [{item.title}]({item.url})\n   {item.summary}" for rank, item in enumerate(part, 1))
        for part in (items[:2], items[2:])
    )
    return f"# 林下周报 {day_of(number)}\n\n## 头条\n\n{first}\n\n## 工具\n\n{second}\n\n---\n\n欢迎投稿。\n"


def write_rows(number: int, items: list[Item]) -> str:
    head = "| Title | Note |\n|---|---|\n"
    first, second = (
        head + "\n".join(f"| [{item.title}]({item.url}) | {item.summary} |" for item in part)
        for part in (items[:2], items[2:])
    )
    return f"# Table Digest #{number}\n\n## Papers\n\n{first}\n\n## Tools\n\n{second}\n"


def write_quoted(number: int, items: list[Item]) -> str:
    first, second = (
        "\n\n".join(f"**[{item.title}]({item.url})**\n> {item.summary}" for item in part)
        for part in (items[:2], items[2:])
    )
    return f"# The Log — {day_of(number):%B %-d, %Y}\n\n## News\n\n{first}\n\n## Tools\n\n{second}\n"


def write_toml(number: int, items: list[Item]) -> str:
    first, second = ("\n".join(f"- [{item.title}]({item.url})" for item in part) for part in (items[:2], items[2:]))
    return (
        f'+++\ntitle = "Sea Digest #{number}"\ndate = {day_of(number)}\ntags = ["sea", "weekly"]\n+++\n\n'
        f"Ahoy!\n\n## News\n\n{first}\n\n## Tools\n\n{second}\n"
    )


def write_below_numbers(number: int, items: list[Item]) -> str:
    first, second = (
        "\n\n".join(f"{rank}、\n\n[{item.title}]({item.url})\n\n{item.summary}" for rank, item in enumerate(part, 1))
        for part in (items[:2], items[2:])
    )
    return f"# 海角周刊：第 {number} 期\n\n## 新闻\n\n{first}\n\n## 工具\n\n{second}\n"


def write_lines(number: int, items: list[Item]) -> str:
    first, second = ("\n\n".join(f"[{item.title}]({item.url})" for item in part) for part in (items[:2], items[2:]))
    return f"# 浅滩周刊 ({day_of(number)})\n\n## 新闻\n\n{first}\n\n## 旧闻\n\n{second}\n\n（完）\n"


def write_addresses_below(number: int, items: list[Item]) -> str:
    first, second = (
        "\n\n".join(f"**{item.title}**\n{item.url}\n{item.summary}" for item in part) for part in (items[:2], items[2:])
    )
    return f"# {day_of(number):%Y.%m.%d} -\n\n## 热点\n\n{first}\n\n## 深读\n\n{second}\n"


@dataclass(frozen=True)
class Shape:
    """A newsletter: how an issue of it is written, its file's name, its sections with the number of their items."""

    write: Callable[[int, list[Item]], str]
    file: str
    sections: dict[str, int]
    is_dated: bool = False


SHAPES = {
    "numbers in each section, summaries below": Shape(write_weekly, "issue-{number}", {"新闻": 2, "工具": 1}),
    "numbers over all sections, summaries beside the link": Shape(
        write_running_numbers, "Harbour{number}", {"灯塔 项目": 2, "海图 项目": 1}
    ),
    "bold paragraphs for headings, no links": Shape(
        write_bold_sections,
        "{day}-weekly",
        {"[🦄文章&教程](https://example.org/all)": 3, "[🐿️项目&资源](https://example.org/all)": 3},
        is_dated=True,
    ),
    "headings for items, signed summaries": Shape(
        write_signed, "#{number}-{day:%Y.%m.%d}", {"文章": 2, "工具": 1}, is_dated=True
    ),
    "the title in front matter, blank lines between bullets": Shape(
        write_dated, "{day}-{day:%G-W%V}", {"Insights": 2, "Packages": 1}, is_dated=True
    ),
    "fields without a fence, bullets without summaries": Shape(
        write_fields, "{day}-this-week-at-sea", {"Official": 2, "Tooling": 1}, is_dated=True
    ),
    "summaries on an indented line": Shape(write_indented, "{day}", {"头条": 2, "工具": 1}, is_dated=True),
    "rows of a table": Shape(write_rows, "table-{number}", {"Papers": 2, "Tools": 1}),
    "bold titles and quotations, an English date": Shape(
        write_quoted, "{day}-log", {"News": 2, "Tools": 1}, is_dated=True
    ),
    "front matter in TOML": Shape(write_toml, "{day}-sea", {"News": 2, "Tools": 1}, is_dated=True),
    "numbers on lines of their own": Shape(write_below_numbers, "issue-{number}", {"新闻": 2, "工具": 1}),
    "lines that are links, and a last word": Shape(write_lines, "{day}", {"新闻": 2, "旧闻": 2}, is_dated=True),
    "bold titles above their addresses, a date for a title": Shape(
        write_addresses_below, "{day}", {"热点": 2, "深读": 1}, is_dated=True
    ),
    "a cover with the number": Shape(write_gathered, "issue-{number}", {"资讯": 2, "资源&&工具": 1}),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_next_issue_of_a_newsletter_is_made_in_its_style_from_candidates(
    shape: Shape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    cli = Cli(tmp_path / "home")
    cli("init", str(cli.home))
    (cli.home / "sources.toml").write_text("", encoding="utf-8")
    settings = cli.home / "newsletter.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"ysh329"', '"lin"', 1), encoding="utf-8")
    count = sum(shape.sections.values())
    examples = []
    for number in (11, 12, 13):
        path = tmp_path / f"{shape.file.format(number=number, day=day_of(number))}.md"
        path.write_text(shape.write(number, make_items(number, count)), encoding="utf-8")
        examples.append(str(path))
    cli("archive", "learn", *examples, "--write")
    if not shape.is_dated:
        text = re.sub(r"first = \d{4}-\d\d-\d\d", f"first = {FIRST}", settings.read_text(encoding="utf-8"))
        settings.write_text(text, encoding="utf-8")
    cli("archive", "import", *examples)
    items = make_items(NEXT, count)
    rows = [{"url": item.url, "title": item.title, "summary": item.summary} for item in items]
    new = tmp_path / "new.jsonl"
    new.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    cli("add", str(new))
    stories = {
        candidate["url"]: str(candidate["id"])
        for category in cli.json("candidates")["categories"]
        for candidate in category["candidates"]
    }
    left = iter(items)
    for section, size in shape.sections.items():
        for _ in range(size):
            cli("decide", stories[next(left).url], "pick", "--category", section, "--issue", str(day_of(NEXT)))
    cli("export", str(day_of(NEXT)))
    (made,) = (cli.home / "issues").glob("*.md")
    assert made.read_text(encoding="utf-8") == shape.write(NEXT, items)
    assert made.stem == shape.file.format(number=NEXT, day=day_of(NEXT))
    cli("archive", "import", "--replace", str(made))
    cli("export", str(day_of(NEXT)), "-o", str(tmp_path / "again"))
    assert (tmp_path / "again" / made.name).read_bytes() == made.read_bytes()


OWNED = """\
title = "灯塔周报"  # 名字不改
editor = "lin"
footer = '''
----

编者：lin
'''

# 栏目按刊印顺序
[[categories]]
name = "新闻"
aliases = ["快讯"]
quota = 2  # 两条就好
notes = "> 每条都有出处。"
words = { "出海" = 1.5, "靠港" = 1.2 }  # 编者加的

[[categories]]
name = "工具"
quota = 1
kinds = { github = 2.0 }

# 题目
[[topics]]
name = "航海"
weight = 2.0
terms = ["海图"]
"""


def write_owned(number: int, items: list[Item], *, news: str = "新闻") -> str:
    first, second = (
        "\n".join(f"- [{item.title}]({item.url})  \n摘要：{item.summary}  " for item in part)
        for part in (items[:2], items[2:])
    )
    footer = "编者：lin" if number > 11 else "编者：老王"
    notes = "> 每条都有出处。\n\n" if number > 12 else ""
    return (
        f"# 灯塔周报 ({day_of(number)}) 要目{number}\n\n## {news}\n\n{notes}{first}\n\n\n"
        f"## 工具\n\n{second}\n\n----\n\n{footer}\n"
    )


def make_owned_home(folder: Path) -> tuple[Cli, list[str]]:
    cli = Cli(folder / "home")
    cli("init", str(cli.home))
    (cli.home / "newsletter.toml").write_text(OWNED, encoding="utf-8")
    examples = []
    for number in (9, 10, 11, 12, 13):
        path = folder / f"{day_of(number)}.md"
        news = "快讯" if number < 11 else "新闻"
        path.write_text(write_owned(number, make_items(number, 3), news=news), encoding="utf-8")
        examples.append(str(path))
    return cli, examples


def test_learning_keeps_comments_texts_that_late_issues_print_aliases_and_words_of_categories(tmp_path: Path) -> None:
    cli, examples = make_owned_home(tmp_path)
    cli("archive", "learn", *examples, "--write")
    written = (cli.home / "newsletter.toml").read_text(encoding="utf-8")
    before_categories, _, from_categories = OWNED.partition("# 栏目按刊印顺序")
    assert before_categories.rstrip().removeprefix(OWNED.split("\n", 1)[0]) in written
    assert "# 名字不改" in written
    categories = from_categories[: from_categories.index('[[categories]]\nname = "工具"')].rstrip()
    assert "# 栏目按刊印顺序" + categories in written
    assert '[[topics]]\nname = "航海"\nweight = 2.0\nterms = ["海图"]' in written


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_learning_again_writes_nothing_and_no_former_file_is_lost(shape: Shape, tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home")
    cli("init", str(cli.home))
    examples = []
    for number in (11, 12, 13):
        path = tmp_path / f"{shape.file.format(number=number, day=day_of(number))}.md"
        items = make_items(number, sum(shape.sections.values()))
        path.write_text(shape.write(number, items), encoding="utf-8")
        examples.append(str(path))
    settings = cli.home / "newsletter.toml"
    first = settings.read_text(encoding="utf-8")
    told = cli("archive", "learn", *examples, "--write")
    learned = settings.read_text(encoding="utf-8")
    assert "newsletter.toml.before" in told
    assert "什么也没有写" in cli("archive", "learn", *examples, "--write")
    assert settings.read_text(encoding="utf-8") == learned != first
    settings.write_text(learned.replace("per_issue = ", "per_issue = 1"), encoding="utf-8")
    cli("archive", "learn", *examples, "--write")
    assert (cli.home / "newsletter.toml.before").read_text(encoding="utf-8") == first
    assert (cli.home / "newsletter.toml.before.1").exists()


def test_where_issues_disagree_the_late_ones_decide() -> None:
    def write(number: int) -> Example:
        is_late = number > 13
        mark, gap, words = ("+ ", "\n\n", "新的话。") if is_late else ("- ", "\n", "旧的话。")
        items = gap.join(f"{mark}[{item.title}]({item.url})" for item in make_items(number, 3))
        tools = "" if number == 9 else f"## 工具\n\n{mark}[罗盘{number}](https://e.org/{number})\n"
        text = f"# 海报 ({day_of(number)})\n\n{words}\n\n## 新闻\n\n{items}\n\n{tools}"
        return Example(f"{day_of(number)}.md", text)

    newsletter = learn_style([write(number) for number in range(1, 20)], load_newsletter(SETTINGS)).newsletter
    assert (newsletter.frame.marker, newsletter.frame.blank_lines.between) == ("+ ", 1)
    assert newsletter.preamble == "新的话。"
    assert newsletter.frame.empty_sections


@pytest.mark.parametrize(
    ("heading", "title", "dateline"),
    [
        ("Harbour Digest — {day:%B %-d, %Y}", "Harbour Digest", " — {date:%B %-d, %Y}"),
        ("Harbour Digest ({day:%-d %b %Y})", "Harbour Digest", " ({date:%-d %b %Y})"),
        ("海边见 vol.{number}", "海边见", " vol.{number}"),
        ("{{海}}报 #{number}", "{海}报", " #{number}"),
        ("海报 {{周一}} {day:%Y年%-m月%-d日}", "海报 {周一}", " {date:%Y年%-m月%-d日}"),
        ("海报 {day:%Y/%m/%d} {{周一}}", "海报", " {date:%Y/%m/%d} {{周一}}"),
    ],
)
def test_the_next_heading_has_the_form_of_the_past_ones(heading: str, title: str, dateline: str) -> None:
    examples = []
    for number in (11, 12, 13):
        day = day_of(number)
        bullets = "\n".join(f"- {{}} [{item.title}]({item.url})" for item in make_items(number, 3))
        text = f"# {heading.format(number=number, day=day)}\n\n## 新闻\n\n{bullets}\n"
        examples.append(Example(f"{{海}}-{day}.md", text))
    newsletter = learn_style(examples, load_newsletter(SETTINGS)).newsletter
    assert (newsletter.title, newsletter.frame.dateline) == (title, dateline)
    printed = newsletter.title + newsletter.fill_template(newsletter.frame.dateline, day_of(NEXT), number=NEXT)
    assert printed == heading.format(number=NEXT, day=day_of(NEXT))
    assert newsletter.fill_template(newsletter.publish.file, day_of(NEXT)) == f"{{海}}-{day_of(NEXT)}"
    entry = assemble_entry(EntryParts("灯塔", "https://e.org/1"), "新闻", newsletter)
    assert entry == "{} [灯塔](https://e.org/1)"
    again = learn_style(examples, newsletter)
    assert not again.settings


def test_braces_of_jekyll_are_no_fields_of_a_text() -> None:
    newsletter = load_newsletter(SETTINGS)
    assert newsletter.fill_text("{{date}} {{ site.url }} {date}", FIRST) == f"{{{{date}}}} {{{{ site.url }}}} {FIRST}"


def test_issues_without_a_link_keep_the_categories_and_files_that_are_no_issues_change_nothing(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home")
    cli("init", str(cli.home))
    settings = cli.home / "newsletter.toml"
    first = settings.read_text(encoding="utf-8")
    no_issue = tmp_path / "notes.md"
    no_issue.write_text("今天没有新闻。\n", encoding="utf-8")
    cli("archive", "learn", str(no_issue), "--write", code=1)
    assert settings.read_text(encoding="utf-8") == first
    examples = []
    for number in (11, 12, 13):
        path = tmp_path / f"{day_of(number)}.md"
        path.write_text(f"# 无链周报 ({day_of(number)})\n\n## 新闻\n\n只有一段话。\n", encoding="utf-8")
        examples.append(str(path))
    cli("archive", "learn", *examples, "--write", code=1)
    learned = load_newsletter(settings)
    assert learned.title == "无链周报"
    assert learned.category_names == load_newsletter(SETTINGS).category_names


@pytest.mark.parametrize(
    ("entry", "form", "written"),
    [
        ("[{}]({}) — The Times\n\n{}", "\n\n{summary}", "[灯塔](https://e.org/1)\n\n甲。\n乙。"),
        ("[{}]({}) — {}\n\n![](a.png)", " — {summary}", "[灯塔](https://e.org/1) — 甲。\n乙。"),
        ("[{}]({})\n  > {}", "\n  > {summary}", "[灯塔](https://e.org/1)\n  > 甲。\n  > 乙。"),
        ("[{}]({})\n    - {}\n    - 又", "\n{summary}", "[灯塔](https://e.org/1)\n甲。\n乙。"),
    ],
)
def test_each_line_of_a_summary_stands_where_past_summaries_stand(entry: str, form: str, written: str) -> None:
    examples = []
    for number in (11, 12, 13):
        bullets = "\n".join("- " + entry.format(item.title, item.url, item.summary) for item in make_items(number, 3))
        examples.append(Example(f"{day_of(number)}.md", f"# 海报 ({day_of(number)})\n\n## 新闻\n\n{bullets}\n"))
    newsletter = learn_style(examples, load_newsletter(SETTINGS)).newsletter
    assert newsletter.frame.summary == form
    parts = EntryParts("灯塔", "https://e.org/1", summary=["甲。", "乙。"])
    assert assemble_entry(parts, "新闻", newsletter) == written


@pytest.mark.parametrize(
    ("entry", "form"),
    [
        ("[{}]({})（{}）\n\n{}", "（{source}）"),
        ("[{}]({}) ({})\n\n{}", " ({source})"),
        ("[{}]({}) — {}\n\n{}", " — {source}"),
        ("[{}]({}) by {}\n\n{}", " by {source}"),
        ("**[{}]({})** | {}\n\n{}", " | {source}"),
    ],
)
def test_a_source_stands_behind_the_title_as_past_ones_do(entry: str, form: str) -> None:
    examples = []
    for number in (11, 12, 13):
        printed = (entry.format(item.title, item.url, "海报社", item.summary) for item in make_items(number, 3))
        items = "\n\n".join(f"{rank}、{text}" for rank, text in enumerate(printed, 1))
        examples.append(Example(f"{day_of(number)}.md", f"# 海报 ({day_of(number)})\n\n## 新闻\n\n{items}\n"))
    newsletter = learn_style(examples, load_newsletter(SETTINGS)).newsletter
    assert newsletter.frame.source == form
    assert newsletter.frame.summary == "\n\n{summary}"
    parts = EntryParts("灯塔", "https://e.org/1", source="灯塔社", summary=["甲。"])
    assert assemble_entry(parts, "新闻", newsletter) == entry.format("灯塔", "https://e.org/1", "灯塔社", "甲。")
    nameless = assemble_entry(replace(parts, source=""), "新闻", newsletter)
    assert nameless == entry.replace(form.replace("source", ""), "").format("灯塔", "https://e.org/1", "甲。")
    view = read_entry(assemble_entry(parts, "新闻", newsletter), newsletter)
    assert (view.title, view.source, view.summary) == ("灯塔", "灯塔社", ("甲。",))


def test_a_number_inside_a_bold_title_is_left_out_and_the_title_stays_bold() -> None:
    examples = [
        Example(
            f"{day_of(number)}.md",
            f"# 海报 ({day_of(number)})\n\n## 新闻\n\n"
            + "\n\n".join(
                f"**{rank:02d}. [{item.title}]({item.url})**\n\n{item.summary}"
                for rank, item in enumerate(make_items(number, 3), 1)
            )
            + "\n",
        )
        for number in (11, 12, 13)
    ]
    newsletter = learn_style(examples, load_newsletter(SETTINGS)).newsletter
    assert newsletter.style_section("新闻").entry == "**[{title}]({url})**"


def test_issues_without_a_title_are_learned_though_no_word_of_them_is_in_newsletter_toml() -> None:
    examples = []
    for number in (11, 12, 13):
        bullets = "\n".join(
            f"- [{item.title}]({item.url}) by lin\n  > {item.summary}" for item in make_items(number, 3)
        )
        text = f"Welcome to another issue!\n\n## Featured\n\n{bullets}\n"
        examples.append(Example(f"issue-{number}.markdown", text))
    learned = learn_style(examples, load_newsletter(SETTINGS))
    assert learned.newsletter.category_names == ("Featured",)
    assert learned.is_numbering_guessed
    issue = read_issue(examples[0].text.encode(), name=examples[0].name, newsletter=learned.newsletter)
    assert (issue.number, issue.item_count) == (11, 3)
    template = (ROOT / "data/templates/issue.md.j2").read_text(encoding="utf-8")
    assert render_issue(issue, learned.newsletter, template) == examples[0].text
    assert learned.newsletter.reading.title == "front-matter"
