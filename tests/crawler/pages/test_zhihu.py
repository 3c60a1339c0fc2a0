"""Zhihu: answers of its API and its pages, against what the pages' own data says. Shapes are recordings."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import Blocked, CrawlError, Gone, PageChanged, RateLimited
from crawler.items import RawItem, Reply
from crawler.pages import zhihu
from pipelines.errors import describe_failure

COLUMN = "https://www.zhihu.com/api/v4/columns/c_1/items?offset=0"
ARTICLE = {"type": "article", "id": 1, "title": "T", "content": "<p>x</p>", "created": 1730000000}
FETCHED = datetime(2026, 11, 1, tzinfo=UTC)


def reply(body: Any, url: str = COLUMN, status: int = 200, **headers: str) -> Reply:
    encoded = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Reply(url, status, headers, encoded, FETCHED)


def only(record: dict[str, Any]) -> RawItem:
    (item,) = zhihu.items(reply({"data": [record]})).items
    return item


def shown(html: str) -> str:
    """The words of a page's HTML as another parser reads them, without the copies in `<noscript>`."""
    soup = BeautifulSoup(html, "html.parser")
    for copy in soup.find_all("noscript"):
        copy.decompose()
    return "".join(soup.get_text().split())


# ---- The API


@pytest.mark.parametrize("name", ["created", "created_time", "created_at", "createdTime", "publishedTime"])
def test_the_date_is_found_under_each_of_its_names(name: str) -> None:
    record = {key: value for key, value in ARTICLE.items() if key != "created"}
    assert only({**record, name: 1730000000}).published == "1730000000"


def test_an_answer_is_titled_by_its_question() -> None:
    item = only(
        {"type": "answer", "id": "2", "question": {"id": 3, "title": "Q"}, "title": "no", "content": "<p>x</p>"}
    )
    assert (item.title, item.url) == ("Q", "https://www.zhihu.com/question/3/answer/2")


def test_a_formula_is_no_lead_image() -> None:
    formula = '<img eeimg="1" src="https://www.zhihu.com/equation?tex=x">'
    picture = '<img src="https://pic1.example/a_b.jpg" data-original="//pic1.example/a_r.jpg?x=1&amp;y=2">'
    assert only({**ARTICLE, "content": formula}).image is None
    assert only({**ARTICLE, "content": formula + picture}).image == "https://pic1.example/a_r.jpg?x=1&y=2"


@given(st.text(alphabet="ab<>/ noscript\n", max_size=60).map(lambda text: text.replace("x", "<noscript>")))
@settings(max_examples=100)
def test_only_closed_copies_are_taken_out(text: str) -> None:
    content = f"<p>{text}</p><noscript>copy</noscript>end"
    assert "copy" not in (html := only({**ARTICLE, "content": content}).html or "")
    assert html.endswith("end")
    assert only({**ARTICLE, "content": "<p>x</p><noscript>open"}).html == "<p>x</p><noscript>open"


@pytest.mark.parametrize(
    ("following", "asked"),
    [
        ("https://www.zhihu.com/api/v4/x?offset=9", "https://www.zhihu.com/api/v4/x?offset=9"),
        ("http://www.zhihu.com/api/v4/x?offset=9", "https://www.zhihu.com/api/v4/x?offset=9"),
        ("https://www.zhihu.com:8443/api/v4/x", "https://www.zhihu.com/api/v4/x"),
        ("https://api.zhihu.com/x", None),
        ("https://www.zhihu.com.evil.example/api/v4/x", None),
        ("https://evil.example/api/v4/x", None),
        ("file:///etc/passwd", None),
        ("http://127.0.0.1/api/", None),
        ("http://[::1", None),
        (COLUMN, None),
        ("", None),
    ],
)
def test_the_next_slice_is_asked_for_only_at_home(following: str, asked: str | None) -> None:
    page = zhihu.items(reply({"data": [ARTICLE], "paging": {"is_end": False, "next": following}}))
    assert [ask.url for ask in page.asks] == ([asked] if asked else [])
    assert bool(page.warnings) == (asked is None and following not in {"", COLUMN})


