"""`jianbao export`: each format, all of an archive at once, and the check that a newsletter's repository runs."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import feedparser
import pytest
from commands import Cli
from databases import write_new_database

from pipelines.newsroom.editing.exports import FORMATS, FileAnIssue, Format

PAST = (
    "---\nlayout: default\n---\n\n# 试刊 ({day}) 甲/乙\n\n## 业界新闻\n\n"
    "- [今晚吃什么 | 厨房](https://example.org/{day})  \n摘要：刊过了。  \n\n----\n\n页脚\n"
)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A newsroom with two past issues, exported with everything."""
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    cli = Cli(tmp_path / "newsletter")
    cli("init", str(cli.home))
    write_new_database(cli.home / "var" / "jianbao.db")
    for day in ("2026-10-01", "2026-10-15"):
        (tmp_path / f"{day}.md").write_text(PAST.format(day=day), encoding="utf-8")
    cli("archive", "import", *map(str, sorted(tmp_path.glob("*.md"))))
    cli("export", "--all", "--format", "markdown,wechat,atom,json")
    return cli


def names(cli: Cli) -> list[str]:
    return sorted(path.name for path in (cli.home / "issues").iterdir())


def test_all_is_every_issue_in_every_format_the_feed_and_the_readme(cli: Cli) -> None:
    days = ("2026-10-01", "2026-10-15")
    assert names(cli) == sorted(
        [*(f"{day}.{end}" for day in days for end in ("md", "json", "wechat.html")), "feed.xml", "README.md"]
    )
    readme = (cli.home / "issues/README.md").read_text(encoding="utf-8")
    assert readme.index("[2026-10-15](2026-10-15.md)") < readme.index("[2026-10-01](2026-10-01.md)")
    assert json.loads((cli.home / "issues/2026-10-01.json").read_text(encoding="utf-8"))["headline"] == "甲/乙"


def test_one_issue_is_one_file_and_a_picture_to_upload_is_named(cli: Cli, tmp_path: Path) -> None:
    picture = tmp_path / "2026-11-01.md"
    picture.write_text(PAST.format(day="2026-11-01").replace("页脚", "![码](../qr.jpg)"), encoding="utf-8")
    cli("archive", "import", str(picture))
    said = cli("export", "2026-11-01", "--format", "wechat", "-o", str(tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["2026-11-01.wechat.html"]
    assert "图 1 要上传：../qr.jpg「码」" in said


def test_what_has_not_changed_is_not_touched(cli: Cli) -> None:
    files = sorted((cli.home / "issues").iterdir())
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in files]
    said = cli("export", "--all", "--format", "markdown,wechat,atom,json")
    assert said.count("（没有变化）") == len(files)
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in files] == before


@pytest.mark.parametrize("name", ["2026-10-01.md", "feed.xml", "README.md", "2026-10-15.wechat.html"])
def test_check_says_which_file_would_change_exits_1_and_writes_nothing(cli: Cli, name: str) -> None:
    every = ("export", "--all", "--format", "markdown,wechat,atom,json", "--check")
    cli(*every)
    path = cli.home / "issues" / name
    path.write_text(path.read_text(encoding="utf-8").replace("2026-10", "2026-11"), encoding="utf-8")
    stale = path.read_bytes()
    cli(*every, code=1)
    assert path.read_bytes() == stale
    path.unlink()
    cli(*every, code=1)
    assert not path.exists()


def test_check_with_publish_is_wrong_use(cli: Cli) -> None:
    cli("export", "--all", "--check", "--publish", code=2)


