"""Lists of feeds: what other readers export comes in, and what we export comes back."""

from __future__ import annotations

import json
import tomllib
from html import escape
from pathlib import Path

import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import Detail, SourceMisconfigured
from crawler.home import Home
from crawler.sources.file import check, load_sources
from crawler.sources.opml import _IMPORTED_FIELDS, append_sources, read_opml, write_opml
from crawler.sources.schema import Source


def opml(*outlines: str, head: str = "") -> bytes:
    return f'<?xml version="1.0"?>{head}<opml version="1.0"><body>{"".join(outlines)}</body></opml>'.encode()


def outline(url: str, title: str = "A") -> str:
    return f'<outline text="{title}" title="{title}" type="rss" xmlUrl="{url}"/>'


def test_outlines_are_found_however_deep_and_each_address_once() -> None:
    nested = f'<outline text="folder"><outline text="inner">{outline("https://a.example/1")}</outline></outline>'
    found = read_opml(opml(nested, outline("https://a.example/1"), outline("https://a.example/2"), "<outline/>"))
    assert [source.url for source in found] == ["https://a.example/1", "https://a.example/2"]


def test_ids_are_latin_and_distinct() -> None:
    urls = [f"https://site.example/{number}" for number in range(3)]
    found = read_opml(opml(*(outline(url, "机器学习") for url in urls), outline("https://b.example/", "ML 周报 No. 7")))
    assert [source.id for source in found] == ["0", "1", "2", "ml-no-7"]
    same = read_opml(opml(*(outline(url, "Weekly") for url in urls)))
    assert [source.id for source in same] == ["weekly", "weekly-2", "weekly-3"]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:4000/feeds/MP_WXS_3073282833.atom", "wechat"),
        ("https://werss.example/rss/MP_WXS_3073282833", "wechat"),
        ("https://wechat2rss.example/feed/0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f.xml", "wechat"),
        ("https://rsshub.example/wechat/mp/msgalbum/Mzg=/1", "wechat"),
        ("https://plink.anyfeeder.com/weixin/AI_era", "wechat"),
        ("https://blog.example/feed.xml", "feed"),
        ("https://rsshub.example/zhihu/zhuanlan/x", "feed"),
    ],
)
def test_mirrors_of_wechat_are_known_by_their_addresses(url: str, kind: str) -> None:
    assert [source.kind for source in read_opml(opml(outline(url)))] == [kind]


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://rss.arxiv.org/rss/cs.LG", {"kind": "arxiv", "url": "https://rss.arxiv.org/rss/cs.LG"}),
        ("https://github.com/a/b/releases.atom", {"kind": "github", "mode": "releases", "repos": ("a/b",)}),
        ("https://github.com/a/b", {"kind": "github", "mode": "releases", "repos": ("a/b",)}),
        ("https://www.zhihu.com/column/tiny-kettles", {"kind": "zhihu", "column": "tiny-kettles", "url": None}),
        ("https://www.zhihu.com/people/a-b", {"kind": "zhihu", "author": "a-b"}),
        ("https://hnrss.org/newest?points=50&q=tiny+model", {"kind": "hn", "query": "tiny model"}),
        ("https://hnrss.org/newest?q=kettle&points=50", {"kind": "hn", "query": "kettle", "points": 50}),
    ],
)
def test_a_list_of_a_known_site_gets_its_sites_kind_and_the_import_says_so(url: str, fields: dict[str, object]) -> None:
    warnings: list[Detail] = []
    (source,) = read_opml(opml(outline(url, "某处")), warnings.append)
    assert {name: getattr(source, name) for name in fields} == fields
    assert [warning.code.startswith("opml-kind") for warning in warnings] == [True]


def test_what_has_no_usable_address_is_left_out() -> None:
    assert read_opml(opml(outline("javascript:alert(1)"), outline(""), outline("http://[::1"))) == ()


ENTITIES = '<!DOCTYPE opml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'


@pytest.mark.parametrize(
    "document",
    [
        opml(outline("https://a.example/", "&c;"), head=ENTITIES),
        opml(head='<!DOCTYPE opml SYSTEM "file:///etc/passwd">'),
        b"<html><body>login</body></html>",
        b'<opml><outline title="cut',
        b"",
        b"\x00\x01\x02",
    ],
)
def test_what_is_no_list_or_declares_entities_is_refused(document: bytes) -> None:
    with pytest.raises(SourceMisconfigured):
        read_opml(document)


def test_entities_that_stand_for_one_another_cost_no_more_than_they_are_long() -> None:
    def refuse(levels: int) -> None:
        entities = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 9}">' for level in range(1, levels + 1))
        document = opml(
            outline("https://a.example/", f"&e{levels};"), head=f'<!DOCTYPE opml [<!ENTITY e0 "ha">{entities}]>'
        )
        with pytest.raises(SourceMisconfigured):
            read_opml(document)

    assert_twice_costs_at_most_three_times(refuse, 2, 4)