def test_the_last_slice_asks_for_nothing() -> None:
    assert not zhihu.items(reply({"data": [ARTICLE], "paging": {"is_end": True, "next": COLUMN + "0"}})).asks


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ({"error": {"code": 40352, "message": "异常"}}, 403, Blocked),
        ({"error": {"code": 40362, "message": "异常"}}, 403, Blocked),
        ({"error": {"code": 10003, "message": "请求参数异常"}}, 403, Blocked),
        ({"error": {"code": 100, "message": "身份未经过验证"}}, 401, Blocked),
        ({"error": {"message": "no code"}}, 403, Blocked),
        ({"error": {"code": [], "message": "odd"}}, 500, PageChanged),
        ({"error": "odd"}, 500, PageChanged),
        ({"code": 429, "message": "慢一点"}, 429, RateLimited),
        ({"unknown": 1}, 200, PageChanged),
        (7, 200, PageChanged),
        (None, 200, PageChanged),
        ([7], 200, PageChanged),
        ({"data": [ARTICLE | {"id": "x"}]}, 200, PageChanged),
    ],
)
def test_an_error_is_named_for_the_fact(answer: Any, status: int, error: type[CrawlError]) -> None:
    with pytest.raises(error) as raised:
        zhihu.items(reply(answer, status=status))
    if error is Blocked:
        assert "cookie" in describe_failure(raised.value.failure, "en")


def test_a_wait_that_is_asked_for_is_kept() -> None:
    with pytest.raises(RateLimited) as raised:
        zhihu.items(reply({"error": {"code": 429}}, **{"retry-after": "90"}))
    assert raised.value.retry_at == FETCHED + timedelta(seconds=90)


def test_what_is_missing_is_gone_as_a_page_and_a_mistake_as_a_source() -> None:
    missing = {"error": {"code": 404, "name": "NotFoundException", "message": "资源不存在"}}
    with pytest.raises(Gone):
        zhihu.items(reply(missing, "https://www.zhihu.com/api/v4/articles/1", 404))
    with pytest.raises(PageChanged, match="column"):
        zhihu.items(reply(missing, COLUMN, 404))


# ---- Pages


def test_a_page_that_shows_other_answers_than_the_one_named_is_not_taken_for_it() -> None:
    answer = {"id": "2", "question": {"id": "3", "title": "Q"}, "content": "<p>x</p>"}
    state = json.dumps({"initialState": {"entities": {"answers": {"2": answer}}}})
    html = f'<script id="js-initialData" type="text/json">{state}</script>'
    assert zhihu.page(reply(html, "https://www.zhihu.com/question/3/answer/2")).items
    assert zhihu.page(reply(html, "https://www.zhihu.com/question/3")).items
    assert zhihu.page(reply(html, "https://saved.example/answer/9")).items
    with pytest.raises(CrawlError):
        zhihu.page(reply(html, "https://www.zhihu.com/question/3/answer/9"))


def test_an_article_about_verification_is_not_taken_for_one() -> None:
    content = (
        "<h1 class='Post-Title'>安全验证</h1><div class='Post-RichText'>zh-zse-ck /account/unhuman 该回答已被删除</div>"
    )
    (item,) = zhihu.page(reply(f"<link rel=canonical href=/p/1>{content}", "https://zhuanlan.zhihu.com/p/1")).items
    assert item.title == "安全验证"


@given(st.text(max_size=200))
@settings(max_examples=60)
def test_any_page_is_read_or_refused(text: str) -> None:
    for body in (text, f'<script id="js-initialData">{text}</script>', f'<h1 class="Post-Title">{text}</h1>'):
        for read in (zhihu.page, zhihu.items):
            with suppress(CrawlError):
                assert read(reply(body)).items is not None


