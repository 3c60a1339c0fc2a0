"""Issues on GitHub Pages: real Jekyll with kramdown builds them, and shows the words that the web gave, no more."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import stored
from hostile import HOSTILE, MARKUP
from hypothesis import HealthCheck, given, settings
from lxml import html

from crawler.home import bundled
from pipelines.issue.escape import clean_line
from pipelines.issue.house_style import HouseStyle
from pipelines.issue.markdown import render_issue
from pipelines.issue.proposal import propose_entry
from pipelines.issue.reading import read_issue
from pipelines.issue.summary import summarise
from pipelines.model import Candidate, Entry, Issue, Section, Story
from pipelines.newsletter import load_newsletter

pytestmark = pytest.mark.jekyll

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
TEMPLATE = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")

TITLES = [
    *HOSTILE,
    "{% raw %}{% endraw %}{{ 'x' | upcase }}{{",
    "{%- include secret.html -%}",
    "{::options parse_block_html='true' /} *x*",
    "| a | b |",
    "|---|",
    "+ 列表 * 列表",
    "A_b_c __init__.py snake_case",
    "C:\\path\\_x_ \\* \\\\",
    "(see [1]) [甲](乙",
    "a[b]c ![d](e) [f][g] [h]",
    "标题 {#id .class}",
    "*[HTML]: 缩写",
    "[^1]: x",
    "1986. 那一年",
    "http://bare.example/a_b_c www.bare.example mail@bare.example",
    "<!-- 注释 --> <?xml?> <![CDATA[x]]>",
    "&amp; &#x3c; &nbsp; &",
    "~~~ruby",
    "A -- B --- C << D >> E ... F",
    "\u202e反向\u202c \u200b零宽 \ufeff",
]


def candidates(titles: list[str]) -> list[Candidate]:
    said = "：这一句只是让它有二十个字以上的长度。"
    articles = [
        stored(number, title=title, publisher=title, summary=title + said) for number, title in enumerate(titles, 1)
    ]
    return [Candidate(Story(one.id, (one.id,), one.id), (one,), "", {}, (), 0.0, ()) for one in articles]


def issue(titles: list[str]) -> Issue:
    entries = [propose_entry(one, NEWSLETTER) for one in candidates(titles)]
    return Issue(date(2021, 3, 5), "简报", (Section("论文", tuple(entries)),), front_matter="layout: default")


def built(folder: Path, text: str) -> html.HtmlElement:
    """The page that Jekyll makes of it; the site would give away a secret if Liquid ran."""
    (folder / "_layouts").mkdir(parents=True, exist_ok=True)
    (folder / "_includes").mkdir(exist_ok=True)
    (folder / "_layouts/default.html").write_text("<html><body>{{ content }}</body></html>", encoding="utf-8")
    for name in ("secret.html", "x", "y"):
        (folder / "_includes" / name).write_text("SECRET", encoding="utf-8")
    (folder / "_config.yml").write_text("title: SECRET\nx: SECRET\n", encoding="utf-8")
    (folder / "issue.md").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["jekyll", "build", "--quiet", "--source", folder, "--destination", folder / "_site"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return html.document_fromstring((folder / "_site/issue.html").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """Without what Jekyll sets otherwise in anybody's text: curled quotes, the ellipsis."""
    straight = text.translate(str.maketrans("“”‘’", "\"\"''")).replace("…", "...")
    return " ".join(straight.split())


def shown(page: html.HtmlElement) -> list[tuple[str, str]]:
    """What each item links, and all that it says after that."""
    found = []
    for item in page.xpath("//body/ul/li"):
        links = item.xpath(".//a")
        assert [one.get("href") for one in links][:1] == [f"https://example.org/{len(found) + 1}"]
        assert len(links) == 1, "a bare address or a part of a title became a link"
        said = "".join(item.itertext())
        found.append((plain("".join(links[0].itertext())), plain(said)))
    return found


@pytest.mark.fault("X1", "X2")
def test_hostile_titles_are_shown_word_for_word_and_liquid_never_runs(tmp_path: Path) -> None:
    page = built(tmp_path, render_issue(issue(TITLES), NEWSLETTER, TEMPLATE))
    found = shown(page)
    assert [link for link, _ in found] == [plain(f"{clean_line(one)} | {clean_line(one)}") for one in TITLES]
    for (_, said), one in zip(found, candidates(TITLES), strict=True):
        summary = summarise(one, one.lead.article.title).text
        assert said.endswith(plain(f"摘要：{summary}")) if summary else "摘要" not in said
    assert "SECRET" not in "".join(page.itertext())
    assert page.xpath("//script | //img | //table | //h3 | //*[@onclick] | //dl | //sup") == []
    assert [one.text for one in page.xpath("//h2")] == ["论文"]


@pytest.mark.parametrize("mark", ["  {n}. ", "    {n}. ", "    - "])
def test_the_points_of_a_drafted_summary_are_a_list_inside_their_item(tmp_path: Path, mark: str) -> None:
    points = ("1. 提出了新的量化方法；", "2. 提出了新的剪枝方法；", "3. 开源了全部的代码。")
    text = "\n".join(
        (
            "新方法在三款手机芯片上快了两倍，分类的精度没有任何损失。",
            "模型的体积也小了一半，整个网络只占用 4 MB 的存储空间。",
            "本文的贡献如下：",
            *points,
        )
    )
    lead = stored(1, title="题", url="https://example.org/1", text=text)
    candidate = Candidate(Story(1, (1,), 1), (lead,), "", {}, (), 0.0, ())
    entry = propose_entry(candidate, NEWSLETTER, HouseStyle(point_mark=mark))
    following = Entry("[乙](https://example.org/2)\n摘要：说了乙。")
    printed = Issue(date(2021, 3, 5), "简报", (Section("论文", (entry, following)),), front_matter="layout: default")
    page = built(tmp_path, render_issue(printed, NEWSLETTER, TEMPLATE))
    first, second = page.xpath("//body/ul/li")
    assert ["".join(point.itertext()).strip() for point in first.xpath(".//li")] == [
        point.partition(" ")[2] for point in points
    ]
    assert second.xpath(".//li") == []


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MARKUP.map(lambda one: [f"甲{one}", *(f"{one}{other}" for other in TITLES[:12])]))
def test_any_title_is_shown_word_for_word(tmp_path: Path, titles: list[str]) -> None:
    found = shown(built(tmp_path, render_issue(issue(titles), NEWSLETTER, TEMPLATE)))
    assert [link for link, _ in found] == [plain(f"{clean_line(one)} | {clean_line(one)}") for one in titles]


@pytest.mark.archive
def test_every_past_issue_builds_with_all_its_items(archive: Path, tmp_path: Path) -> None:
    past = [read_issue(path.read_bytes(), name=path.name, newsletter=NEWSLETTER) for path in archive.glob("*.md")]
    for one in past:
        text = render_issue(replace(one, front_matter="layout: default"), NEWSLETTER, TEMPLATE)
        (tmp_path / f"{one.date}.md").write_text(text, encoding="utf-8")
    built(tmp_path, "---\n---\n一页\n")
    for one in past:
        page = html.document_fromstring((tmp_path / "_site" / f"{one.date}.html").read_text(encoding="utf-8"))
        entries = sum(len(section.entries) for section in one.sections)
        assert len(page.xpath("//li")) >= entries, one.date
        assert [plain("".join(each.itertext())) for each in page.xpath("//h2")][: len(one.main_sections)] == [
            plain(section.name) for section in one.main_sections
        ]