def test_every_kind_of_source_comes_back_as_it_was() -> None:
    sources = (
        Source(id="a", kind="wechat", name="甲", url="https://m.example/a", expect_per_week=(1, 9), trust=1.5),
        Source(id="b", kind="wechat", name="乙", mirror="one", account="MP_WXS_1", url="https://one.example/MP_WXS_1"),
        Source(id="c", kind="arxiv", name="arXiv", query='abs:"low bit" & <x>', schedule="0 12 * * *"),
        Source(id="d", kind="github", name="GitHub", mode="releases", repos=("a/b", "c/d"), enabled=False),
    )
    assert read_opml(write_opml(sources)) == sources


HOSTILE = {
    "id": "gh",
    "kind": "github",
    "name": "G",
    "mode": "releases",
    "repos": ["a/b"],
    "base_url": "http://thief.example",
    "allow_hosts": ["10.0.0.1:80"],
    "credentials": {"github": ["http://thief.example"]},
}


def own(row: object, url: str = "") -> str:
    """An outline with a row of sources.toml."""
    address = f'xmlUrl="{url}" ' if url else ""
    return f'<outline xmlns:j="urn:jianbao" text="A" {address}j:source="{escape(json.dumps(row), quote=True)}"/>'


def test_a_list_leads_no_request_to_another_host_and_names_what_it_may_not_say() -> None:
    warnings: list[Detail] = []
    (found,) = read_opml(opml(own(HOSTILE)), warnings.append)
    assert (found.kind, found.mode, found.repos, found.base_url) == ("github", "releases", ("a/b",), None)
    (warning,) = warnings
    assert warning.code == "opml-fields-left-out"
    assert warning.values["name"] == "A"
    assert warning.values["fields"][:3] == ("allow_hosts", "base_url", "credentials")


def test_pages_of_wechat_are_not_asked_for_through_the_mirror_of_a_list() -> None:
    row = {"id": "w", "kind": "wechat", "name": "W", "url": "https://w.example/f", "full_text": "page"}
    warnings: list[Detail] = []
    (found,) = read_opml(opml(own(row | {"page_mirror": "http://thief.example/{path}"})), warnings.append)
    assert (found.page_mirror, found.full_text) == (None, "mirror")
    assert len(warnings) == 1


@pytest.mark.parametrize("row", ["[1]", {"id": "\ud83d"}, {"id": "a", "kind": "nothing"}, {"mirror": "m"}, None])
def test_a_row_that_cannot_work_leaves_the_plain_feed_and_is_named(row: object) -> None:
    warnings: list[Detail] = []
    (found,) = read_opml(opml(own(row, "https://a.example/feed")), warnings.append)
    assert (found.kind, found.url) == ("feed", "https://a.example/feed")
    assert len(warnings) == 1


def test_a_mirror_of_a_list_stays_only_where_the_newsletter_has_one_that_leads_to_the_same_address(
    tmp_path: Path,
) -> None:
    toml = '[mirrors]\none = "https://one.example/{account}"\ntwo = "https://mine.example/{account}"\n'
    (tmp_path / "newsletter.toml").write_text(toml, encoding="utf-8")
    sources = [
        Source(id=name, kind="wechat", name=name, mirror=name, account="M", url=f"https://{name}.example/M")
        for name in ("one", "two", "three")
    ]
    warnings: list[Detail] = []
    append_sources(Home(tmp_path), read_opml(write_opml(sources), warnings.append), warnings.append)
    assert check(Home(tmp_path)) == ()
    found = load_sources(Home(tmp_path)).sources
    assert [(source.mirror, source.url) for source in found] == [
        ("one", "https://one.example/M"),
        (None, "https://two.example/M"),
        (None, "https://three.example/M"),
    ]
    assert [warning.values["name"] for warning in warnings] == ["two", "three"]


@given(
    st.lists(
        st.builds(
            Source,
            id=st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
            kind=st.sampled_from(["wechat", "feed"]),
            name=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20),
            url=st.integers(0, 10**6).map(lambda number: f"https://a.example/{number}?x=1&y=<2>"),
            trust=st.floats(0, 10),
        ),
        unique_by=(lambda source: source.id, lambda source: source.url),
        max_size=5,
    )
)
@settings(max_examples=50, deadline=None)
def test_export_then_import_gives_the_sources_back(sources: list[Source]) -> None:
    assert read_opml(write_opml(sources)) == tuple(sources)