@pytest.fixture(scope="module")
def articles(corpus: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Real pages, each with the article that its own data holds."""
    found = []
    for path in sorted((corpus / "zhihu/zhuanlan-2026").glob("*.html")):
        script = BeautifulSoup(path.read_bytes(), "html.parser").find("script", id="js-initialData")
        assert script is not None
        found.append((path, json.loads(script.text)["initialState"]["entities"]["articles"][path.stem]))
    return found


@pytest.mark.corpus
def test_real_pages_give_title_author_dates_column_and_text_of_their_own_data(
    articles: list[tuple[Path, dict[str, Any]]],
) -> None:
    assert len(articles) >= 4
    for path, truth in articles:
        (item,) = zhihu.page(reply(path.read_bytes(), truth["url"])).items
        assert item.title == truth["title"]
        assert item.author == truth["author"]["name"]
        assert item.publisher == truth["column"]["title"]
        assert item.published == str(truth["created"])
        assert item.updated == (str(truth["updated"]) if truth["updated"] != truth["created"] else None)
        assert item.tags == tuple(topic["name"] for topic in truth["topics"])
        assert item.metrics == {"votes": truth["voteupCount"], "comments": truth["commentCount"]}
        assert item.url == truth["url"]
        assert item.ids == (f"zhihu:p/{truth['id']}",)
        assert shown(item.html or "") == shown(truth["content"])
        assert "<noscript" not in (item.html or "")
        assert urlsplit(item.image or "").hostname


@pytest.mark.corpus
def test_real_pages_saved_without_their_scripts_give_the_same(articles: list[tuple[Path, dict[str, Any]]]) -> None:
    for path, truth in articles:
        html = re.sub(r"<script.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        (item,) = zhihu.page(reply(html, truth["url"])).items
        assert (item.title, item.author) == (truth["title"], truth["author"]["name"])
        assert (item.publisher, item.ids) == (truth["column"]["title"], (f"zhihu:p/{truth['id']}",))
        published = datetime.fromisoformat(item.published or "").timestamp()
        assert published == truth["created"]
        assert shown(item.html or "")[:200] == shown(truth["content"])[:200]


@pytest.mark.corpus
def test_real_answers_of_2016_and_of_the_api_are_read(corpus: Path) -> None:
    folder = corpus / "zhihu"
    old = (folder / "zhihu-py3-2016/answer.html").read_bytes()
    (item,) = zhihu.page(reply(old, "http://www.zhihu.com/question/24825703/answer/30975949")).items
    created = re.search(rb'data-created="(\d+)"', old)
    assert created
    assert item.published == created[1].decode()
    assert item.title in old.decode()
    assert len(item.html or "") > 1000
    collection = (folder / "zhihu-py3-2016/collection.html").read_bytes()
    page = zhihu.page(reply(collection, "http://www.zhihu.com/collection/1"))
    assert len(page.items) == len(re.findall(rb'class="zm-item-answer ', collection))
    detail = (folder / "zhihu-plus-plus/answer-detail.json").read_bytes()
    truth = json.loads(detail)
    (item,) = zhihu.items(reply(detail)).items
    assert (item.title, item.published) == (truth["question"]["title"], str(truth["created_time"]))
    assert shown(item.html or "") == shown(truth["content"])


def pin(**fields: Any) -> RawItem:
    record = {"id": "1890000000000000009", "type": "pin", "created": 1763258400, "author": {"name": "丁"}, **fields}
    return only(record)


CARD = {
    "type": "link",
    "title": "一篇讲量化的论文",
    "url": "https://link.zhihu.com/?target=https%3A//arxiv.org/abs/2610.00001",
}


def test_the_link_of_a_pin_stays() -> None:
    item = pin(content=[{"type": "text", "content": "写得清楚。"}, CARD])
    assert item.title == "写得清楚。"
    assert "arxiv.org/abs/2610.00001" in (item.html or "")
    assert "一篇讲量化的论文" in (item.html or "")


def test_a_pin_of_a_link_or_a_picture_alone_is_an_item() -> None:
    assert pin(content=[CARD]).title == "一篇讲量化的论文"
    picture = pin(content=[{"type": "image", "url": "https://pic1.zhimg.com/v2-a.jpg"}])
    assert (picture.title, picture.image) == ("丁的想法", "https://pic1.zhimg.com/v2-a.jpg")


def test_a_pin_says_what_it_passes_on() -> None:
    pieces = [{"type": "text", "content": "原话。"}, CARD]
    passed_on = {"id": "2", "type": "pin", "author": {"name": "戊"}, "content": pieces}
    html = pin(content=[{"type": "text", "content": "同意"}], origin_pin=passed_on).html or ""
    assert [part in html for part in ("同意", "戊", "原话。", "arxiv.org")] == [True] * 4
