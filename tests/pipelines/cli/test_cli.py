"""The command line as scripts rely on it: words, exit codes, JSON."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from browsers import serve_desk
from commands import Cli, start
from databases import write_new_database
from possible_events import add_possible_pair
from rich.markup import render
from typer.testing import CliRunner

from crawler.home import Home
from pipelines import files
from pipelines.cli import app, main
from pipelines.model import Entry, Issue, Section
from pipelines.newsroom import Newsroom

ITEMS = [
    {
        "url": "https://mp.weixin.qq.com/s/aaaaaaaaaaaaaaaaaaaaaa",
        "title": "低比特量化实战",
        "source": "边缘智讯",
        "text": "论文地址：https://arxiv.org/abs/2511.00001\n代码：https://github.com/tiny/quant",
        "published_at": "2026-11-20",
    },
    {"url": "https://arxiv.org/abs/2511.00001v2", "title": "Tiny Quantization", "published_at": "2026-11-18"},
    {
        "url": "https://github.com/Tiny/Quant",
        "title": "tiny/quant",
        "summary": "int4 kernels",
        "published_at": "2026-11-18",
    },
    {"url": "https://example.org/recipe", "title": "今晚吃什么", "published_at": "2026-11-20"},
]
PAST = """# 试刊 (2026-10-01)

## 业界新闻

- [今晚吃什么 | 厨房](https://example.org/recipe)
摘要：刊过了。

----
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    cli = Cli(tmp_path / "newsletter")
    cli("init", str(cli.home))
    write_new_database(cli.home / "var" / "jianbao.db")
    return cli


@pytest.fixture
def items(tmp_path: Path) -> Path:
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in ITEMS), encoding="utf-8")
    return path


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    text = COMMANDS[path].help or ""
    assert f"例：jianbao {' '.join(path)}" in text


def test_the_version_needs_no_command_and_no_home(tmp_path: Path) -> None:
    assert Cli(tmp_path / "nowhere")("--version").strip() == version("jianbao")


@pytest.mark.parametrize("path", [(), ("db",), ("db", "upgrade"), ("candidates",), ("decide",)], ids=" ".join)
def test_help_is_framed_in_the_language_in_which_it_is_written(path: tuple[str, ...], cli: Cli) -> None:
    printed = cli(*path, "--help")
    assert "选项" in printed
    assert re.findall(r"Options|Commands|Arguments|default:|required|Show this", printed) == []


def test_help_says_what_stands_in_brackets(cli: Cli) -> None:
    assert "[assistant]" in cli("assist", "--help")
    assert "[alerts]" in cli("--help")


@pytest.mark.parametrize("path", [("--help",), ("db", "--help"), ("rebuild", "--help"), ("db",)], ids=" ".join)
def test_no_help_text_loses_letters_where_a_sentence_is_longer_than_its_column(
    path: tuple[str, ...], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert "…" not in CliRunner().invoke(app, ["--home", str(cli.home), *path]).output


def test_no_help_text_loses_what_it_puts_into_brackets() -> None:
    root = typer.main.get_command(app)
    helps = [each.help or "" for each in (root, *find_groups(root), *COMMANDS.values())]
    helps += [parameter.help or "" for command in COMMANDS.values() for parameter in command.params]
    assert [text for text in helps if render(text).plain != text.replace("\\[", "[")] == []


def find_groups(group: Any) -> Iterator[Any]:
    for command in group.commands.values():
        if hasattr(command, "commands"):
            yield command
            yield from find_groups(command)


def test_init_in_a_folder_with_files_of_its_own_changes_none_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "README.md").write_text("我的仓库", encoding="utf-8")
    (folder / ".gitignore").write_text("*.log", encoding="utf-8")
    printed = Cli(folder)("init", str(folder))
    assert "原有的 README.md 没有改动" in printed
    assert (folder / "README.md").read_text(encoding="utf-8") == "我的仓库"
    assert (folder / ".gitignore").read_text(encoding="utf-8") == "*.log\nvar/\n"
    assert (folder / "sources.toml").exists()


def test_init_that_was_interrupted_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, written = tmp_path / "new", []

    def stop_at_the_third(path: Path, text: str) -> bool:
        written.append(path)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, text)

    write = files.write
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", stop_at_the_third)
        CliRunner().invoke(app, ["init", str(folder)])
    assert not (folder / "newsletter.toml").exists()
    Cli(folder)("init", str(folder))
    assert "没有错误" in Cli(folder)("sources", "check")


