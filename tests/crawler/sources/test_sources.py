"""sources.toml and the parts of newsletter.toml that the crawler reads: all mistakes at once, each with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler.errors import Detail
from crawler.home import Home
from crawler.sources.file import Mistake, Registry, check, load_network, load_sources, row_of, toml_row

NEWSLETTER = """
title = "t"
[mirrors]
one = "http://127.0.0.1:4000/feeds/{account}.json"
"""
GOOD = '[[source]]\nid = "good"\nkind = "feed"\nname = "好"\nurl = "https://good.example/feed"\n'


def read(folder: Path, sources: str, newsletter: str = NEWSLETTER, categories: tuple[str, ...] = ("新闻",)) -> Registry:
    (folder / "sources.toml").write_text(sources, encoding="utf-8")
    (folder / "newsletter.toml").write_text(newsletter, encoding="utf-8")
    return load_sources(Home(folder), categories)


def row(**fields: object) -> str:
    given = {"id": "a", "kind": "feed", "name": "A", **fields}
    return toml_row({name: value for name, value in given.items() if value is not None})


def places(registry: Registry) -> set[tuple[str, str]]:
    return {(mistake.source, mistake.field) for mistake in registry.mistakes}


@pytest.mark.parametrize(
    ("sources", "place"),
    [
        (row(), ("a", "url")),
        (row(url="ftp://a.example/"), ("a", "url")),
        (row(url="https://"), ("a", "url")),
        (row(url="https://a.example:99999/"), ("a", "url")),
        (row(url="https://a.example/ b"), ("a", "url")),
        (row(url=7), ("a", "url")),
        (row(url="https://a.example/", colour="red"), ("a", "colour")),
        (row(url="https://a.example/", query="x"), ("a", "query")),
        (row(url="https://a.example/", mode="search"), ("a", "mode")),
        (row(url="https://a.example/", trust="high"), ("a", "trust")),
        (row(url="https://a.example/", trust=11), ("a", "trust")),
        (row(url="https://a.example/", enabled="yes"), ("a", "enabled")),
        (row(url="https://a.example/", expect_per_week=[80, 10]), ("a", "expect_per_week")),
        (row(url="https://a.example/", expect_per_week=[-1, 10]), ("a", "expect_per_week")),
        (row(url="https://a.example/", expect_per_week=[1, 2, 3]), ("a", "expect_per_week")),
        (row(url="https://a.example/", schedule="hourly"), ("a", "schedule")),
        (row(url="https://a.example/", schedule="every 0h"), ("a", "schedule")),
        (row(url="https://a.example/", schedule="0 99 * * *"), ("a", "schedule")),
        (row(url="https://a.example/", schedule="0 0 31 2 *"), ("a", "schedule")),
        (row(url="https://a.example/", category="体育"), ("a", "category")),
        (row(url="https://a.example/", kind="podcast"), ("a", "kind")),
        (row(url="https://a.example/", kind=None), ("a", "kind")),
        (row(url="https://a.example/", name=None), ("a", "name")),
        (row(url="https://a.example/", id="Große Quelle"), ("Große Quelle", "id")),
        (row(url="https://a.example/", id=None), ("source 1", "id")),
        (row(url="https://a.example/", id=["a"]), ("source 1", "id")),
        (row(kind="wechat"), ("a", "url")),
        (row(kind="wechat", mirror="one"), ("a", "account")),
        (row(kind="wechat", account="x"), ("a", "mirror")),
        (row(kind="wechat", mirror="two", account="x"), ("a", "mirror")),
        (row(kind="wechat", mirror="one", account="x", url="https://a.example/"), ("a", "account mirror url")),
        (row(kind="wechat", url="https://a.example/", full_text="all"), ("a", "full_text")),
        (row(kind="wechat", url="https://a.example/", page_mirror="https://m.example/{path}"), ("a", "page_mirror")),
        (
            row(kind="wechat", url="https://a.example/", full_text="page", page_mirror="https://m/"),
            ("a", "page_mirror"),
        ),
        (row(kind="zhihu"), ("a", "url")),
        (row(kind="zhihu", column="a", author="b"), ("a", "author column")),
        (row(kind="zhihu", column="../../x"), ("a", "column")),
        (row(kind="arxiv"), ("a", "query")),
        (row(kind="github"), ("a", "mode")),
        (row(kind="github", mode="stars"), ("a", "mode")),
        (row(kind="github", mode="search"), ("a", "query")),
        (row(kind="github", mode="releases"), ("a", "repos")),
        (row(kind="github", mode="releases", repos=["no-slash"]), ("a", "repos.0")),
        (row(kind="github", mode="releases", repos=["a/b"], query="x"), ("a", "query")),
        (row(kind="web"), ("a", "url")),
    ],
)
def test_a_mistake_is_named_with_its_source_and_field_and_spoils_no_other(
    tmp_path: Path, sources: str, place: tuple[str, str]
) -> None:
    registry = read(tmp_path, sources + GOOD)
    assert place in places(registry)
    assert [source.id for source in registry.sources] == ["good"]


@pytest.mark.parametrize(
    "sources",
    [
        row(url="https://a.example/feed?x=1", expect_per_week=[2, 40], category="新闻", trust=2, max_pages=1),
        row(url="http://127.0.0.1:4000/feeds/1.json", kind="wechat", schedule="*/30 8-20 * * 1-5"),
        row(
            kind="wechat", mirror="one", account="MP_WXS_1", full_text="page", page_mirror="https://m.example/w/{path}"
        ),
        row(kind="zhihu", column="c_123"),
        row(kind="zhihu", author="some-body", base_url="https://mirror.example/zhihu"),
        row(kind="zhihu", url="https://rsshub.example/zhihu/zhuanlan/x"),
        row(kind="arxiv", query="cat:cs.LG AND abs:quantization", base_url="https://export.arxiv.org"),
        row(kind="arxiv", url="https://rss.arxiv.org/rss/cs.LG"),
        row(kind="github", mode="search", query="tinyml stars:>50"),
        row(kind="github", mode="releases", repos=["Tencent/ncnn", "alibaba/MNN"]),
        row(kind="github", mode="trending"),
        row(kind="github", mode="trending", query="c++"),
        row(kind="web", url="https://a.example/page", enabled=False),
    ],
)
def test_every_way_to_write_a_row_is_read(tmp_path: Path, sources: str) -> None:
    registry = read(tmp_path, sources)
    assert registry.mistakes == ()
    assert len(registry.sources) == 1


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    registry = read(tmp_path, row(url="nowhere", trust="x", colour="red") + row(id="b", kind="arxiv"))
    assert places(registry) == {("a", "url"), ("a", "trust"), ("a", "colour"), ("b", "query")}


def test_an_id_used_twice_spoils_both_rows_for_neither_can_be_told_from_the_other(tmp_path: Path) -> None:
    registry = read(tmp_path, row(url="https://a.example/1") + row(url="https://a.example/2") + GOOD)
    assert [source.id for source in registry.sources] == ["good"]
    assert registry.mistakes == (Mistake("sources.toml", "a", "id", Detail.of("used-twice", count=2)),)


def test_a_mirror_is_filled_in_from_the_newsletter(tmp_path: Path) -> None:
    (source,) = read(tmp_path, row(kind="wechat", mirror="one", account="Mz A==/../x")).sources
    assert source.url == "http://127.0.0.1:4000/feeds/Mz%20A==%2F..%2Fx.json"
    assert "url" not in row_of(source)


@pytest.mark.parametrize(
    ("text", "code", "values"),
    [
        ('[[source]\nid = "a"', "not-toml/line", {"line": "1", "column": "9"}),
        ("id = \n", "not-toml/line", {"line": "1", "column": "6"}),
        ("\xff", "not-utf-8", {"byte": 0}),
        ('[[source]]\nid = "a"\nid = "b"\n', "not-toml/twice/line", {"line": "3"}),
        ("[network]\n[network]\n", "not-toml/twice/line", {"line": "2"}),
        ('[[source]]\nid = "a', "not-toml/unfinished", {}),
    ],
)
def test_a_file_that_is_no_toml_is_one_mistake_with_its_line_or_what_is_wrong(
    tmp_path: Path, text: str, code: str, values: dict[str, object]
) -> None:
    (tmp_path / "newsletter.toml").write_text(NEWSLETTER, encoding="utf-8")
    (tmp_path / "sources.toml").write_bytes(text.encode("latin-1"))
    (mistake,) = check(Home(tmp_path))
    assert mistake.file == "sources.toml"
    assert mistake.detail == Detail.of(code, **values)


@pytest.mark.parametrize(
    ("text", "field"), [("[source]\nid = 'a'\n", "source"), ("[[sources]]\n", "sources"), ("source = 1\n", "source")]
)
def test_a_table_of_another_shape_is_named(tmp_path: Path, text: str, field: str) -> None:
    assert ("", field) in places(read(tmp_path, text))


def test_a_byte_order_mark_and_carriage_returns_do_no_harm(tmp_path: Path) -> None:
    registry = read(tmp_path, "\ufeff" + GOOD.replace("\n", "\r\n"))
    assert registry.mistakes == ()
    assert len(registry.sources) == 1


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    assert {mistake.file for mistake in check(Home(tmp_path))} == {"sources.toml", "newsletter.toml"}
    assert all(mistake.detail.code == "no-such-file" for mistake in check(Home(tmp_path)))


@pytest.mark.parametrize(
    ("newsletter", "field"),
    [
        ('[mirrors]\none = "http://m.example/"', "mirrors.one"),
        ("[mirrors]\none = 1", "mirrors.one"),
        ('[network]\nallow_hosts = ["127.0.0.1"]', "network.allow_hosts.0"),
        ('[network]\nallow_hosts = ["http://127.0.0.1:80"]', "network.allow_hosts.0"),
        ('[network]\nallow_hosts = ["a@127.0.0.1:80"]', "network.allow_hosts.0"),
        ('[network]\nallow_hosts = ["127.0.0.1:0"]', "network.allow_hosts.0"),
        ("[network]\nallow = []", "network.allow"),
        ('[network.hosts]\n"a.example" = { delay = -1 }', "network.hosts.a.example.delay"),
        ('[network.hosts]\n"a.example" = 1', "network.hosts.a.example"),
    ],
)
def test_mistakes_in_the_newsletters_mirrors_and_network_are_named_too(
    tmp_path: Path, newsletter: str, field: str
) -> None:
    registry = read(tmp_path, GOOD, newsletter)
    assert [(mistake.file, mistake.field) for mistake in registry.mistakes] == [("newsletter.toml", field)]
    assert len(registry.sources) == 1


def test_nothing_is_exempt_where_the_network_table_has_a_mistake(tmp_path: Path) -> None:
    read(tmp_path, GOOD, '[network]\nallow_hosts = ["127.0.0.1:8000", "oops"]')
    assert load_network(Home(tmp_path)).allow_hosts == ()


def test_a_row_written_back_is_the_same_row(tmp_path: Path) -> None:
    text = row(url="https://a.example/", name='"引号" \\ \x7f 换行', expect_per_week=[1, 2], trust=0.5, enabled=False)
    (source,) = read(tmp_path, text).sources
    assert read(tmp_path, toml_row(row_of(source))).sources == (source,)


@pytest.mark.parametrize(
    ("origin", "usable"),
    [
        ("https://github.corp.example", True),
        ("https://github.corp.example:8443/", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://github.corp.example", False),
        ("http://10.0.0.1", False),
        ("http://localhost.evil.example", False),
        ("https://github.corp.example/api/v3", False),
        ("https://me@github.corp.example", False),
        ("github.corp.example", False),
    ],
)
def test_a_secret_goes_over_tls_or_stays_on_this_machine(tmp_path: Path, origin: str, usable: bool) -> None:
    (tmp_path / "newsletter.toml").write_text(f'[network.credentials]\ngithub = ["{origin}"]\n', encoding="utf-8")
    (tmp_path / "sources.toml").write_text("", encoding="utf-8")
    assert load_network(Home(tmp_path)).credentials.github == ((origin,) if usable else ())
    assert bool(check(Home(tmp_path))) != usable


@pytest.mark.parametrize(
    ("contact", "is_usable"),
    [
        ("https://example.org/about", True),
        ("mailto:editor@example.org", True),
        ("editor@example.org", False),
        ("https://example.org/\r\nX-Evil: 1", False),
        ("https://例子.example/", False),
    ],
)
def test_the_operators_address_is_one_that_a_header_can_carry(tmp_path: Path, contact: str, is_usable: bool) -> None:
    home = Home(tmp_path)
    home.sources.write_text("", encoding="utf-8")
    home.newsletter.write_text(f"[network]\ncontact = {json.dumps(contact)}\n", encoding="utf-8")
    assert (load_network(home).contact == contact) is is_usable
