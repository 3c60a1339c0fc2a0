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
from pipelines.newsroom.stages.evaluation import STARTS, CannotEvaluate, Evaluation, Start, evaluate
from pipelines.rules import Rules

pytestmark = pytest.mark.slow

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


def pool(number: int = 600) -> list[RawItem]:
    """Articles about something else: a third is surely older than the split."""
    at = datetime(2026, 2, 1, tzinfo=UTC)
    return [
        RawItem(
            "web",
            f"https://pool.example/{n}",
            titled(ELSEWHERE, n),
            at,
            published="2026-02-01" if n % 3 == 0 else "2026-03-09",
        )
        for n in range(number)
    ]


def run(
    issues: Sequence[Issue],
    there: Sequence[RawItem],
    rules: Rules,
    seed: int = 0,
    starts: Sequence[Start] = ("archive",),
) -> Evaluation:
    return evaluate(issues, there, SPLIT, seed, newsletter=NEWSLETTER, rules=rules, drawn=250, starts=starts)


ISSUES = [issue(n) for n in range(12)]


@pytest.fixture(scope="module")
def evaluation(rules: Rules) -> Evaluation:
    return run(ISSUES, pool(), rules, starts=STARTS)


def test_it_learns_before_the_split_and_asks_after_it(evaluation: Evaluation) -> None:
    before = [past for past in ISSUES if past.date < SPLIT]
    assert (evaluation.learned_issues, evaluation.learned_items) == (len(before), 10 * len(before))
    assert evaluation.tested_issues == len(ISSUES) - len(before)
    assert (evaluation.older, evaluation.newer) == (200, 400)


def test_every_start_is_a_line_and_what_is_easy_is_ranked_first(evaluation: Evaluation) -> None:
    assert [ranking.start for ranking in evaluation.rankings] == list(STARTS)
    for ranking in evaluation.rankings[1:]:
        assert ranking.recall == 1
        assert ranking.precision == 0.5  # ten picks among the first twenty
        assert ranking.auc > 0.99
        assert ranking.recall_interval == (1, 1)
        assert ranking.calibration < 0.05
    assert {sections.basis: sections.accuracy for sections in evaluation.sections}["title"] == 1


def test_nothing_is_known_from_the_cold_and_the_first_issues_of_a_start_are_not_counted(
    evaluation: Evaluation,
) -> None:
    counted = {ranking.start: len(ranking.issues) for ranking in evaluation.rankings}
    tested = evaluation.tested_issues
    assert counted == {"cold": tested, "archive": tested, "first": tested - 1, "pool": tested, "rolling": tested - 2}
    cold = evaluation.rankings[0]
    assert cold.auc < 0.9  # this newsletter has no topics


def test_only_stories_that_are_not_surely_older_are_mixed_in(rules: Rules) -> None:
    ranking = run(ISSUES, pool(300), rules).rankings[0]
    assert {row.drawn for row in ranking.issues} == {200}


def test_the_same_seed_gives_the_same_and_another_one_another_draw(rules: Rules) -> None:
    once = run(ISSUES, pool(), rules)
    assert run(list(reversed(ISSUES)), list(reversed(pool())), rules) == once
    assert run(ISSUES, pool(), rules, seed=1).rankings[0].unpicked != once.rankings[0].unpicked


def test_what_an_issue_printed_is_taken_out_of_the_pool_also_where_another_account_tells_it(rules: Rules) -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    title = f"发布{titled(ABOUT, 100 * 9)}"
    again = [RawItem("web", f"https://copy.example/{n}", title, at, published=at.isoformat()) for n in range(40)]
    later = run(ISSUES, [*pool(), *again], rules)
    assert later.newer == 400
    assert title not in {item.title for item in later.rankings[0].unpicked}


def test_one_story_of_many_accounts_is_drawn_once(rules: Rules) -> None:
    at = datetime(2026, 3, 3, tzinfo=UTC)
    title = titled(ABOUT, 12345)
    copies = [RawItem("web", f"https://copy.example/{n}", title, at, published=at.isoformat()) for n in range(60)]
    assert run(ISSUES, [*pool(), *copies], rules).newer == 401


def test_what_was_printed_before_is_not_asked_about_again(rules: Rules) -> None:
    paper = "https://arxiv.org/abs/2601.00001"
    first = issue(2, ("剪枝论文", paper), ("同一地址", "https://twice.example/1"))
    again = issue(10, ("剪枝论文又一次", f"{paper}v2"), ("同一地址再来", "https://twice.example/1?utm_source=x"))
    issues = [*(past for n, past in enumerate(ISSUES) if n not in (2, 10)), first, again]
    assert run(issues, [], rules).repeats == 2


def test_the_summary_of_a_tested_item_is_read_only_where_the_line_says_so(rules: Rules) -> None:
    bare = run(ISSUES, pool(), rules)
    summarised = [
        past
        if past.date < SPLIT
        else Issue(
            title=past.title,
            date=past.date,
            state=past.state,
            sections=tuple(
                Section(part.name, tuple(Entry(f"{each.markdown}\n摘要：{part.name}") for each in part.entries))
                for part in past.sections
            ),
        )
        for past in ISSUES
    ]
    other = run(summarised, pool(), rules)
    assert other.rankings == bare.rankings
    assert other.sections[:2] == bare.sections[:2]


def test_a_year_alone_is_older_only_when_all_of_it_is(rules: Rules) -> None:
    there = [RawItem("web", raw.url, raw.title, raw.fetched_at, published="2026") for raw in pool(30)]
    assert run(ISSUES, there, rules, starts=("cold",)).older == 0


def test_without_a_pool_only_the_sections_are_asked_about(rules: Rules) -> None:
    evaluation = run(ISSUES, [], rules)
    assert evaluation.rankings == ()
    assert evaluation.sections


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
    asked += ["--from", "archive"]
    result = runner.invoke(app, [*asked, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["split"] == "2026-03-01"
    assert [sections["items"] for sections in document["sections"]] == [30, 30, 30]
    [ranking] = document["rankings"]
    assert (ranking["start"], len(ranking["unpicked"])) == ("archive", 30)
    assert "第 601 行" in result.stderr
    tables = runner.invoke(app, asked, env={"COLUMNS": "200"})
    assert f"{ranking['recall']:.3f}" in tables.stdout
    assert f"{document['sections'][1]['accuracy']:.3f}" in tables.stdout


def test_a_start_that_does_not_exist_is_wrong_use_and_the_message_lists_the_starts(home: Path) -> None:
    result = CliRunner().invoke(app, ["--home", str(home), "evaluate", "--split", str(SPLIT), "--from", "warm"])
    assert result.exit_code == 2
    assert "rolling" in result.stderr


def test_a_split_with_nothing_on_one_side_is_wrong_use(home: Path) -> None:
    result = CliRunner().invoke(app, ["--home", str(home), "evaluate", "--split", "2030-01-01"])
    assert isinstance(result.exception, CannotEvaluate)