def test_importing_adds_rows_and_touches_none(tmp_path: Path) -> None:
    former = '# 我的来源\n[[source]]\nid = "weekly"   # 手写的\nkind = "feed"\nname = "W"\nurl = "https://w.example/1"'
    (tmp_path / "sources.toml").write_text(former, encoding="utf-8")
    (tmp_path / "newsletter.toml").write_text("", encoding="utf-8")
    found = read_opml(opml(*(outline(f"https://w.example/{number}", "Weekly") for number in range(1, 4))))
    added = append_sources(Home(tmp_path), found)
    assert [source.id for source in added] == ["weekly-2", "weekly-3"]
    text = (tmp_path / "sources.toml").read_text(encoding="utf-8")
    assert text.startswith(former)
    assert len(tomllib.loads(text)["source"]) == 3
    assert check(Home(tmp_path)) == ()
    assert append_sources(Home(tmp_path), found) == ()
    assert (tmp_path / "sources.toml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "row",
    [
        'kind = "zhihu"\ncolumn = "c_1"',
        'kind = "zhihu"\nauthor = "somebody"',
        'kind = "arxiv"\nquery = "cat:cs.LG"\nbase_url = "https://mirror.example/arxiv"',
        'kind = "github"\nmode = "search"\nquery = "quantization"',
        'kind = "github"\nmode = "releases"\nrepos = ["a/b", "c/d"]',
    ],
)
def test_importing_what_was_exported_adds_nothing_though_a_row_has_no_address(tmp_path: Path, row: str) -> None:
    (tmp_path / "sources.toml").write_text(f'[[source]]\nid = "a"\nname = "A"\n{row}\n', encoding="utf-8")
    exported = write_opml(load_sources(Home(tmp_path)).sources)
    assert append_sources(Home(tmp_path), read_opml(exported)) == ()


def test_importing_into_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text("[[source]\n", encoding="utf-8")
    with pytest.raises(SourceMisconfigured, match=r"sources\.toml"):
        append_sources(Home(tmp_path), read_opml(opml(outline("https://a.example/"))))
    assert (tmp_path / "sources.toml").read_text(encoding="utf-8") == "[[source]\n"


def test_importing_starts_a_file_where_there_is_none(tmp_path: Path) -> None:
    append_sources(Home(tmp_path), read_opml(opml(outline("https://a.example/"))))
    assert [source.url for source in load_sources(Home(tmp_path)).sources] == ["https://a.example/"]


@pytest.mark.corpus
def test_lists_of_the_world_are_read_and_come_back(corpus: Path) -> None:
    for file in sorted((corpus / "feeds" / "other").glob("*.opml")):
        found = read_opml(file.read_bytes())
        assert len(found) > 300
        assert read_opml(write_opml(found)) == found
        assert all(source.kind == "wechat" for source in found) == ("wechat2rss" in file.name)


def test_a_new_field_of_a_source_is_imported_or_known_to_lead_elsewhere() -> None:
    assert set(Source.model_fields) - _IMPORTED_FIELDS == {"base_url", "page_mirror", "way_addresses"}


# ---- Lists that half work


@pytest.mark.parametrize(
    "document",
    [
        opml(outline("https://a.example/1", "甲 & 乙"), outline("https://a.example/2")),
        opml(outline("https://a.example/1", "甲 &raquo; 乙"), outline("https://a.example/2")),
        opml(outline("https://a.example/1", '甲 "乙" 丙'), outline("https://a.example/2")),
        b"\xef\xbb\xbf\n\n" + opml(outline("https://a.example/1"), outline("https://a.example/2")),
        opml(outline("https://a.example/1"), outline("https://a.example/2")).replace(b"</body></opml>", b""),
        opml(outline("https://a.example/1?a=1&b=2"), outline("https://a.example/2")),
        opml("<outline text='甲' xmlUrl='https://a.example/1'>", outline("https://a.example/2")),
    ],
    ids=["ampersand", "entity", "quotes", "blank lines", "cut", "ampersand in the address", "unclosed"],
)
def test_one_flaw_of_a_list_loses_no_row(document: bytes) -> None:
    dropped: list[Detail] = []
    sources = read_opml(document, drop=dropped.append)
    urls = sorted((source.url or "").partition("?")[0] for source in sources)
    assert urls == ["https://a.example/1", "https://a.example/2"]
    assert dropped == []


def test_a_row_that_is_left_out_is_named() -> None:
    dropped: list[Detail] = []
    read_opml(opml(outline("javascript:alert(1)", "坏的"), outline("https://a.example/1")), drop=dropped.append)
    assert dropped == [Detail.of("opml-row-without-feed", name="坏的", address="javascript:alert(1)")]


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ('xmlUrl="feed://a.example/rss"', "http://a.example/rss"),
        ('xmlUrl="feed:https://a.example/rss"', "https://a.example/rss"),
        ('xmlUrl="a.example/rss"', "https://a.example/rss"),
        ('xmlUrl="//a.example/rss"', "https://a.example/rss"),
        ('XMLURL="https://a.example/rss"', "https://a.example/rss"),
        ('xmlurl=" https://a.example/rss "', "https://a.example/rss"),
    ],
)
def test_addresses_are_read_as_other_programs_write_them(written: str, url: str) -> None:
    assert [source.url for source in read_opml(opml(f'<outline text="A" {written}/>'))] == [url]


def test_feeds_of_known_sites_get_their_kind_and_the_list_says_so() -> None:
    warnings: list[Detail] = []
    rows = (outline("https://rss.arxiv.org/rss/cs.LG"), outline("https://github.com/Tencent/ncnn/releases.atom"))
    papers, releases = read_opml(opml(*rows), warnings.append)
    assert (papers.kind, papers.url) == ("arxiv", "https://rss.arxiv.org/rss/cs.LG")
    assert (releases.kind, releases.mode, releases.repos) == ("github", "releases", ("Tencent/ncnn",))
    assert len(warnings) == 2