@pytest.mark.parametrize(
    "words", [("archive", "import"), ("db", "restore"), ("issue", "write", "--category", "论文", "--markdown")]
)
def test_a_path_that_cannot_be_used_is_named_with_the_reason(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    for path, reason in ((tmp_path, "是目录"), (tmp_path / "none", "没有「")):
        refused = CliRunner().invoke(app, ["--home", str(cli.home), *words, str(path)])
        assert refused.exit_code == 2
        assert reason in refused.stderr
        assert str(path) in refused.stderr


def test_a_new_folder_is_a_newsletter_at_once_and_is_not_overwritten(cli: Cli) -> None:
    assert "没有错误" in cli("sources", "check")
    cli("init", str(cli.home), code=2)


def test_items_become_candidates_by_category_with_reasons(cli: Cli, items: Path) -> None:
    (report,) = cli.json("add", str(items))["sources"]
    assert {name: report[name] for name in ("id", "new", "seen", "updated", "failed")} == {
        "id": str(items),
        "new": 4,
        "seen": 0,
        "updated": 0,
        "failed": None,
    }
    listed = cli.json("candidates")
    assert [category["name"] for category in listed["categories"]] == ["业界新闻", "论文", "开源项目", "博文"]
    first = [one for category in cli.json("candidates", "--first", "1")["categories"] for one in category["candidates"]]
    best = max(one["score"] for category in listed["categories"] for one in category["candidates"])
    assert [one["score"] for one in first] == [best]
    for category in cli.json("candidates")["categories"]:
        assert category["enough"] == len(category["candidates"])
    assert {category["enough"] for category in cli.json("candidates", "--first", "1")["categories"]} == {None}
    found = {one["title"]: one for category in listed["categories"] for one in category["candidates"]}
    story = found["低比特量化实战"]
    assert {article["title"] for article in story["articles"]} == {item["title"] for item in ITEMS[:3]}
    assert {(link["label"], link["url"]) for link in story["links"]} == {
        ("论文", "https://arxiv.org/abs/2511.00001"),
        ("代码", "https://github.com/tiny/quant"),
    }
    assert {edge["kind"] for edge in story["evidence"]} == {"names"}
    assert story["source"] == "边缘智讯"
    assert story["published_at"] == "2026-11-20T00:00:00+08:00"  # in UTC the day before
    assert story["score"] == pytest.approx(sum(reason["weight"] for reason in story["reasons"]))
    assert "量化" in {reason["text"] for reason in story["reasons"]}
    assert sum(story["category_scores"].values()) == pytest.approx(1, abs=1e-3)
    assert (story["state"], story["published_in"], story["follows"]) == ("new", None, None)
    assert story["score"] > found["今晚吃什么"]["score"]


def test_adding_the_same_items_again_adds_nothing(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    (report,) = cli.json("add", str(items))["sources"]
    assert (report["new"], report["seen"], report["updated"]) == (0, 4, 0)


def test_a_bad_line_is_named_and_the_others_are_taken(cli: Cli, items: Path) -> None:
    items.write_text(items.read_text(encoding="utf-8") + '{"title": "no address"}\n', encoding="utf-8")
    document = json.loads(cli("add", str(items), "--json", code=1))
    assert document["sources"][0]["new"] == 4
    assert "5" in document["sources"][0]["failed"]
    assert "url is missing" in document["sources"][0]["failed"]


def test_a_pick_is_drafted_and_exported_and_published(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    story = (
        cli.json("candidates", "--category", "博文")["categories"][3]["candidates"]
        or cli.json("candidates")["categories"][0]["candidates"]
    )
    number = str(next(one["id"] for one in story if one["title"] == "低比特量化实战"))
    assert "已选" in cli("decide", number, "pick", "--category", "论文", "--issue", "2026-11-25")
    assert cli.json("candidates", "--state", "picked")["categories"]
    cli("export")
    written = (cli.home / "issues/2026-11-25.md").read_text(encoding="utf-8")
    assert "- [低比特量化实战 | 边缘智讯](https://mp.weixin.qq.com/s/aaaaaaaaaaaaaaaaaaaaaa)" in written
    assert "论文：https://arxiv.org/abs/2511.00001" in written
    assert cli("issue", "show") == cli("issue", "show", "2026-11-25") == written
    assert "没有变化" in cli("export", "2026-11-25")
    cli("export", "--publish", "--format", "markdown,json", "-o", str(cli.home / "out"))
    assert json.loads((cli.home / "out/2026-11-25.json").read_text(encoding="utf-8"))
    states = [
        one["state"]
        for category in cli.json("candidates", "--state", "published")["categories"]
        for one in category["candidates"]
    ]
    assert states == ["published"]


def test_an_entry_of_ones_own_words_is_written_into_the_draft(cli: Cli, tmp_path: Path) -> None:
    write = ("issue", "write", "--category")
    report = cli(*write, "业界新闻", "2026-11-20", "--title", "iPhone 12 将用 A14", "--source", "IT之家")
    assert "2026-11-20" in report
    links = ("--url", "https://e.org/a", "--link", "代码=https://e.org/code")
    cli(*write, "论文", "--title", "甲", *links, "--summary", "说了。")
    (tmp_path / "entry.md").write_text("[乙 | 源](https://e.org/b)\n摘要：也说了。\n")
    cli(*write, "论文", "--markdown", str(tmp_path / "entry.md"))
    text = cli("issue", "show", "2026-11-20")
    assert "- iPhone 12 将用 A14 &#124; IT之家  \n" in text
    assert "- [甲](https://e.org/a)  \n代码：https://e.org/code  \n摘要：说了。  \n" in text
    assert "- [乙 | 源](https://e.org/b)  \n摘要：也说了。  \n" in text


def test_the_texts_of_an_issue_are_written_into_the_draft(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cover.md").write_text("![](cover.png)\n", encoding="utf-8")
    write = ("issue", "text")
    cli(*write, "2026-11-20", "--part", "headline", "--text", "甲/乙")
    cli(*write, "--section", "封面图", "--markdown", str(tmp_path / "cover.md"), "--above", "业界新闻", "--level", "3")
    cli(*write, "--section", "论文", "--part", "closing", "--text", "多看论文。")
    text = cli("issue", "show", "2026-11-20")
    assert text.index("甲/乙") < text.index("### 封面图\n\n![](cover.png)\n") < text.index("## 业界新闻")
    assert text.index("## 论文") < text.index("多看论文。") < text.index("## 开源项目")
    cli(*write, "--part", "notes", code=2)
    cli(*write, "--section", "论文", "--part", "guide", code=2)


@pytest.mark.parametrize(
    "words",
    [("--title", "甲", "--markdown", "-"), (), ("--title", "甲", "--link", "https://e.org/1")],
)
def test_an_entry_that_cannot_be_written_is_wrong_use(cli: Cli, words: tuple[str, ...]) -> None:
    cli("issue", "write", "--category", "论文", *words, code=2)


def test_several_stories_are_decided_at_once_and_one_that_is_not_there_is_named(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("decide", "1", "4", "drop")
    assert numbers(cli, "dropped") == [[1, 2, 3], [4]]
    refused = CliRunner().invoke(app, ["--home", str(cli.home), "decide", "1", "99", "4", "undo"])
    assert refused.exit_code == 1
    assert "没有编号" in refused.stderr
    assert "99" in refused.stderr
    assert numbers(cli, "dropped") == []


def test_undo_takes_a_pick_out_of_the_draft(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("decide", "4", "pick", "--issue", "2026-11-25")
    assert "今晚吃什么" in cli("issue", "show", "2026-11-25")
    assert "待选" in cli("decide", "4", "undo")
    assert "今晚吃什么" not in cli("issue", "show", "2026-11-25")


def test_what_a_past_issue_printed_is_not_new(cli: Cli, items: Path, tmp_path: Path) -> None:
    past = tmp_path / "2026-10-01.md"
    past.write_text(PAST, encoding="utf-8")
    cli("archive", "import", str(past))
    cli("add", str(items))
    published = cli.json("candidates", "--state", "published")["categories"]
    assert [(one["title"], one["published_in"]) for category in published for one in category["candidates"]] == [
        ("今晚吃什么", "2026-10-01")
    ]


def test_a_file_from_which_nothing_is_read_is_an_error(cli: Cli, tmp_path: Path) -> None:
    past = tmp_path / "2026-10-01.md"
    past.write_text("# 试刊 (2026-10-01)\n\n## 论文\n\n只有文字。\n", encoding="utf-8")
    cli("archive", "import", str(past), code=1)
    assert "没有条目，算作框架" in cli("archive", "check", str(past), code=1)


def test_the_shape_of_past_issues_is_learned_and_checked_without_storing_anything(cli: Cli, tmp_path: Path) -> None:
    paths = []
    for number in range(1, 5):
        path = tmp_path / f"issue-{number}.md"
        items = "\n\n".join(f"{rank}、[标题{number}-{rank}](https://e.org/{number}/{rank})" for rank in (1, 2, 3))
        text = f"# 试刊（第 {number} 期）\n\n[投稿](https://e.org/new)\n\n### 论文\n\n{items}\n\n### 订阅\n\n每周五。\n"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    printed = cli("archive", "learn", *paths)
    for line in ("[reading]", "sections = [3]", 'items = ["{n}、"]', 'frame = ["订阅"]', "[numbering]"):
        assert line in printed
    assert "第 5 行「论文」：3 条，以 {n}、 起头" in printed
    assert "第 3 行的链接不在条目里：https://e.org/new" in printed
    assert "试刊" not in cli("archive", "check", paths[0], code=1)
    assert "试刊" not in cli("issue", "list")


def test_importing_an_issue_marks_what_was_already_stored(cli: Cli, items: Path, tmp_path: Path) -> None:
    cli("add", str(items))
    past = tmp_path / "2026-10-01.md"
    past.write_text(PAST, encoding="utf-8")
    cli("archive", "import", str(past))
    published = cli.json("candidates", "--state", "published")["categories"]
    assert [one["title"] for category in published for one in category["candidates"]] == ["今晚吃什么"]


def test_a_printed_paper_is_published_and_news_of_a_printed_work_says_what_it_follows(cli: Cli, tmp_path: Path) -> None:
    past, items = tmp_path / "2026-10-01.md", tmp_path / "items.jsonl"
    past.write_text(
        "# 试刊 (2026-10-01)\n\n## 开源项目\n\n- [Tiny/Quant：量化库开源了](https://mirror.example/q)\n摘要：开源了。\n"
        "- [2511.00001] 低比特量化 | 某号\n摘要：论文。\n\n----\n",
        encoding="utf-8",
    )
    told = [
        (
            "https://mp.weixin.qq.com/s/bbbbbbbbbbbbbbbbbbbbbb",
            "一种低比特量化",
            "论文：https://arxiv.org/abs/2511.00001",
        ),
        ("https://arxiv.org/abs/2511.00001", "Low bits", ""),
        ("https://github.com/tiny/quant/releases/tag/v2.0", "quant v2.0", "新的内核"),
        ("https://mp.weixin.qq.com/s/cccccccccccccccccccccc", "量化库怎么用", "代码：https://github.com/tiny/quant"),
    ]
    rows = [{"url": url, "title": title, "text": text, "published_at": "2026-11-20"} for url, title, text in told]
    items.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    cli("add", str(items))
    cli("archive", "import", str(past))

    def list_recalled(state: str, field: str) -> dict[str, tuple[str, str]]:
        listed = cli.json("candidates", "--state", state)["categories"]
        documents = [document for category in listed for document in category["candidates"]]
        return {document["title"]: (document[field], document["recalled"]["title"]) for document in documents}

    paper, code = ("2026-10-01", "低比特量化"), ("2026-10-01", "Tiny/Quant: 量化库开源了")
    assert list_recalled("published", "published_in") == {"Low bits": paper}
    assert list_recalled("new", "follows") == {"一种低比特量化": paper, "quant v2.0": code, "量化库怎么用": code}
    assert "后续：已在" in cli("candidates").replace("\n", "")


def test_a_rebuild_reads_again_what_issues_printed(cli: Cli, items: Path) -> None:
    with Newsroom(Home(cli.home)).store.transaction() as tx:
        entry = Entry("[今晚吃什么 | 厨房](https://example.org/recipe)\n摘要：刊过了。")
        tx.issues.save(Issue(date(2026, 10, 1), "试刊", (Section("业界新闻", (entry,)),)), [()])
    cli("add", str(items))
    assert numbers(cli, "published") == []
    cli("rebuild")
    assert numbers(cli, "published") == [[4]]


def test_a_rebuild_changes_nothing_that_the_editor_sees(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("decide", "4", "drop")
    before = [cli.json("candidates", "--state", state)["categories"] for state in ("new", "dropped")]
    cli("rebuild")
    after = [cli.json("candidates", "--state", state)["categories"] for state in ("new", "dropped")]
    assert after == before


def test_since_takes_hours_days_and_weeks_and_nothing_else(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    assert not any(category["candidates"] for category in cli.json("candidates", "--since", "1h")["categories"])
    cli("candidates", "--since", "soon", code=2)


def numbers(cli: Cli, state: str = "new") -> list[list[int]]:
    """The article numbers of each story in a state."""
    listed = cli.json("candidates", "--state", state)["categories"]
    told = [one["articles"] for category in listed for one in category["candidates"]]
    return sorted(sorted(article["id"] for article in articles) for articles in told)


def test_stories_are_merged_and_split_by_hand_and_a_rebuild_leaves_them_so(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    assert numbers(cli) == [[1, 2, 3], [4]]
    assert "（4 篇）" in cli("merge", "4", "2")
    assert numbers(cli) == [[1, 2, 3, 4]]
    assert "by-hand" in cli("candidates", "--json")
    assert "低比特量化实战" in cli("split", "1", "3")
    assert numbers(cli) == [[1, 2, 4], [3]]
    cli("rebuild")
    assert numbers(cli) == [[1, 2, 4], [3]]
    cli("decide", "3", "undo")
    assert numbers(cli) == [[1, 2, 3, 4]]
    cli("decide", "1", "undo")
    assert numbers(cli) == [[1, 2, 3], [4]]


def test_a_story_split_without_a_word_of_whom_falls_apart_wholly(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("split", "1")
    assert numbers(cli) == [[1], [2], [3], [4]]


def test_the_rest_stays_one_when_the_article_that_held_it_together_is_split_off(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("split", "1")
    cli("merge", "1", "2", "4")
    cli("split", "1", "1")
    assert numbers(cli) == [[1], [2, 4], [3]]
    cli("decide", "4", "undo")
    assert numbers(cli) == [[1, 2, 4], [3]]


def test_a_merge_takes_back_every_split_between_the_two(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("split", "1", "3")
    assert numbers(cli) == [[1, 2], [3], [4]]
    cli("merge", "2", "3")
    assert numbers(cli) == [[1, 2, 3], [4]]


def test_what_was_decided_last_of_either_half_is_decided_of_both_and_the_draft_follows(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("decide", "1", "pick", "--issue", "2026-11-25", "--category", "论文")
    cli("decide", "4", "drop")
    assert "不用" in cli("merge", "1", "4")
    assert "低比特量化实战" not in cli("issue", "show", "2026-11-25")
    cli("decide", "1", "undo")
    assert numbers(cli, "picked") == [[1, 2, 3]]
    assert numbers(cli, "dropped") == [[4]]
    assert "低比特量化实战" in cli("issue", "show", "2026-11-25")


def test_two_picks_that_are_merged_stand_in_the_draft_once(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("decide", "1", "pick", "--issue", "2026-11-25")
    cli("decide", "4", "pick", "--issue", "2026-12-09")
    cli("merge", "1", "4")
    assert "低比特量化实战" not in cli("issue", "show", "2026-11-25")
    assert "今晚吃什么" in cli("issue", "show", "2026-12-09")


def test_an_undone_drop_is_a_pick_again_and_in_its_draft(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("decide", "4", "pick", "--issue", "2026-11-25")
    cli("decide", "4", "drop")
    assert "今晚吃什么" not in cli("issue", "show", "2026-11-25")
    assert "已选" in cli("decide", "4", "undo")
    assert "今晚吃什么" in cli("issue", "show", "2026-11-25")


def test_what_may_be_one_event_is_listed_until_somebody_answers(cli: Cli) -> None:
    newsroom = Newsroom(Home(cli.home))
    add_possible_pair(newsroom, 21, 22)
    newsroom.store.close()
    (pair,) = json.loads(cli("suggestions", "--json"))["suggestions"]
    first, second = (str(story["id"]) for story in pair["stories"])
    table = cli("suggestions")
    assert {first, second} <= set(table.split())
    assert "云雀半导体" in table
    cli("apart", first, second)
    assert "没有可能是同一件事的" in cli("suggestions")
    cli("decide", second, "undo")
    assert json.loads(cli("suggestions", "--json"))["suggestions"] == [pair]
    cli("merge", first, second)
    assert "没有可能是同一件事的" in cli("suggestions")


@pytest.mark.parametrize(
    "words_and_answer",
    [
        (("apart", "1", "99"), "99"),
        (("apart", "1", "2"), "jianbao split"),
        (("merge", "1", "99"), "99"),
        (("merge", "1", "1"), "低比特量化实战"),
        (("split", "4"), "今晚吃什么"),
        (("split", "1", "4"), "1、2、3"),
        (("split", "1", "1", "2", "3"), "各篇就各成一件"),
    ],
)
def test_what_cannot_be_merged_or_split_is_named_with_what_would_work(
    cli: Cli,
    items: Path,
    words_and_answer: tuple[tuple[str, ...], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, answer = words_and_answer
    cli("add", str(items))
    monkeypatch.setattr("sys.argv", ["jianbao", "--home", str(cli.home), *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert answer in capsys.readouterr().err
    assert numbers(cli) == [[1, 2, 3], [4]]


def test_a_date_in_another_form_is_told_how_dates_are_written(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["export", "20261130"], ["issue", "show", "2026/11/30"]):
        monkeypatch.setattr("sys.argv", ["jianbao", "--home", str(cli.home), *command])
        with pytest.raises(SystemExit):
            main()
        assert "2020-01-27" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("decide", "99", "pick"),
        ("decide", "1", "eat"),
        ("issue", "show", "2026-01-01"),
        ("export",),
        ("crawl", "nobody"),
        ("candidates", "--category", "食谱"),
        ("export", "--format", "pdf"),
        ("issue", "write", "0001-01-01", "--category", "论文", "--title", "甲"),
        ("no-such-command",),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(
    cli: Cli, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["jianbao", "--home", str(cli.home), *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip()


def test_a_folder_that_is_no_newsletter_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["jianbao", "--home", str(tmp_path), "candidates"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "jianbao init" in capsys.readouterr().err


def test_a_registry_that_cannot_be_read_is_not_taken_for_an_empty_one(cli: Cli) -> None:
    (cli.home / "sources.toml").write_text("[[source]", encoding="utf-8")
    cli("crawl", code=2)


def test_a_row_that_cannot_work_is_a_failed_source_of_the_crawl(cli: Cli) -> None:
    (cli.home / "sources.toml").write_text('[[source]]\nid = "a"\nkind = "feed"\nname = "A"\n', encoding="utf-8")
    (report,) = json.loads(cli("crawl", "--json", code=1))["sources"]
    assert report["id"] == "a"
    assert "url: is missing" in report["failed"]


def test_opml_goes_in_and_out(cli: Cli, tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.opml"
    cli("sources", "export", "-o", str(feeds))
    other = Cli(tmp_path / "other")
    other("init", str(other.home))
    (other.home / "sources.toml").write_text("", encoding="utf-8")
    other("sources", "import", str(feeds))
    known = {source["id"] for source in cli.json("sources", "list")["sources"]}
    assert {source["id"] for source in other.json("sources", "list")["sources"]} <= known
    assert "没有错误" in other("sources", "check")


def test_importing_a_list_says_what_it_leaves_out(cli: Cli, tmp_path: Path) -> None:
    row = {
        "id": "gh",
        "kind": "github",
        "name": "G",
        "mode": "search",
        "query": "x",
        "base_url": "http://thief.example",
    }
    written = json.dumps(row).replace('"', "&quot;")
    feeds = tmp_path / "feeds.opml"
    feeds.write_text(f'<opml xmlns:j="urn:jianbao"><body><outline text="G" j:source="{written}"/></body></opml>')
    before = len(cli.json("sources", "list")["sources"])
    printed = CliRunner().invoke(app, ["--home", str(cli.home), "sources", "import", str(feeds)])
    assert printed.exit_code == 0
    assert "base_url" in printed.stderr
    added = cli.json("sources", "list")["sources"][before:]
    assert [(source["id"], source["query"], source["base_url"]) for source in added] == [("gh", "x", None)]


def test_a_backup_is_a_newsroom_of_its_own(
    cli: Cli, items: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("add", str(items))
    cli("db", "backup", str(tmp_path / "copy.db"))
    cli("db", "upgrade")
    before = cli.json("candidates")["categories"]
    monkeypatch.setenv("JIANBAO_DB", f"sqlite:///{tmp_path / 'copy.db'}")
    assert cli.json("candidates")["categories"] == before


def test_a_backup_made_while_the_desk_runs_has_the_same_issues_and_replaces_no_file(
    cli: Cli, items: Path, tmp_path: Path
) -> None:
    cli("add", str(items))
    copy = tmp_path / "copy.db"
    with serve_desk(Home(cli.home)):
        cli("decide", "1", "pick", "--issue", "2026-11-30")
        cli("db", "backup", str(copy))
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("newsletter.toml", "sources.toml"):
        (moved / name).write_bytes((cli.home / name).read_bytes())
    (moved / "var").mkdir()
    (moved / "var/jianbao.db").write_bytes(copy.read_bytes())
    assert Cli(moved)("issue", "list") == cli("issue", "list")
    assert Cli(moved)("issue", "show", "2026-11-30") == cli("issue", "show", "2026-11-30")
    before = copy.read_bytes()
    _, refusal, code = start(cli.home, "db", "backup", str(copy))
    assert (code, copy.read_bytes()) == (1, before)
    assert "已经有了，没有动它" in refusal
    assert "这个数据库不能用" not in refusal


def test_importing_a_file_of_a_drafts_day_is_refused_by_name_and_the_draft_keeps_its_picks(
    cli: Cli, items: Path, tmp_path: Path
) -> None:
    cli("add", str(items))
    cli("decide", "1", "pick", "--issue", "2026-11-30")
    cli("export")
    draft = cli("issue", "show", "2026-11-30")
    exported = cli.home / "issues/2026-11-30.md"
    other = tmp_path / "other.md"
    other.write_text("# 嵌入式AI简报 (2026-11-30)\n\n## 论文\n\n- [乙 | 源](https://example.org/2)\n", encoding="utf-8")
    for path in (exported, other):
        refused = CliRunner().invoke(app, ["--home", str(cli.home), "archive", "import", str(path)])
        assert refused.exit_code == 1
        assert path.name in refused.stderr
        assert "--replace" in refused.stderr
    assert cli("issue", "show", "2026-11-30") == draft
    assert "草稿" in cli("issue", "list")


@pytest.mark.parametrize(
    "words", [("decide", "5", "pick"), ("issue", "show", "2001-01-01"), ("decide", "5", "pick", "--category", "X")]
)
@pytest.mark.parametrize("by_option", [True, False])
def test_what_cannot_be_done_is_told_in_one_language(
    words: tuple[str, ...],
    by_option: bool,
    cli: Cli,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(language: str) -> str:
        monkeypatch.setenv("JIANBAO_LANG", "zh" if by_option else language)
        options = ["--lang", language] if by_option else []
        monkeypatch.setattr("sys.argv", ["jianbao", *options, "--home", str(cli.home), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        return capsys.readouterr().err

    english = told("en").replace("业界新闻, 论文, 开源项目, 博文, 简讯", "")
    assert english.strip()
    assert not re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff01-\uff1f]", english)
    chinese = re.sub(r"jianbao( [a-z]+)*", "", told("zh"))
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert not re.search(r"[a-z]{2,}", chinese)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("export", "-o", "{file}"), 2),
        (("export", "-o", "{file}/below"), 1),
        (("export", "2026-11-25", "--publish", "-o", "{file}/below"), 1),
        (("db", "backup", "{file}"), 1),
        (("init", "{file}/below"), 1),
    ],
)
def test_a_place_that_cannot_be_written_is_named_in_one_line_and_nothing_is_published(  # noqa: PLR0917 - fixtures
    words: tuple[str, ...],
    code: int,
    cli: Cli,
    items: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli("add", str(items))
    cli("decide", "1", "pick", "--issue", "2026-11-25")
    named = [word.format(file=items) for word in words]
    monkeypatch.setattr("sys.argv", ["jianbao", "--home", str(cli.home), *named])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert items.name in error or "-o" in error
    assert "Traceback" not in error
    assert "草稿" in cli("issue", "list")
    assert items.read_text(encoding="utf-8").count("\n") == len(ITEMS)


def test_a_draft_is_deleted_and_its_picks_are_candidates_again(cli: Cli, items: Path) -> None:
    cli("add", str(items))
    cli("decide", "4", "pick", "--issue", "2026-11-25")
    assert "2026-11-25" in cli("issue", "delete", "2026-11-25")
    assert "2026-11-25" not in cli("issue", "list")
    states = {
        candidate["id"]: candidate["state"]
        for category in cli.json("candidates")["categories"]
        for candidate in category["candidates"]
    }
    assert states[4] == "new"