@pytest.mark.slow
def test_the_workflow_that_init_writes_passes_on_what_export_wrote_and_fails_on_what_somebody_broke(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (cli.home / ".github/workflows/issues.yml").read_text(encoding="utf-8")
    steps = re.findall(r"- run: jianbao (.*)", text)
    assert steps == ["archive import issues/????-??-??.md", "export --all --check"]
    monkeypatch.chdir(cli.home)

    def run(database: str, code: int) -> None:
        """A fresh runner has the repository and no database."""
        monkeypatch.setenv("JIANBAO_DB", f"sqlite:///{tmp_path / database}")
        cli(*steps[0].split()[:2], *map(str, sorted((cli.home / "issues").glob("????-??-??.md"))))
        cli(*steps[1].split(), code=code)

    run("one.db", 0)
    issue = cli.home / "issues/2026-10-01.md"
    issue.write_text(issue.read_text(encoding="utf-8").replace("摘要：刊过了。  ", "摘要：刊过了。"), encoding="utf-8")
    run("two.db", 1)


def read_feed(path: Path) -> feedparser.FeedParserDict:
    return feedparser.parse(path.read_bytes())


def ids_of(path: Path) -> list[str]:
    feed = read_feed(path)
    return [feed.feed.id, *(entry.id for entry in feed.entries)]


def test_the_feed_keeps_its_identifiers_when_title_site_and_pattern_change_and_the_file_is_gone(
    cli: Cli, tmp_path: Path
) -> None:
    feed = cli.home / "issues/feed.xml"
    before = ids_of(feed)
    feed.unlink()
    settings = cli.home / "newsletter.toml"
    values = {"title": "别的名字", "url": "https://moved.example/", "issue": "{date}/", "feed_address": "f.xml"}
    text = settings.read_text(encoding="utf-8")
    for name, value in values.items():
        text, count = re.subn(rf'(?m)^{name} = "(?!https://github).*"$', f'{name} = "{value}"', text, count=1)
        assert count == 1
    settings.write_text(text, encoding="utf-8")
    cli("export", "--all", "--format", "atom")
    cli("export", "--all", "--format", "atom", "-o", str(tmp_path / "elsewhere"))
    assert "别的名字" in feed.read_text(encoding="utf-8")
    assert ids_of(feed) == ids_of(tmp_path / "elsewhere/feed.xml") == before


def test_a_newsroom_that_is_made_anew_takes_the_identifiers_of_the_feed_that_lies_there(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = cli.home / "issues/feed.xml"
    text = feed.read_text(encoding="utf-8")
    for number, identifier in enumerate(ids_of(feed)):
        text = text.replace(identifier, f"https://old.example/{number}")
    feed.write_text(text, encoding="utf-8")
    monkeypatch.setenv("JIANBAO_DB", f"sqlite:///{tmp_path / 'anew.db'}")
    cli("archive", "import", *map(str, sorted(tmp_path.glob("*.md"))))
    cli("export", "--all", "--format", "atom", "-o", str(tmp_path / "elsewhere"))  # another folder, the same newsletter
    feed.unlink()
    cli("export", "--all", "--format", "atom")
    expected = [f"https://old.example/{number}" for number in range(3)]
    assert ids_of(feed) == ids_of(tmp_path / "elsewhere/feed.xml") == expected


def test_a_correction_moves_updated_of_its_issue_alone(cli: Cli, tmp_path: Path) -> None:
    feed = cli.home / "issues/feed.xml"
    former = [entry.updated for entry in read_feed(feed).entries]
    corrected = tmp_path / "2026-10-01.md"
    corrected.write_text(corrected.read_text(encoding="utf-8").replace("刊过了", "刊过了，更正"), encoding="utf-8")
    cli("archive", "import", str(corrected))
    for path in (feed, tmp_path / "elsewhere/feed.xml"):  # with the feed of before, and where there is none
        cli("export", "--all", "--format", "atom", "-o", str(path.parent))
        newer, older = read_feed(path).entries
        assert "更正" in older.content[0].value
        assert newer.updated == former[0]
        assert former[1] < older.updated <= datetime.now(ZoneInfo("Asia/Shanghai")).isoformat()


def test_a_readme_that_is_no_text_is_named_and_left_alone(cli: Cli) -> None:
    readme = cli.home / "issues/README.md"
    readme.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AssertionError, match="UnreadableReadme"):
        cli("export", "--all")
    assert readme.read_bytes() == b"\xff\xfe\x00"


def test_an_unknown_format_names_those_there_are(cli: Cli) -> None:
    cli("export", "--all", "--format", "pdf", code=2)


@pytest.mark.slow
@pytest.mark.archive
def test_the_archive_goes_through_export_all_line_by_line(archive: Path, tmp_path: Path) -> None:
    """Prints its counts with -s."""
    cli = Cli(tmp_path / "newsletter")
    cli("init", str(cli.home))
    paths = sorted(archive.glob("*.md"))
    cli("archive", "import", *map(str, paths))
    cli("export", "--all")
    lines = 0
    for path in paths:
        before, after = (_lines(one) for one in (path, cli.home / "issues" / path.name))
        lines += len(before)
        assert before == after, path.name
    cli("export", "--all", "--check")
    print(f"\n{len(paths)} issues, {lines} lines: all equal")  # noqa: T201 - asked for with -s


def _lines(path: Path) -> list[str]:
    text = path.read_bytes().decode(errors="ignore").removeprefix("\ufeff")
    return [line.rstrip() for line in text.rstrip().splitlines()]


def test_the_blank_lines_of_a_past_issue_come_back(cli: Cli, tmp_path: Path) -> None:
    spaced = PAST.format(day="2026-11-01").replace("\n\n## 业界新闻\n\n", "\n\n\n\n## 业界新闻\n")
    path = tmp_path / "2026-11-01.md"
    path.write_text(spaced, encoding="utf-8")
    cli("archive", "import", str(path))
    cli("export", "--all")
    assert _lines(cli.home / "issues" / path.name) == _lines(path)


def test_every_format_has_a_row_and_no_two_write_the_same_file(cli: Cli) -> None:
    assert set(FORMATS) == set(Format)
    endings = [row.ending for row in FORMATS.values() if isinstance(row, FileAnIssue)]
    assert len(set(endings)) == len(endings)
    assert all(name in cli("export", "--help") for name in Format)


def test_a_format_without_a_row_writes_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(FORMATS, Format.JSON)
    cli("export", "2026-10-01", "--format", "markdown,json", "-o", str(tmp_path / "out"), code=1)
    assert not (tmp_path / "out").exists()
