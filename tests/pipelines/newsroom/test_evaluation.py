"""How well a model does on later issues, and that it cheats nowhere."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawler.home import Home
from crawler.items import RawItem
from pipelines.cli import app
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Category, Newsletter, load_newsletter
from pipelines.newsroom.evaluation import CannotEvaluate, Evaluation, evaluate
from pipelines.rules import Rules

NEWSLETTER = Newsletter(title="试刊", editor="e", categories=(Category(name="新闻"), Category(name="教程")))
FIRST, SPLIT = date(2026, 1, 1), date(2026, 3, 1)
ABOUT = ("端侧推理", "模型剪枝", "算子优化", "低比特量化")
ELSEWHERE = ("今晚吃什么", "楼市观察", "足球转会", "周末穿搭")
LATIN = ("pruning", "kernels", "runtime", "compiler", "sparse", "mobile")


def titled(words: Sequence[str], number: int) -> str:
    chance = random.Random(f"{words} {number}")
    odd = "".join(chr(0x5000 + chance.randrange(9000)) for _ in range(9))
    return f"{chance.choice(words)}{odd}{chance.choice(words)}"


def issue(number: int, *entries: tuple[str, str]) -> Issue:
    """The issue of a week: five items in each section, and further ones in the first."""
    day = FIRST + timedelta(days=7 * number)
    sections = []
    for at, (name, word) in enumerate((("新闻", "发布"), ("教程", "入门"))):
        items = [
            Entry(f"[{word}{titled(ABOUT, 100 * number + 10 * at + n)} | 号{n}](https://past.example/{day}/{at}/{n})")
            for n in range(5)
        ]
        items += [Entry(f"[{title}]({url})") for title, url in entries if at == 0]
        sections.append(Section(name, tuple(items)))
    return Issue(title="试刊", date=day, state="published", sections=tuple(sections))


def pool(number: int = 500) -> list[RawItem]:
    at = datetime(2026, 2, 1, tzinfo=UTC)
    return [
        RawItem("web", f"https://pool.example/{n}", titled(ELSEWHERE, n), at, published=at.isoformat())
        for n in range(number)
    ]


def run(issues: Sequence[Issue], there: Sequence[RawItem], rules: Rules, seed: int = 0, **options: bool) -> Evaluation:
    return evaluate(issues, there, SPLIT, seed, newsletter=NEWSLETTER, rules=rules, drawn=200, **options)


ISSUES = [issue(n) for n in range(12)]


@pytest.fixture(scope="module")
def found(rules: Rules) -> Evaluation:
    return run(ISSUES, pool(), rules)


def test_it_learns_before_the_split_and_asks_after_it(found: Evaluation) -> None:
    before = [one for one in ISSUES if one.date < SPLIT]
    assert (found.learned_issues, found.learned_items) == (len(before), 10 * len(before))
    assert found.tested_issues == len(ISSUES) - len(before)


def test_what_is_easy_is_found(found: Evaluation) -> None:
    assert found.sections is not None
    assert found.sections.accuracy == found.sections.top2 == found.sections.macro_f1 == 1
    assert found.ranking is not None
    assert found.ranking.recall == 1
    assert found.ranking.precision == 0.5  # ten picks among the first twenty
    assert found.ranking.auc > 0.99


def test_half_of_the_pool_is_learned_from_and_only_the_other_half_is_drawn_from(found: Evaluation) -> None:
    assert found.passed_over == 250
    assert found.ranking is not None
    assert {one.drawn for one in found.ranking.issues} == {200}


def test_the_same_seed_gives_the_same_and_another_one_another_draw(found: Evaluation, rules: Rules) -> None:
    assert run(list(reversed(ISSUES)), list(reversed(pool())), rules) == found
    other = run(ISSUES, pool(), rules, seed=1)
    assert found.ranking is not None
    assert other.ranking is not None
    assert other.ranking.unpicked != found.ranking.unpicked


def test_what_an_issue_printed_is_taken_out_of_the_pool_also_where_another_account_tells_it(rules: Rules) -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    title = f"发布{titled(ABOUT, 100 * 9)}"
    again = [RawItem("web", f"https://copy.example/{n}", title, at, published=at.isoformat()) for n in range(40)]
    later = run(ISSUES, [*pool(), *again], rules)
    assert later.passed_over == 250
    assert later.ranking is not None
    assert title not in {one.title for one in later.ranking.unpicked}


def test_one_story_of_many_accounts_is_drawn_once(rules: Rules) -> None:
    at = datetime(2026, 2, 3, tzinfo=UTC)
    title = titled(ABOUT, 12345)
    copies = [RawItem("web", f"https://copy.example/{n}", title, at, published=at.isoformat()) for n in range(60)]
    told = run(ISSUES, [*pool(), *copies], rules)
    assert told.passed_over == 250  # half of 501


def test_what_was_printed_before_is_not_asked_about_again(rules: Rules) -> None:
    paper = "https://arxiv.org/abs/2601.00001"
    first = issue(2, ("剪枝论文", paper), ("同一地址", "https://twice.example/1"))
    again = issue(10, ("剪枝论文又一次", f"{paper}v2"), ("同一地址再来", "https://twice.example/1?utm_source=x"))
    issues = [*(one for n, one in enumerate(ISSUES) if n not in (2, 10)), first, again]
    assert run(issues, pool(), rules).repeats == 2


def test_the_summary_of_an_item_that_is_asked_about_is_not_seen(rules: Rules) -> None:
    bare = run(ISSUES, pool(), rules)
    told = [
        one
        if one.date < SPLIT
        else Issue(
            title=one.title,
            date=one.date,
            state=one.state,
            sections=tuple(
                Section(part.name, tuple(Entry(f"{each.markdown}\n摘要：{part.name}") for each in part.entries))
                for part in one.sections
            ),
        )
        for one in ISSUES
    ]
    assert run(told, pool(), rules) == bare


def test_strictly_only_what_is_older_than_the_split_is_learned_from(rules: Rules) -> None:
    early, late = "2025-12-31", "2026-05-01"
    there = [
        RawItem("web", one.url, one.title, one.fetched_at, published=early if n % 5 else late)
        for n, one in enumerate(pool(700))
    ]
    assert run(ISSUES, there, rules).passed_over == 350
    assert 250 < run(ISSUES, there, rules, strict=True).passed_over < 310


def test_a_year_alone_is_older_only_when_all_of_it_is(rules: Rules) -> None:
    there = [RawItem("web", one.url, one.title, one.fetched_at, published="2026") for one in pool()]
    assert run(ISSUES, there, rules, strict=True).passed_over == 0


def test_without_a_pool_only_the_sections_are_asked_about(rules: Rules) -> None:
    found = run(ISSUES, [], rules)
    assert found.ranking is None
    assert found.sections is not None


@pytest.mark.parametrize("issues", [ISSUES[:3], ISSUES[-3:], []])
def test_with_issues_on_one_side_only_there_is_nothing_to_evaluate(issues: Sequence[Issue], rules: Rules) -> None:
    with pytest.raises(CannotEvaluate, match="两边都要有"):
        run(issues, pool(), rules)


# ---- The command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    runner = CliRunner()
    home = tmp_path / "home"
    assert runner.invoke(app, ["init", str(home)]).exit_code == 0
    newsletter = load_newsletter(Home(home).newsletter)
    for n in range(12):
        one = issue(n)
        parts = [
            f"## {newsletter.category_names[at]}\n\n" + "\n".join(f"- {entry.markdown}" for entry in part.entries)
            for at, part in enumerate(one.sections)
        ]
        (tmp_path / f"{one.date}.md").write_text(f"# 试刊 ({one.date})\n\n" + "\n\n".join(parts) + "\n\n----\n")
    lines = [json.dumps({"url": one.url, "title": one.title, "published_at": one.published}) for one in pool()]
    (tmp_path / "pool.jsonl").write_text("\n".join([*lines, "{}"]))
    past = [str(path) for path in sorted(tmp_path.glob("2026-*.md"))]
    result = runner.invoke(app, ["--home", str(home), "archive", "import", *past])
    assert result.exit_code == 0, result.output
    return home


def test_the_command_prints_one_document_or_tables_that_say_the_same(home: Path) -> None:
    runner = CliRunner()
    asked = ["--home", str(home), "evaluate", "--split", str(SPLIT), "--pool", str(home.parent / "pool.jsonl")]
    result = runner.invoke(app, [*asked, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["split"] == "2026-03-01"
    assert document["sections"]["items"] == 30
    assert len(document["ranking"]["unpicked"]) == 30
    assert "第 501 行" in result.stderr
    told = runner.invoke(app, asked)
    assert f"recall@60 {document['ranking']['recall']:.3f}" in told.stdout
    assert f"正确率 {document['sections']['accuracy']:.3f}" in told.stdout


def test_a_split_with_nothing_on_one_side_is_wrong_use(home: Path) -> None:
    result = CliRunner().invoke(app, ["--home", str(home), "evaluate", "--split", "2030-01-01"])
    assert isinstance(result.exception, CannotEvaluate)
