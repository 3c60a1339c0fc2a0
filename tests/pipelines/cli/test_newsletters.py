"""Several newsletters of one house by the command line: one crawl, and each edits, learns and publishes for itself."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from commands import Cli
from databases import Databases, read_tables
from desks import Desk
from places import ROOT
from starlette.testclient import TestClient

from crawler.home import DATABASE_VARIABLE, NEWSLETTER_VARIABLE, Home
from pipelines.newsroom import Newsroom
from pipelines.review.app import build_desk
from pipelines.review.guard.access import Access
from pipelines.review.serving import make_host_names
from pipelines.store import Store
from pipelines.store.errors import BackupRefused
from pipelines.store.tables import OF_NEWSLETTER, metadata, newsletter_metadata

COMPILER = """title = "编译通讯"
editor = "小周"
topics = [{ name = "编译器", terms = ["编译", "compiler"], weight = 3.0 }]

[[categories]]
name = "工具"
words = { "编译" = 2.0 }

[[categories]]
name = "其他"
"""

TITLES = [
    "端侧推理怎样省内存",
    "骁龙芯片跑起了大模型",
    "低比特量化的三个误区",
    "剪枝之后精度为什么会掉",
    "手机上的语音识别",
    "模型压缩综述读后",
    "知识蒸馏入门",
    "移动端部署踩坑记",
    "松鼠编译器有了新后端",
    "循环展开与编译优化",
    "一个写给孩子的编译课程",
    "即时编译为何越来越快",
    "用形式化方法验证编译",
    "链接器与编译缓存",
    "张量编译栈的十年",
    "编译报错应该怎么写",
]
"""Eight for the house, eight for the other newsletter."""


class Newsletters:
    """`jianbao` in a house of two newsletters: the house itself, and `compilers`."""

    def __init__(self, folder: Path) -> None:
        self.house = Cli(folder)
        self.folder = folder

    def second(self, *words: str, code: int = 0) -> str:
        return self.house("--newsletter", "compilers", *words, code=code)

    def add(self, title: str) -> None:
        """Have the house take one more article."""
        items = self.folder / "more.jsonl"
        row = {"url": f"https://more.example/{quote(title)}", "title": title, "text": f"{title}。" * 20}
        items.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
        self.house("add", str(items))

    def list_titles(self, *words: str) -> dict[str, int]:
        """The candidates by title, each with its id, best first."""
        document = json.loads(self.house(*words, "candidates", "--json"))
        listed = [each for category in document["categories"] for each in category["candidates"]]
        return {each["title"]: each["id"] for each in sorted(listed, key=lambda each: -each["score"])}

    def read_tables(self, name: str, of: Any = metadata) -> dict[str, list[tuple[Any, ...]]]:
        newsroom = Newsroom(Home(self.folder, name))
        with closing(newsroom):
            return read_tables(newsroom.store, of=of)


@pytest.fixture
def newsletters(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsletters]:
    """A house with two newsletters, in a database of either kind, that has taken a list of articles."""
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    monkeypatch.delenv(NEWSLETTER_VARIABLE, raising=False)
    url = databases.make() if databases.dialect == "postgresql" else None
    if url:
        monkeypatch.setenv(DATABASE_VARIABLE, url)
    made = Newsletters(tmp_path / "house")
    made.house("init", str(made.folder))
    made.second("init")
    (made.folder / "newsletters/compilers/newsletter.toml").write_text(COMPILER, encoding="utf-8")
    items = tmp_path / "items.jsonl"
    rows = [
        {
            "url": f"https://site{number}.example/{number}",
            "title": title,
            "source": f"号{number}",
            "published_at": f"2026-11-{10 + number}",
            "text": f"{title}。" * 20,
        }
        for number, title in enumerate(TITLES)
    ]
    items.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    made.house("add", str(items))
    yield made
    if url:
        databases.drop(url)


def test_two_newsletters_pick_learn_and_publish_each_for_itself(newsletters: Newsletters, tmp_path: Path) -> None:
    house, second = newsletters.house, newsletters.second
    in_house, in_second = newsletters.list_titles(), newsletters.list_titles("--newsletter", "compilers")
    assert in_house.keys() == in_second.keys() == set(TITLES)
    assert next(iter(in_house)) in TITLES[:8]
    assert next(iter(in_second)) in TITLES[8:]
    second("decide", *(str(in_second[title]) for title in TITLES[8:14]), "pick")
    second("decide", *(str(in_second[title]) for title in TITLES[:6]), "drop")
    house("decide", *(str(in_house[title]) for title in TITLES[:6]), "pick")
    house("decide", *(str(in_house[title]) for title in TITLES[8:14]), "drop")
    assert set(newsletters.list_titles()) == {*TITLES[6:8], *TITLES[14:]}
    assert set(newsletters.list_titles("--newsletter", "compilers")) == {*TITLES[6:8], *TITLES[14:]}
    second("group")
    house("group")
    models = [newsletters.read_tables(*place)["models"] for place in (("",), ("compilers", newsletter_metadata))]
    assert all(models)
    assert models[0] != models[1]
    second("issue", "write", "--title", "手写的一条", "--url", "https://example.org/mine", "--category", "其他")
    second("export", "--publish")
    house("export", "--publish")
    (of_house,) = (newsletters.folder / "issues").glob("*.md")
    (of_second,) = (newsletters.folder / "newsletters/compilers/issues").glob("*.md")
    text_of_house, text_of_second = of_house.read_text(encoding="utf-8"), of_second.read_text(encoding="utf-8")
    assert all((title in text_of_house) == (title in TITLES[:6]) for title in TITLES)
    assert all((title in text_of_second) == (title in TITLES[8:14]) for title in TITLES)
    assert "编译通讯" in text_of_second
    assert "手写的一条" in text_of_second
    assert json.loads(second("candidates", "--json", "--state", "published"))["categories"]
    day = of_second.stem
    second("issue", "unpublish", day)
    assert day in second("issue", "list")
    assert "草稿" in second("issue", "list")
    assert "草稿" not in house("issue", "list")
    past = tmp_path / "2026-01-05.md"
    past.write_text(text_of_second.replace(day, "2026-01-05"), encoding="utf-8")
    second("archive", "import", str(past))
    assert "2026-01-05" in second("issue", "list")
    assert "2026-01-05" not in house("issue", "list")
    second("db", "check")


def test_a_merge_by_one_newsletter_holds_for_all_and_can_be_taken_back(newsletters: Newsletters) -> None:
    ids = newsletters.list_titles("--newsletter", "compilers")
    first, other = sorted((ids[TITLES[8]], ids[TITLES[9]]))
    newsletters.second("decide", str(other), "pick")
    newsletters.second("merge", str(first), str(other))
    assert other not in newsletters.list_titles().values()
    (row,) = [row for row in newsletters.read_tables("")["decisions"] if "merge" in row]
    assert "小周" in row
    newsletters.second("decide", str(first), "undo")
    assert {first, other} <= set(newsletters.list_titles().values())
    picked = json.loads(newsletters.second("candidates", "--json", "--state", "picked"))["categories"]
    assert [each["id"] for category in picked for each in category["candidates"]] == [other]


def test_what_an_editor_of_a_newsletter_does_writes_no_row_of_its_house(newsletters: Newsletters) -> None:
    ids = newsletters.list_titles("--newsletter", "compilers")
    before = newsletters.read_tables("")
    newsletters.second("decide", str(ids[TITLES[0]]), "pick")
    newsletters.second("export", "--publish")
    newsletters.second("group")
    assert newsletters.read_tables("") == before
    shared = newsletters.read_tables("compilers")
    assert {name: shared[name] for name in shared.keys() - OF_NEWSLETTER} == {
        name: before[name] for name in before.keys() - OF_NEWSLETTER
    }


def test_the_desk_of_a_newsletter_shows_and_changes_its_own_stories(newsletters: Newsletters) -> None:
    ids = newsletters.list_titles("--newsletter", "compilers")
    newsroom = Newsroom(Home(newsletters.folder, "compilers"))
    access = Access(b"k" * 32, False, newsroom.newsletter.editor)
    app = build_desk(newsroom, access, make_host_names("127.0.0.1", []))
    with closing(newsroom), TestClient(app, base_url="http://127.0.0.1:8765") as client:
        desk = Desk(client, newsroom)
        for page in ("/candidates", "/issue", "/sources", "/archive", f"/articles/{ids[TITLES[0]]}/preview"):
            assert desk.get(page).status_code == 200, page
        assert "编译通讯" in desk.get("/candidates").text
        assert desk.decide(ids[TITLES[9]], "pick").status_code == 200
        found = desk.get("/api/candidates", params={"q": f"{TITLES[9]} 状态:已选"}).json()["candidates"]
        assert [each["id"] for each in found] == [ids[TITLES[9]]]
        assert desk.post("/api/undo").status_code == 200
        assert desk.card(ids[TITLES[9]])["state"] == "new"
    assert {row[1] for row in newsletters.read_tables("")["decisions"]} == set()


def test_a_newsletter_is_named_by_the_environment_too_and_must_exist(
    newsletters: Newsletters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NEWSLETTER_VARIABLE, "compilers")
    assert next(iter(newsletters.list_titles())) in TITLES[8:]
    assert newsletters.house("sources", "list")  # the house's, for all
    newsletters.house("--newsletter", "nowhere", "candidates", code=2)
    newsletters.house("--newsletter", "No/Where", "candidates", code=2)
    newsletters.house("init", code=2)
    assert not (newsletters.folder / "newsletters/nowhere").exists()


def test_a_newsletter_is_backed_up_and_restored_by_itself(newsletters: Newsletters, tmp_path: Path) -> None:
    ids = newsletters.list_titles("--newsletter", "compilers")
    newsletters.second("decide", str(ids[TITLES[8]]), "pick")
    newsletters.second("db", "backup", str(tmp_path / "copy.db"))
    before = newsletters.read_tables("compilers", newsletter_metadata)
    in_house = newsletters.read_tables("")
    newsletters.second("decide", str(ids[TITLES[8]]), "undo")
    newsletters.second("decide", str(ids[TITLES[9]]), "drop")
    newsletters.second("db", "restore", str(tmp_path / "copy.db"))
    assert newsletters.read_tables("compilers", newsletter_metadata) == before
    assert newsletters.read_tables("") == in_house
    newsletters.house("db", "backup", str(tmp_path / "house.db"))
    with pytest.raises(BackupRefused, match="of another kind"):
        Store.restore(f"sqlite:///{tmp_path / 'third.db'}", tmp_path / "copy.db", tmp_path)
    newsletters.house("db", "restore", str(tmp_path / "house.db"))
    assert newsletters.list_titles("--newsletter", "compilers").keys() == set(TITLES) - {TITLES[8]}
    checks = json.loads(newsletters.house("doctor", "--json"))["checks"]
    assert any("编译通讯" in check["text"] and check["verdict"] == "good" for check in checks)


def test_the_doctor_reads_the_rules_of_each_newsletter(newsletters: Newsletters) -> None:
    rules = Home(newsletters.folder, "compilers").folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "urls.toml").write_text("[", encoding="utf-8")
    checks = json.loads(newsletters.house("doctor", "--json", code=1))["checks"]
    (bad,) = (check for check in checks if check["verdict"] == "bad")
    assert "--newsletter compilers" in bad["text"]


def test_a_newsletter_whose_folder_was_renamed_keeps_what_it_decided_or_says_where_that_is(
    newsletters: Newsletters, databases: Databases
) -> None:
    best = next(iter(newsletters.list_titles("--newsletter", "compilers").values()))
    newsletters.second("decide", str(best), "pick", "--issue", "2026-12-07")
    (newsletters.folder / "newsletters/compilers").rename(newsletters.folder / "newsletters/tools")
    listed = newsletters.house.with_log("--newsletter", "tools", "issue", "list")
    if databases.dialect == "postgresql":
        assert "2026-12-07" not in listed
        assert "compilers" in listed
        assert "compilers" in newsletters.house("doctor")
        statements = re.search(r"`(DROP SCHEMA .*;)`", (ROOT / "docs/how-to/several.md").read_text(encoding="utf-8"))
        assert statements
        with closing(Newsroom(Home(newsletters.folder))) as house, house.store._writing.begin() as connection:
            renaming = statements[1].replace("_NEW", "_tools").replace("_OLD", "_compilers")
            connection.exec_driver_sql(renaming)
        listed = newsletters.house.with_log("--newsletter", "tools", "issue", "list")
    assert "2026-12-07" in listed
    assert "compilers" not in listed


def test_no_article_takes_over_what_a_newsletter_decided_on_one_that_a_backup_of_the_house_lacks(
    newsletters: Newsletters, tmp_path: Path
) -> None:
    newsletters.house("db", "backup", str(tmp_path / "house.db"))
    newsletters.add("编译器里的松鼠")
    late = newsletters.list_titles("--newsletter", "compilers")["编译器里的松鼠"]
    newsletters.second("decide", str(late), "drop")
    newsletters.house("db", "restore", str(tmp_path / "house.db"))
    newsletters.add("编译缓存里的云雀")
    assert newsletters.list_titles("--newsletter", "compilers")["编译缓存里的云雀"] > late


def test_no_article_takes_over_a_decision_where_the_backup_of_the_house_was_of_an_older_version(
    newsletters: Newsletters, tmp_path: Path
) -> None:
    newsletters.house("db", "backup", str(tmp_path / "house.db"))
    with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as copy:
        copy.execute("DROP TABLE story_changes")
        copy.execute("DROP TABLE shards")
        copy.execute("ALTER TABLE round_ups DROP COLUMN terms")
        copy.execute("DROP INDEX ix_event_keys_article_id_period")
        copy.execute("DROP INDEX ix_bands_article_id_reach")
        copy.execute("UPDATE alembic_version SET version_num = '0020'")
    newsletters.add("编译器里的松鼠")
    late = newsletters.list_titles("--newsletter", "compilers")["编译器里的松鼠"]
    newsletters.second("decide", str(late), "drop")
    newsletters.house("db", "restore", str(tmp_path / "house.db"))
    newsletters.house("db", "upgrade")
    newsletters.add("编译缓存里的云雀")
    assert newsletters.list_titles("--newsletter", "compilers")["编译缓存里的云雀"] > late


def test_a_newsletter_whose_file_is_damaged_is_looked_at_and_restored_and_so_is_its_house(
    newsletters: Newsletters, tmp_path: Path
) -> None:
    ids = newsletters.list_titles("--newsletter", "compilers")
    newsletters.second("decide", str(ids[TITLES[8]]), "pick")
    newsletters.second("db", "backup", str(tmp_path / "copy.db"))
    newsletters.house("db", "backup", str(tmp_path / "house.db"))
    own = Home(newsletters.folder, "compilers").own_database
    if own.exists():  # PostgreSQL has no file that could be damaged
        for path in own.parent.glob(f"{own.name}*"):
            path.unlink()
        own.write_bytes(b"no database")
        assert "--newsletter compilers" in newsletters.second("doctor", "--json", code=1)
    newsletters.house("db", "restore", str(tmp_path / "house.db"))
    newsletters.second("db", "restore", str(tmp_path / "copy.db"))
    assert TITLES[8] not in newsletters.list_titles("--newsletter", "compilers")
