"""Drafts are as long as the newsletter's own entries, begin with whole sentences, and have its prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import stored

from crawler.home import Home, bundled
from pipelines.issue.entry import read_summary
from pipelines.issue.formats.html import render_tree
from pipelines.issue.house_style import DEFAULT_STYLE, HouseStyle, learn_house_style
from pipelines.issue.markdown import render_issue
from pipelines.issue.portability import find_differences
from pipelines.issue.proposal import propose_entry
from pipelines.issue.reading import read_issue
from pipelines.issue.sentences import Bounds
from pipelines.issue.summary import summarise
from pipelines.model import Candidate, Entry, Issue, Section, StoredArticle, Story, StoryLink
from pipelines.newsletter import load_newsletter

NEWSLETTER = load_newsletter(Home(bundled()).newsletter)
TEMPLATE = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")
STYLE = HouseStyle(Bounds(400, 900, 180), 150, frozenset({"开源项目"}), frozenset({"论文"}))


def offer(
    lead: StoredArticle, category: str = "博文", links: Sequence[StoryLink] = (), *others: StoredArticle
) -> Candidate:
    articles = (lead, *others)
    story = Story(lead.id, tuple(article.id for article in articles), lead.id)
    return Candidate(story, articles, category, {}, (), 0.0, (), tuple(links))


def read_head(candidate: Candidate, style: HouseStyle = STYLE) -> str:
    return propose_entry(candidate, NEWSLETTER, style).markdown.split("\n")[0]


SENTENCES = (
    "研究人员提出按通道选择缩放系数的低比特表示，无需重新训练即可把权重压缩到四位。",
    "在三款手机芯片上的实验里，延迟降低到原来的 41%，而分类精度只下降 0.3 个百分点。",
    "团队把模型体积从 98 MB 缩小到 25 MB，内存占用随之减少，低端设备也能流畅运行。",
    "代码已经在开源平台发布，支持常见卷积网络，部署时只需要引入一个头文件。",
    "作者还设计了新的校准流程，用两百张图片就能估计激活的分布范围。",
    "对比实验覆盖检测、分割和识别三项任务，结果均优于此前公布的方案。",
    "编译器为矩阵乘法生成专门的汇编指令，单核吞吐达到每秒 120 帧。",
    "硬件厂商表示将在下一代处理器里加入对应的运算单元，预计年底量产。",
    "开发者可以通过插件把训练好的网络导出，整个转换过程不超过一分钟。",
    "评测机构用同一套数据复现了主要结论，并公布了全部日志和脚本。",
)


def make_text(count: int) -> str:
    return "\n".join(SENTENCES[:count])


def test_lengths_and_prefixes_are_learned_from_printed_issues_and_one_liners_are_left_out() -> None:
    papers = Section(
        "论文",
        tuple(Entry(f"[CVPR2020] [题{n} | 源](https://e.org/{n})\n摘要：{'长' * 500}\n{'文' * 100}") for n in range(9)),
    )
    projects = Section(
        "开源", tuple(Entry(f"[a/b{n}：题 | 源](https://e.org/p{n})\n摘要：{'短' * 200}") for n in range(3))
    )
    briefs = Section("简讯", tuple(Entry("一句") for _ in range(40)), level=0)
    issue = Issue(date(2020, 1, 1), "简报", (briefs, papers, projects))
    style = learn_house_style([issue], NEWSLETTER)
    assert (style.bounds.wanted, style.bounds.most) == (600, 600)
    assert style.paper_sections == {"论文"}
    assert style.repository_sections == {"开源项目"}
    assert learn_house_style([], NEWSLETTER) == DEFAULT_STYLE


def test_a_draft_is_as_long_as_printed_summaries_in_paragraphs() -> None:
    lead = stored(1, title="一组实验", text=make_text(10))
    short, long = summarise(offer(lead), "一组实验").text, summarise(offer(lead), "一组实验", STYLE).text
    assert len(short) < 300
    assert 330 <= len(long.replace("\n", "")) <= 900
    assert 2 <= len(long.split("\n")) <= 5
    assert propose_entry(offer(lead), NEWSLETTER, STYLE).markdown.split("\n")[2] in make_text(10).replace("\n", "")


@pytest.mark.parametrize("beginning", ["，框架", "比如", "其中，", "但是，", "）方法", "例如", "而", "与此同时，"])
def test_a_draft_begins_with_a_whole_sentence(beginning: str) -> None:
    torn = f"{beginning}在手机上把推理速度提升到原来的 2.5 倍，首次超过一百帧，模型只有 1.8 MB，精度 75.2%。"
    text = f"{torn}\n{make_text(3)}"
    summary = summarise(offer(stored(1, title="推理速度提升", text=text)), "推理速度提升", STYLE).text
    assert summary
    assert not summary.startswith(beginning)
    assert "".join(summary.split("\n")).startswith("研究人员提出")


def test_a_continuation_is_taken_with_the_sentence_that_it_continues() -> None:
    claim, continuation = (
        "作者提出一种四比特量化方法，不需要重新训练。",
        "其中，速度提升到原来的 2.5 倍，模型体积只有 1.8 MB，首次超过一百帧。",
    )
    text = f"{claim}\n{continuation}\n{make_text(2)}"
    summary = summarise(offer(stored(1, title="四比特量化方法速度提升", text=text)), "题", STYLE).text
    assert f"{claim}{continuation}" in summary.replace("\n", "")


def test_a_post_on_one_repository_is_drafted_with_its_owner_and_name_where_the_section_prints_them() -> None:
    lead = stored(1, title="端侧推理框架开源", publisher="源", url="https://e.org/1")
    link = StoryLink("代码", "https://github.com/tencent/ncnn")
    assert read_head(offer(lead, "开源项目", [link])) == "[tencent/ncnn：端侧推理框架开源 | 源](https://e.org/1)"
    assert read_head(offer(lead, "博文", [link])) == "[端侧推理框架开源 | 源](https://e.org/1)"
    two = [link, StoryLink("代码", "https://github.com/a/b")]
    assert read_head(offer(lead, "开源项目", two)) == "[端侧推理框架开源 | 源](https://e.org/1)"
    assert read_head(offer(lead, "开源项目", [link]), DEFAULT_STYLE) == "[端侧推理框架开源 | 源](https://e.org/1)"


def test_a_post_on_one_paper_is_drafted_with_venue_and_arxiv_id_where_the_section_prints_them() -> None:
    lead = stored(1, title="更小的网络", publisher="源", url="https://e.org/1")
    paper = stored(
        2,
        kind="arxiv",
        keys=("arxiv:2104.11487",),
        title="Smaller",
        url="https://arxiv.org/abs/2104.11487",
        facts={"comment": "Accepted at CVPR 2021"},
    )
    link = StoryLink("论文", "https://arxiv.org/abs/2104.11487")
    assert read_head(offer(lead, "论文", [link], paper)) == "[CVPR2021] [2104.11487] [更小的网络 | 源](https://e.org/1)"
    assert read_head(offer(lead, "论文", [link])) == "[2104.11487] [更小的网络 | 源](https://e.org/1)"
    assert read_head(offer(lead, "博文", [link], paper)) == "[更小的网络 | 源](https://e.org/1)"


@pytest.mark.archive
def test_the_style_of_the_archive_has_long_summaries_and_both_prefixes(archive: Path) -> None:
    paths = sorted(archive.glob("*.md"))[-6:]
    issues = [read_issue(path.read_bytes(), name=path.name, newsletter=NEWSLETTER) for path in paths]
    style = learn_house_style(issues, NEWSLETTER)
    assert 200 <= style.bounds.wanted <= 450
    assert style.repository_sections == {"开源项目"}
    assert "论文" in style.paper_sections


POINTS = (
    "1. 按通道选择缩放系数，权重压缩到四位；",
    "2. 设计了新的校准流程，只用两百张图片；",
    "3. 公开了全部代码与日志。",
)
LISTING = "\n".join((*SENTENCES[:4], "他们还做了别的。总的来说，本文的贡献如下：", *POINTS, *SENTENCES[5:8]))


def print_listed(point: str, count: int, lists: int) -> list[Issue]:
    """An issue of which some summaries have a list."""
    listed = f"摘要：要点有：\n{point.format(n=1)}甲\n{point.format(n=2)}乙"
    entries = [
        Entry(f"[题{n} | 源](https://e.org/{n})\n{listed if n < lists else '摘要：一段话。'}") for n in range(count)
    ]
    return [Issue(date(2020, 1, 1), "简报", (Section("论文", tuple(entries)),))]


@pytest.mark.parametrize("point", ["    {n}. ", "  {n}. ", "    - "])
def test_points_are_drafted_as_a_list_with_the_mark_of_the_newsletters_own_lists(point: str) -> None:
    style = learn_house_style(print_listed(point, 20, 3), NEWSLETTER)
    assert style.point_mark == point
    entry = propose_entry(offer(stored(1, title="低比特表示", text=LISTING)), NEWSLETTER, style)
    written = [point.format(n=n) + text.partition(" ")[2] for n, text in enumerate(POINTS, 1)]
    lines = entry.markdown.split("\n")
    assert lines[-4:] == ["本文的贡献如下：", *written] or lines[-4:] == ["总的来说，本文的贡献如下：", *written]
    assert lines[1].startswith(f"摘要：{SENTENCES[0][:9]}")
    assert read_summary(entry.markdown, NEWSLETTER).count("\n") >= 4
    issue = Issue(
        date(2021, 3, 5), "简报", (Section("论文", (entry, Entry("[后 | 源](https://e.org/2)\n摘要：后。"))),)
    )
    read_back = read_issue(
        render_issue(issue, NEWSLETTER, TEMPLATE).encode(), name="2021-03-05.md", newsletter=NEWSLETTER
    )
    assert [each.markdown for each in read_back.sections[0].entries] == [
        each.markdown for each in issue.sections[0].entries
    ]
    assert find_differences(issue) == []
    assert len(render_tree(f"- {entry.markdown}").findall(".//li//li")) == len(POINTS)


def test_a_newsletter_that_writes_hardly_any_list_or_sets_its_entries_apart_gets_none() -> None:
    candidate = offer(stored(1, title="低比特表示", text=LISTING))
    rare = learn_house_style(print_listed("    {n}. ", 100, 2), NEWSLETTER)
    assert rare.point_mark == ""
    assert POINTS[0] not in propose_entry(candidate, NEWSLETTER, rare).markdown
    numbered = NEWSLETTER.model_copy(update={"frame": NEWSLETTER.frame.model_copy(update={"marker": "{n}、"})})
    style = replace(STYLE, point_mark="    {n}. ")
    assert "    1. " not in propose_entry(candidate, numbered, style).markdown
    assert "    1. " in propose_entry(candidate, NEWSLETTER, style).markdown


@pytest.mark.parametrize(
    "lines",
    [
        ("步骤如下：", "1. 准备数据集合与标注", "2. 训练网络直到收敛"),
        ("步骤如下：", "1. 准备数据集合与标注", "3. 训练网络直到收敛", "4. 部署到手机上运行"),
        ("步骤如下：", "1. 准备：", "2. 训练网络直到收敛", "3. 部署到手机上运行"),
        ("步骤如下：", "1. 扫码关注我们的公众号", "2. 训练网络直到收敛", "3. 部署到手机上运行"),
        ("我说：", "1. 准备数据集合与标注", "2. 训练网络直到收敛", "3. 部署到手机上运行"),
    ],
)
def test_what_is_no_list_of_points_is_not_drafted_as_one(lines: tuple[str, ...]) -> None:
    text = "\n".join((*SENTENCES, *lines))
    summary = summarise(offer(stored(1, title="题", text=text)), "题", replace(STYLE, point_mark="  {n}. "))
    assert summary.points == ()
