"""The bundled sample newsroom: its placeholders, its server, and each page read as routes.toml says."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from crawler import errors
from crawler.items import Page, RawItem, Reply
from crawler.pages import PAGES
from pipelines.cli import sample
from pipelines.cli.sample import FORMS, Route, Sample, render, serving

NOW = datetime(2099, 3, 20, 1, 30, tzinfo=UTC)
PORT = 8765
SAMPLE = Sample.load()
READ = tuple(route for route in SAMPLE.routes if route.page)


def reply_of(route: Route) -> Reply:
    """What the crawler gets for a row, under the address that the page has in the real world."""
    query = "&".join(f"{name}={value}" for name, value in route.query.items())
    target = f"{route.path}?{query}"
    answer = SAMPLE.answer(target, {}, NOW, PORT)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(route.url or f"http://127.0.0.1:{PORT}{target}", answer.status, headers, answer.body, NOW)


def read(path: str, query: Mapping[str, str] | None = None) -> Page:
    """What the page function makes of the row with this path."""
    route = next(row for row in READ if row.path == path and row.query == (query or {}))
    return PAGES[str(route.page)](reply_of(route))


def by_title(page: Page, start: str) -> RawItem:
    """The item whose title starts so."""
    return next(item for item in page.items if item.title.startswith(start))


# ---- placeholders


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("epoch", "4077558540"),
        ("iso", "2099-03-18T23:09:00Z"),
        ("iso-ms", "2099-03-18T23:09:00.000Z"),
        ("iso8", "2099-03-19T07:09:00+08:00"),
        ("rfc822", "Thu, 19 Mar 2099 07:09:00 +0800"),
        ("rfc822-gmt", "Wed, 18 Mar 2099 23:09:00 GMT"),
        ("rfc822-no-zone", "Thu, 19 Mar 2099 07:09:00"),
        ("minute", "2099-03-19 07:09"),
        ("date", "2099-03-19"),
        ("chinese", "2099年3月19日"),
        ("month-day", "3月19日"),
    ],
)
def test_each_form_writes_the_moment_an_age_ago(form: str, written: str) -> None:
    assert render(f"{{{{ now-1d2h21m|{form} }}}}", NOW, PORT) == written


def test_every_form_is_used_somewhere_in_the_sample() -> None:
    files = [path for path in SAMPLE.folder.rglob("*") if path.is_file()]
    used = {form for path in files for form in re.findall(r"\|([a-z0-9-]+) \}\}", path.read_text(encoding="utf-8"))}
    assert used == set(FORMS)


def test_no_placeholder_is_left_over() -> None:
    for path in (*(SAMPLE.folder / "pages").rglob("*.*"), *(SAMPLE.folder / "newsroom").rglob("*.*")):
        assert "{{" not in render(path.read_text(encoding="utf-8"), NOW, PORT), path.name


def test_a_form_that_nobody_defined_is_an_error() -> None:
    with pytest.raises(KeyError, match="stardate"):
        render("{{ now-1d|stardate }}", NOW, PORT)


# ---- the table


def test_every_page_file_has_a_row_and_every_row_a_file() -> None:
    pages = SAMPLE.folder / "pages"
    assert {row.file for row in SAMPLE.routes} == {path.relative_to(pages).as_posix() for path in pages.rglob("*.*")}


def test_a_row_answers_requests_with_further_parameters_but_not_with_others() -> None:
    row = Route("/list", "list.xml", "text/xml", query={"start": "12"})
    assert row.matches("/list?max_results=100&start=12")
    assert not row.matches("/list?start=0")
    assert not row.matches("/lists?start=12")


def test_pages_stay_small() -> None:
    assert max(path.stat().st_size for path in SAMPLE.folder.rglob("*") if path.is_file()) < 16_000


@pytest.mark.parametrize("route", READ, ids=lambda route: route.file)
def test_each_page_is_read_as_its_row_says(route: Route) -> None:
    function = PAGES[str(route.page)]
    if route.error:
        with pytest.raises(getattr(errors, route.error)):
            function(reply_of(route))
    else:
        assert len(function(reply_of(route)).items) == route.items


def test_the_sample_offers_between_120_and_200_items() -> None:
    assert 120 <= sum(route.items for route in READ) <= 200


def test_the_readme_counts_right() -> None:
    readme = (SAMPLE.folder / "README.md").read_text(encoding="utf-8")
    sources = (SAMPLE.folder / "newsroom" / "sources.toml").read_text(encoding="utf-8").count("[[source]]")
    pages = sum(path.is_file() for path in (SAMPLE.folder / "pages").rglob("*"))
    assert f"{sources} 个来源" in readme
    assert f"{pages} 张页面" in readme
    assert all(f"`{form}`" in readme for form in FORMS)


# ---- what the pages are there to show


def test_one_article_is_offered_under_its_long_and_under_its_short_link() -> None:
    long = by_title(read("/wechat2rss/feed/all.xml"), "LanternKV")
    short = read("/wechat/s/Sample-duancegc-000001").items[0]
    shared = set(long.ids) & set(short.ids)
    assert len(shared) == 1
    assert shared.pop().startswith("wechat:MzkwMDAwMDAwMg==/")


def test_the_reprint_names_the_article_that_it_reprints() -> None:
    reprint = read("/wechat/s/Sample-duancegc-000002").items[0]
    original = by_title(read("/wechat2rss/feed/3900000004.xml"), "四比特权重量化的五个坑")
    (link,) = (link for link in reprint.links if link.relation == "reprint-of")
    biz_mid = re.search(r"mid=(\d+)", original.url)
    assert biz_mid is not None
    assert biz_mid[0] in link.url


def test_post_paper_and_repository_of_one_story_name_each_other() -> None:
    post = by_title(read("/wewe/feeds/MP_WXS_3900000001.json"), "六比特就够了")
    paper = by_title(read("/arxiv/api/query"), "HexaQuant")
    repository = next(one for one in read("/github/search/repositories").items if one.url.endswith("/hexaquant"))
    assert "https://arxiv.org/abs/9901.10001" in (post.html or "")
    assert repository.url in (post.html or "")
    assert repository.url in json.dumps([paper.to_json()])
    assert "arXiv:9901.10001" in (repository.summary or "")


def test_the_lists_page_on() -> None:
    asks = {
        "zhihu": read("/zhihu/api/v4/columns/duance-tuili-sample/items").asks,
        "arxiv": read("/arxiv/api/query").asks,
    }
    assert "offset=10" in asks["zhihu"][0].url
    assert "start=12" in asks["arxiv"][0].url
    assert not read("/zhihu/api/v4/columns/duance-tuili-sample/items", {"offset": "10"}).asks
    assert not read("/arxiv/api/query", {"start": "12"}).asks


def test_the_media_feed_goes_over_the_wire_in_gb18030() -> None:
    route = next(row for row in READ if row.encoding == "gb18030")
    assert "数码前线".encode("gb18030") in reply_of(route).body
    assert by_title(read(route.path), "云雀半导体发布 N9").publisher == "数码前线"


def test_the_truncated_feed_keeps_its_whole_items_and_warns() -> None:
    page = read("/feeds/truncated.xml")
    assert [item.url for item in page.items] == [f"https://jiuwen.example/j{number}" for number in (1, 2, 3)]
    assert page.is_cut_short


# ---- the newsroom


def test_the_newsroom_is_copied_once_with_port_and_dates_filled_in(tmp_path: Path) -> None:
    written = SAMPLE.copy_newsroom(tmp_path, NOW, PORT)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in written)
    assert names == ["archive/2099-02-18.md", "archive/2099-03-06.md", "newsletter.toml", "sources.toml"]
    rows = tomllib.loads((tmp_path / "sources.toml").read_text(encoding="utf-8"))["source"]
    assert {row["kind"] for row in rows} == {"wechat", "zhihu", "arxiv", "github", "feed", "web"}
    assert all(f"127.0.0.1:{PORT}" in row["url"] for row in rows if "url" in row)
    assert SAMPLE.copy_newsroom(tmp_path, NOW, PORT) == ()


# ---- the server


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(SAMPLE, NOW) as port:
        yield f"http://127.0.0.1:{port}"


def test_the_server_answers_a_page_with_its_own_address_filled_in(base: str) -> None:
    with urlopen(f"{base}/wewe/feeds/MP_WXS_3900000001.json") as answer:
        assert answer.headers["ETag"] == 'W/"bianyuan-1"'
        assert json.load(answer)["home_page_url"] == base


@pytest.mark.parametrize(
    ("path", "validator", "condition"),
    [("/feeds/vendor.atom", "ETag", "If-None-Match"), ("/feeds/boards.rdf", "Last-Modified", "If-Modified-Since")],
)
def test_an_unchanged_page_is_not_sent_again(base: str, path: str, validator: str, condition: str) -> None:
    with urlopen(base + path) as answer:
        held = answer.headers[validator]
    with pytest.raises(HTTPError) as unchanged, urlopen(Request(base + path, headers={condition: held})):
        pass
    with unchanged.value as answer:
        assert (answer.status, answer.read()) == (304, b"")


@pytest.mark.parametrize(("path", "status"), [("/feeds/busy.xml", 429), ("/nowhere", 404)])
def test_refusals_have_their_status(base: str, path: str, status: int) -> None:
    with pytest.raises(HTTPError) as refused, urlopen(base + path):
        pass
    with refused.value as answer:
        assert answer.status == status
        assert answer.headers["Retry-After"] == ("3600" if status == 429 else None)


def test_a_taken_port_gives_way_to_the_next(base: str) -> None:
    taken = int(base.rpartition(":")[2])
    with serving(SAMPLE, NOW, (taken, 0)) as port:
        assert port not in {0, taken}
    with pytest.raises(OSError, match="in use"), serving(SAMPLE, NOW, (taken,)):
        pass


def test_the_server_listens_on_loopback_only(base: str) -> None:
    assert base.startswith(f"http://{sample.HOST}:")
    assert sample.HOST == "127.0.0.1"
