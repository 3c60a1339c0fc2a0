"""The desk in a real Chromium, as an editor's hands find it.

Prints how many keys an issue takes, and where the pictures of all pages are.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browsers import (
    databases,  # noqa: F401 - a fixture
    serve_desk,
    start_chromium,
)
from builders import NOON, all_decisions, instant
from desks import add_articles, make_newsroom
from playwright.sync_api import Browser, Page, Request, expect
from possible_events import LAUNCH, OUTLOOK, add_possible_pair, make_launch

from crawler.errors import Detail, Failure
from crawler.home import Home
from crawler.items import RawItem
from pipelines.cli.sample import Sample, serving
from pipelines.model import Article, Decision, Entry, Issue, Reference, Section
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import decide
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.stages.run import group
from pipelines.store.raw import NewRaw, Packed

pytestmark = pytest.mark.slow

ITEMS = 18
AIM = 60

WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@contextmanager
def served(home: Home) -> Iterator[str]:
    """The address of a desk in a process of its own."""
    with serve_desk(home) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """The sample newsroom, crawled and grouped."""
    folder = tmp_path_factory.mktemp("sample") / "newsroom"
    now = datetime.now(UTC)
    one = Sample.load()
    with serving(one, now) as port:
        one.copy_newsroom(folder, now, port)
        jianbao = [sys.executable, "-m", "pipelines.cli", "--home", str(folder)]
        past = sorted(str(path) for path in (folder / "archive").glob("*.md"))
        environment = {name: value for name, value in os.environ.items() if name != "JIANBAO_DB"}
        subprocess.run([*jianbao, "archive", "import", *past], check=True, capture_output=True, env=environment)
        subprocess.run([*jianbao, "crawl"], check=False, capture_output=True, env=environment)
        newsroom = Newsroom(Home(folder))
        yield newsroom
        newsroom.store.close()


class Editor:
    """Somebody at a keyboard, whose keys are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = 0
        self.characters = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def write(self, text: str) -> None:
        self.page.keyboard.insert_text(text)
        self.characters += len(text)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages whose scripts must not fail and whose policy must not be broken."""
    contexts = []
    mistakes: list[str] = []

    def opener(**options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN"} | options))
        context.add_init_script(WATCH)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.on("console", lambda said: mistakes.append(said.text) if "Content Security" in said.text else None)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert mistakes == []


def looked_at(page: Page) -> str:
    return page.locator(".card[aria-current=true] h3").inner_text()


def test_an_issue_is_made_by_the_keyboard_alone(
    sample: Newsroom, open_page: Callable[..., Page], capsys: pytest.CaptureFixture[str]
) -> None:
    with served(sample.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates")
        page.wait_for_selector(".card[aria-current=true]")
        editor = Editor(page)
        wanted = [5, 4, 4, 5]
        for number, picks in enumerate(wanted):
            editor.press("j", "k", "x", "u")
            editor.press(*["a"] * picks)
            if number + 1 < len(wanted):
                editor.press("]")
                expect(page.locator("[data-tab]").nth(number + 1)).to_have_attribute("aria-current", "true")
        editor.press("g", "i")
        expect(page.locator(".entry")).to_have_count(ITEMS)
        first = page.locator(".entry h3").first.inner_text()
        editor.press("J")
        expect(page.locator(".entry h3").nth(1)).to_have_text(first)
        editor.press("e")
        page.keyboard.press("Control+End")
        editor.write("编辑添的一句。")
        editor.press("Control+Enter")
        expect(page.locator("#rendered")).to_contain_text("编辑添的一句。")
        editor.press("h")
        editor.write("量化/端侧/芯片")
        editor.press("Enter", "d")
        editor.write("这一期说的是内存。")
        editor.press("Control+Enter")
        expect(page.locator("#rendered h1")).to_contain_text("量化/端侧/芯片")
        expect(page.locator("#rendered")).to_contain_text("这一期说的是内存。")
        editor.press("E")
        expect(page.locator("#toast")).to_contain_text("已导出到")
        shown = page.locator("#markdown").text_content()
        (written,) = (sample.home.path / "issues").glob("*.md")
        assert written.read_text(encoding="utf-8") == shown
        assert shown is not None
        assert len(re.findall(r"(?m)^- \[", shown.split("## 过刊")[0].split("----")[0])) == ITEMS
    with capsys.disabled():
        sys.stdout.write(f"\n{ITEMS} items: {editor.keys} keys (aim: {AIM}), {editor.characters} characters written\n")
    assert editor.keys <= AIM


# ---- a hostile article, everywhere

EVIL = "https://evil.example"
HOSTILE_TITLES = [
    "<script>alert(1)</script>",
    '"><img src=https://evil.example/t.png onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1)) ![y](https://evil.example/m.png)",
    "<p hx-get='/api/session' hx-trigger=load hx-on::load='alert(1)'>",
    "{{ 7*7 }} {% raw %} ${alert(1)} `alert(1)`",
    "' onfocus=alert(1) autofocus x='",
    "</textarea></template><script>alert(1)</script>",
    "\u202e反过来的字 <iframe srcdoc='<script>alert(1)</script>'>",
    "<style>@import 'https://evil.example/s.css';</style><link rel=stylesheet href=https://evil.example/l.css>",
    "<form action=https://evil.example><button formaction=javascript:alert(1)>点我</button></form>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "字" * 300 + "http://" + "a" * 300,
]


def hostile(number: int, title: str) -> Article:
    url = f"https://e{number}.example/?<script>=\"'{title[:20]}"
    return Article(
        kind="wechat",
        source="watch",
        url=url,
        seen_url=url,
        keys=(f"wechat:evil{number}",),
        title=title,
        published=instant(),
        fetched_at=NOON,
        publisher=title,
        author=title,
        text=title,
        summary=f"{title} 摘要要长过二十个字才会当作摘要来用。{title}",
        image="javascript:alert(1)",
        references=(
            Reference("arxiv:2001.04246", "javascript:alert(1)", primary=True),
            Reference(
                f"github:a/b{number}", f'https://github.com/a/b{number}"><img src=x onerror=alert(1)>', primary=True
            ),
        ),
    )


@pytest.fixture
def hostile_home(tmp_path: Path) -> Home:
    newsroom = make_newsroom(tmp_path / "newsletter")
    articles = [hostile(number, title) for number, title in enumerate(HOSTILE_TITLES)]
    with newsroom.store.transaction() as tx:
        saved = tx.articles.save(articles)
        items = [RawItem("wechat", one.url, one.title, NOON, html=f"{one.title}<p>正文</p>") for one in articles]
        tx.raw.add([NewRaw(Packed.of(item, "watch"), one) for item, one in zip(items, saved.ids, strict=True)])
        tx.sources.record_start("arxiv-quantization", "arxiv", HOSTILE_TITLES[0], NOON)
        failure = Failure("Blocked", Detail.of("notice", notice=HOSTILE_TITLES[1]))
        tx.sources.record_end("arxiv-quantization", NOON, failure, None)
        entries = tuple(Entry(f"{title}\n摘要：{title}") for title in HOSTILE_TITLES)
        past = Issue(NOON.date().replace(year=2020), "试刊", (Section("论文", entries),), headline=HOSTILE_TITLES[1])
        save_issue(tx, past, newsroom.newsletter, newsroom.rules)
    group(newsroom.store, newsroom.group_rules)
    rows = newsroom.home.sources.read_text(encoding="utf-8")
    name = HOSTILE_TITLES[1].replace('"', '\\"')
    rows += f'\n[[source]]\nid = "evil"\nkind = "feed"\nname = "{name}"\nurl = "https://evil.example/f.xml"\n'
    newsroom.home.sources.write_text(rows, encoding="utf-8")
    newsroom.store.close()
    return newsroom.home


@pytest.mark.fault("W3")
def test_a_hostile_article_does_nothing_wherever_it_is_shown(
    hostile_home: Home, open_page: Callable[..., Page]
) -> None:
    with served(hostile_home) as address:
        page = open_page()
        strangers: list[str] = []
        dialogs: list[str] = []

        def asked(request: Request) -> None:
            if not request.url.startswith(f"{address}/"):
                strangers.append(request.url)

        page.context.on("request", asked)
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))

        def checked() -> None:
            page.wait_for_timeout(80)
            assert strangers == []
            assert dialogs == []
            assert page.evaluate("window.violations") == []
            assert page.evaluate("document.querySelectorAll('main script, main iframe[srcdoc], main img').length") == 0

        page.goto(f"{address}/candidates?state=all&category=&limit=100")
        cards = page.locator(".card").count()
        assert cards > len(HOSTILE_TITLES)
        for _ in range(cards):
            page.keyboard.press("p")
            page.keyboard.press("e")
            checked()
            page.keyboard.press("Escape")
            page.keyboard.press("a")
        checked()
        expect(page.locator(".pending")).to_have_count(0)
        page.goto(f"{address}/issue")
        entries = page.locator(".entry").count()
        assert entries >= len(HOSTILE_TITLES)
        for _ in range(entries):
            page.keyboard.press("e")
            page.keyboard.press("Control+End")
            page.keyboard.insert_text(" ")
            page.wait_for_timeout(200)
            page.keyboard.press("Control+Enter")
            expect(page.locator("textarea.markdown:visible")).to_have_count(0)
            checked()
            page.keyboard.press("j")
        page.keyboard.press("m")
        checked()
        for path in (
            "/sources",
            "/archive",
            "/archive?q=摘要",
            "/archive/2020-11-01",
            "/candidates?q=<script>alert(1)",
        ):
            page.goto(f"{address}{path}")
            checked()
        for number in range(1, cards + 1):
            page.goto(f"{address}/articles/{number}/preview")
            checked()


def test_pictures_come_only_when_asked_and_learn_nothing(hostile_home: Home, open_page: Callable[..., Page]) -> None:
    with served(hostile_home) as address:
        page = open_page()
        asked: list[dict[str, str]] = []

        def picture(route: Any) -> None:
            asked.append(route.request.all_headers())
            route.fulfill(status=404)

        page.context.route(re.compile("evil"), picture)
        number = 5 + HOSTILE_TITLES.index(HOSTILE_TITLES[1]) + 1
        page.goto(f"{address}/articles/{number}/preview")
        assert asked == []
        page.goto(f"{address}/articles/{number}/preview?images=1")
        page.wait_for_timeout(200)
        assert len(asked) == 1
        assert "referer" not in asked[0]
        assert "cookie" not in asked[0]


# ---- hands and eyes


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Newsroom]:
    one = make_newsroom(tmp_path / "newsletter")
    yield one
    one.store.close()


def test_the_line_of_enough_is_no_card_and_a_story_comes_back_above_it(
    small: Newsroom, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    add_articles(small, {n: f"发布引擎 net{n} core{n} kit{n}" for n in range(100, 180)})
    with small.store.transaction() as tx:
        for story_id in range(6, 21):
            tx.decisions.add(Decision(story_id, "drop", "编辑", datetime.now(UTC)))
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=")
        page.wait_for_selector(".card[aria-current=true]")
        expect(page.locator("#enough")).to_have_count(0)  # it stands behind the cards that are loaded first
        for _ in range(45):
            page.keyboard.press("j")
        expect(page.locator("#enough")).to_have_count(1)
        above = page.locator("#list > .card:has(~ #enough)").count()
        assert 45 <= above < 60
        page.locator("#list > .card:has(+ #enough) .line").click()
        last = looked_at(page)
        page.keyboard.press("j")
        assert looked_at(page) != last
        page.keyboard.press("k")
        page.keyboard.press("x")
        expect(page.locator("#list > .card:has(~ #enough)")).to_have_count(above - 1)
        page.keyboard.press("u")
        expect(page.locator("#list > .card:has(+ #enough) h3")).to_have_text(last)
        page.locator("#enough").scroll_into_view_if_needed()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=tmp_path / f"enough-{scheme}.png")
        page.set_viewport_size({"width": 390, "height": 800})
        page.locator("#enough").scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / "enough-phone.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        sys.stdout.write(f"pictures: {tmp_path}\n")
    page = open_page(java_script_enabled=False)
    with served(small.home) as address:
        page.goto(f"{address}/candidates?category=&first=40")
        expect(page.locator("#enough")).to_have_count(1)


def test_cards_below_the_one_looked_at_change_places_when_what_is_alike_was_picked(
    small: Newsroom, open_page: Callable[..., Page]
) -> None:
    add_articles(small, {100 + n: f"相机 net{n} core{n} kit{n}" for n in range(8)}, publisher="甲")
    add_articles(small, {200 + n: f"音箱 part{n} tool{n} code{n}" for n in range(8)}, publisher="乙")
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=")
        page.wait_for_selector(".card[aria-current=true]")
        titles = page.locator("#list > .card h3")

        def places(word: str) -> list[int]:
            return [index for index, title in enumerate(titles.all_inner_texts()) if title.startswith(word)]

        assert max(places("相机")) < min(places("音箱"))
        for _ in range(3):
            page.locator("#list > .card", has_text="音箱").last.locator(".line").click()
            page.keyboard.press("a")
            expect(page.locator(".pending")).to_have_count(0)
        assert max(places("相机")) < min(places("音箱"))  # they stand above the card that is looked at
        page.locator("#list > .card .line").first.click()
        second = titles.nth(1).inner_text()
        page.keyboard.press("l")
        expect(page.locator(".pending")).to_have_count(0)
        assert looked_at(page) == second
        assert min(places("音箱")) < max(places("相机"))


def test_keys_of_an_input_method_are_not_the_desks(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=new")
        before = page.locator(".card").count()
        for options in ("isComposing: true", "keyCode: 229", "ctrlKey: true", "metaKey: true", "altKey: true"):
            page.evaluate(
                f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: 'a', bubbles: true, {options}}}))"
            )
        page.keyboard.press("/")
        page.keyboard.type("axlj")
        assert page.locator("input[type=search]").input_value() == "axlj"
        page.wait_for_timeout(200)
        assert page.locator(".card").count() == before
        with small.store.reading() as tx:
            assert all_decisions(tx) == []


def test_what_came_meanwhile_is_announced_and_moves_nothing(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.clock.install()
        page.goto(f"{address}/candidates?category=&state=new")
        page.keyboard.press("j")
        page.keyboard.press("e")
        page.locator(".editor textarea").first.fill("正写到一半")
        looked, top = looked_at(page), page.locator(".card[aria-current=true]").bounding_box()
        add_articles(small, {number: f"新来的第{'一二三四五六七八九十'[number - 10]}篇" for number in range(10, 20)})
        page.clock.run_for(21_000)
        expect(page.locator("#news")).to_have_text("10 条新候选")
        assert page.locator(".card[aria-current=true]").bounding_box() == top or looked_at(page) == looked
        assert page.locator(".editor textarea").first.input_value() == "正写到一半"
        before = page.locator(".card").count()
        page.locator("#news").click()
        expect(page.locator(".card")).to_have_count(before + 10)
        assert looked_at(page) == looked
        assert page.locator(".editor textarea").first.input_value() == "正写到一半"
        moved, stood = page.locator(".card[aria-current=true] .line").bounding_box(), top
        assert moved is not None
        assert stood is not None


@pytest.mark.fault("K4")
def test_two_tabs_do_not_overwrite_one_another(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        one, other = open_page(), open_page()
        for page in (one, other):
            page.goto(f"{address}/candidates?category=&state=new")
        title = looked_at(one)
        one.keyboard.press("x")
        expect(one.locator("#toast")).to_have_text("不用了")
        other.keyboard.press("e")
        other.locator(".editor textarea").last.fill("另一个窗口里写的摘要")
        other.keyboard.press("Control+Enter")
        expect(other.locator("#toast")).to_contain_text("别处刚改过")
        assert other.locator(".editor textarea").last.input_value() == "另一个窗口里写的摘要"
        other.keyboard.press("Escape")
        other.reload()
        assert looked_at(other) != title


def test_an_edit_in_place_is_kept_and_undone(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=new")
        before = looked_at(page)
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("换了的标题")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".card[aria-current=true] h3")).to_have_text("换了的标题")
        page.keyboard.press("u")
        expect(page.locator(".card[aria-current=true] h3")).to_have_text(before)


def test_headline_and_guide_start_from_the_items_and_what_was_written_stays(
    small: Newsroom, open_page: Callable[..., Page]
) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=new")
        page.keyboard.press("a")
        page.keyboard.press("g")
        page.keyboard.press("i")
        page.wait_for_selector(".entry")
        page.keyboard.press("D")
        expect(page.locator("#rendered")).to_contain_text("本次")
        page.keyboard.press("Control+End")
        page.keyboard.insert_text("另外，下期见。")
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-propose=guide]")).to_have_count(0)
        page.keyboard.press("D")
        expect(page.locator("[data-part=guide]")).to_have_value(re.compile("^本次.*另外，下期见。$"))
        page.keyboard.press("Escape")
        page.locator("[data-propose=headline]").click()
        expect(page.locator("[data-part=headline]")).to_have_value(re.compile("."))


def test_undo_tells_once_what_another_overtook_and_goes_on(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=new")
        first = looked_at(page)
        page.keyboard.press("x")
        overtaken = int(page.locator(".card[aria-current=true]").get_attribute("data-id") or 0)
        page.keyboard.press("x")
        expect(page.locator(".pending")).to_have_count(0)
        decide(small, Decision(overtaken, "later", "编辑乙", datetime.now(UTC)))
        page.keyboard.press("u")
        page.keyboard.press("u")
        expect(page.locator("#toast")).to_have_text(f"撤回了：{first}")
        with small.store.reading() as tx:
            found = tx.stories.find_by_article(overtaken)
        assert found is not None
        assert found.state == "later"


def test_two_stories_become_one_and_two_again(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=new")
        before = page.locator(".card").count()
        for key in "mjm":
            page.keyboard.press(key)
        expect(page.locator(".card")).to_have_count(before - 1)
        expect(page.locator(".card[aria-current=true] .many")).to_have_text("2 篇同题")
        page.keyboard.press("s")
        expect(page.locator(".card")).to_have_count(before)
        page.keyboard.press("u")
        expect(page.locator(".card")).to_have_count(before - 1)
        page.keyboard.press("u")
        expect(page.locator(".card")).to_have_count(before)


@pytest.fixture
def possible(small: Newsroom) -> Newsroom:
    """Two further stories, which may report one event."""
    add_possible_pair(small, 21, 22)
    return small


OFFERED = ".card[aria-current=true] .offered li"
ALL_OF_IT = "/candidates?category=&state=new"


def look_at(page: Page, title: str) -> None:
    """Leaf to the card of a title."""
    page.locator(".card .line", has_text=title).click()
    expect(page.locator(".card[aria-current=true] .line h3")).to_have_text(title)


def test_what_may_be_the_same_event_is_refused_joined_and_taken_back_by_key(
    possible: Newsroom, open_page: Callable[..., Page]
) -> None:
    with served(possible.home) as address:
        page = open_page()
        page.goto(f"{address}{ALL_OF_IT}")
        count = page.locator(".card").count()
        look_at(page, OUTLOOK)
        expect(page.locator(OFFERED)).to_contain_text([LAUNCH])
        page.keyboard.press("N")
        expect(page.locator("#toast")).to_have_text("记下了：不是同一件事")
        expect(page.locator(".offered")).to_have_count(0)
        expect(page.locator(".card")).to_have_count(count)
        page.keyboard.press("u")
        expect(page.locator(OFFERED)).to_have_count(1)
        page.keyboard.press("y")
        expect(page.locator(".card")).to_have_count(count - 1)
        expect(page.locator(".card[aria-current=true] .many")).to_have_text("2 篇同题")
        page.keyboard.press("u")
        expect(page.locator(".card")).to_have_count(count)
        expect(page.locator(".offered")).to_have_count(2)


@pytest.mark.parametrize(("label", "left"), [("是", 1), ("不是", 0)])
def test_what_may_be_the_same_event_is_answered_by_mouse_and_by_touch(
    possible: Newsroom, open_page: Callable[..., Page], label: str, left: int
) -> None:
    with served(possible.home) as address:
        for options in ({}, {"viewport": {"width": 390, "height": 844}, "has_touch": True}):
            page = open_page(**options)
            page.goto(f"{address}{ALL_OF_IT}")
            count = page.locator(".card").count()
            look_at(page, LAUNCH)
            button = page.locator(f"{OFFERED} button", has_text=re.compile(f"^{label}"))
            button.tap() if options else button.click()
            expect(page.locator(".offered")).to_have_count(0)
            expect(page.locator(".card")).to_have_count(count - left)
            page.locator(".card[aria-current=true]").focus()
            page.keyboard.press("u")
            expect(page.locator(".offered")).to_have_count(2)


def test_the_entry_links_what_the_reports_point_to_by_key_and_nothing_runs_over(
    small: Newsroom, open_page: Callable[..., Page]
) -> None:
    official = "https://kunpeng.example/n9/" + "-and-on" * 30
    pointing = (Reference(official, official),)
    further = make_launch(22, "星澜 N9 来了！云雀半导体要和手机芯片掰手腕", publisher="丙", days=0.2)
    printed = Entry(f"[tiny/quant：{'名字很长' * 30}](https://mirror.example/q)\n摘要：开源了。")
    with small.store.transaction() as tx:
        past = Issue(NOON.date(), "试刊", (Section("开源项目", (printed,)),))
        save_issue(tx, past, small.newsletter, small.rules)
        code = Reference("github:tiny/quant", "https://github.com/tiny/quant", primary=True)
        reports = [replace(each, references=pointing) for each in (make_launch(21), further)]
        tx.articles.save([*reports, replace(make_launch(23, "量化库怎么用"), references=(code,))])
    group(small.store, small.group_rules)
    with served(small.home) as address:
        for options in ({}, {"viewport": {"width": 390, "height": 844}, "has_touch": True}):
            page = open_page(**options)
            page.goto(f"{address}{ALL_OF_IT}")
            expect(page.locator(".state.recalled")).to_contain_text("后续 · 2026-11-01：tiny/quant")
            look_at(page, LAUNCH)
            page.locator(".card[aria-current=true]").focus()
            page.keyboard.press("w")
            expect(page.locator("#toast")).to_have_text("条目的链接换了")
            expect(page.locator(".card[aria-current=true] [data-do=relink]")).to_have_count(0)
            page.keyboard.press("u")
            expect(page.locator(".card[aria-current=true] [data-do=relink]")).to_have_count(1)
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_an_answer_shows_at_once_and_the_next_waits_for_it(possible: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(possible.home) as address:
        page = open_page()
        page.add_init_script(SLOW)
        page.goto(f"{address}{ALL_OF_IT}")
        look_at(page, OUTLOOK)
        page.keyboard.press("N")
        expect(page.locator(OFFERED)).to_have_class("pending", timeout=200)
        for key in "Nl":
            page.keyboard.press(key)
        expect(page.locator("#toast")).to_have_text("以后再说")
        expect(page.locator(".card", has_text=OUTLOOK)).to_have_count(0)
        with possible.store.reading() as tx:
            assert [one.action for one in all_decisions(tx)] == ["split", "later"]


def test_an_entry_is_dragged_to_another_section(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=new")
        for _ in range(3):
            page.keyboard.press("a")
        page.keyboard.press("g")
        page.keyboard.press("i")
        expect(page.locator(".entry")).to_have_count(3)
        moved = page.locator(".entry h3").last.inner_text()
        section = page.locator(".section").nth(1)  # after the one-liners
        page.locator(".entry").last.drag_to(section.locator("h2"))
        expect(section.locator(".entry h3").last).to_have_text(moved)
        page.keyboard.press("u")
        expect(page.locator(".entry h3").last).to_have_text(moved)


def test_a_source_is_crawled_and_switched_off_by_the_keyboard(sample: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(sample.home) as address:
        page = open_page()
        page.goto(f"{address}/sources")
        row = page.locator("#source-corelet")
        with sample.store.reading() as tx:
            before = tx.sources.list_all()["corelet"].last_started_at
        row.focus()
        page.keyboard.press("r")
        expect(page.locator("#progress")).to_contain_text("正在抓取：")
        expect(page.locator("#crawl-all")).to_be_disabled()
        expect(page.locator("#crawl-all")).to_be_enabled(timeout=60_000)
        with sample.store.reading() as tx:
            after = tx.sources.list_all()["corelet"]
        assert before is not None
        assert after.last_started_at is not None
        assert after.last_started_at > before
        row.focus()
        page.keyboard.press("t")
        expect(row.locator(".state")).to_have_text("已停用")
        page.keyboard.press("t")
        expect(row.locator(".state")).to_have_text("正常")


# ---- quick hands, slow servers

SLOW = """
const swift = window.fetch;
window.fetch = async (...asked) => { await new Promise((done) => setTimeout(done, 250)); return swift(...asked); };
"""


@pytest.fixture
def three(small: Newsroom) -> Newsroom:
    """Three entries in one section of a draft."""
    for story in (1, 2, 4):
        decide(small, Decision(story, "pick", "编辑甲", datetime.now(UTC), category="博文"))
    return small


def titles(page: Page) -> list[str]:
    return page.locator(".entry h3 bdi").all_inner_texts()


def test_an_entry_moves_as_often_as_its_key_is_pressed(three: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(three.home) as address:
        page = open_page()
        page.add_init_script(SLOW)
        page.goto(f"{address}/issue")
        first, *rest = titles(page)
        for key in "JJ":
            page.keyboard.press(key)
        expect(page.locator(".entry h3 bdi")).to_have_text([*rest, first])
        for key in "uJKK":
            page.keyboard.press(key)
        expect(page.locator(".entry h3 bdi")).to_have_text([first, *rest])
        expect(page.locator("#toast")).not_to_have_class("bad shown")


def test_what_is_typed_while_an_answer_comes_stands_where_it_was_typed(
    three: Newsroom, open_page: Callable[..., Page]
) -> None:
    with served(three.home) as address:
        page = open_page()
        page.add_init_script(SLOW)
        page.goto(f"{address}/issue")
        page.keyboard.press("h")
        page.keyboard.insert_text("先写要目")
        page.locator(".entry .line").nth(1).dblclick()
        field = page.locator(".entry textarea").nth(1)
        page.keyboard.press("Control+Home")
        page.keyboard.type("xJ", delay=20)
        expect(page.locator("#toast")).to_have_text("改好了")
        page.keyboard.type("xu", delay=20)
        assert field.input_value().startswith("xJxu[")
        page.keyboard.press("Control+Enter")
        page.keyboard.type("ax", delay=20)
        expect(page.locator("#rendered")).to_contain_text("xJxu")
        page.wait_for_timeout(600)
        assert field.input_value().startswith("xJxuax[")
        assert len(titles(page)) == 3


def test_a_published_issue_needs_no_mouse_and_nothing_happens_behind_the_question(
    three: Newsroom, open_page: Callable[..., Page]
) -> None:
    with served(three.home) as address:
        page = open_page()
        page.goto(f"{address}/issue")
        for key in "Pxx":
            page.keyboard.press(key)
        page.wait_for_timeout(300)
        assert len(titles(page)) == 3
        page.keyboard.press("Enter")
        expect(page.locator(".issue-bar .state")).to_have_text("已刊")


def test_no_issue_goes_out_without_what_is_being_written(three: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(three.home) as address:
        page = open_page()
        page.goto(f"{address}/issue")
        page.keyboard.press("e")
        page.keyboard.insert_text("写到一半")
        page.locator("[data-do=publish]").click()
        expect(page.locator("#toast")).to_have_text("先保存或取消正在写的")
        page.locator("[data-do=export]").click()
        assert not (three.home.path / "issues").exists()
        expect(page.locator(".entry textarea").first).to_be_focused()


def test_caps_lock_changes_no_key(three: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(three.home) as address:
        page = open_page()
        page.goto(f"{address}/issue")
        before = titles(page)
        options = "{key: 'J', bubbles: true, modifierCapsLock: true}"
        page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {options}))")
        page.wait_for_timeout(300)
        assert titles(page) == before
        expect(page.locator(".entry[aria-current=true] h3 bdi")).to_have_text(before[1])


def test_whoever_stays_on_a_page_can_go_on_working(three: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(three.home) as address:
        page = open_page()
        page.on("dialog", lambda dialog: dialog.dismiss())
        for path, field in (("/issue", ".entry textarea"), ("/candidates?category=&state=all", ".editor textarea")):
            page.goto(f"{address}{path}")
            page.keyboard.press("e")
            page.keyboard.insert_text("写到一半")
            page.locator("nav a[href='/archive']").click()
            page.wait_for_timeout(300)
            assert "写到一半" in page.locator(field).first.input_value()
            page.locator(field).first.focus()
            page.keyboard.press("Escape")
            looked = page.locator("[aria-current=true][tabindex]").inner_text()
            page.keyboard.press("j")
            assert page.locator("[aria-current=true][tabindex]").inner_text() != looked


def test_an_edit_outlives_a_new_login(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=new")
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("换了的标题")
        page.context.clear_cookies()
        page.context.new_page().goto(f"{address}/candidates")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".card[aria-current=true] h3")).to_have_text("换了的标题")


def test_no_decision_takes_away_what_is_being_written(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=&state=all")
        page.keyboard.press("l")
        expect(page.locator(".card .state.later")).to_have_count(1)
        page.keyboard.press("k")
        page.keyboard.press("e")
        page.keyboard.insert_text("写到一半")
        page.locator(".card[aria-current=true] [data-do=pick]").first.click()
        expect(page.locator("#toast")).to_have_text("先保存或取消正在写的")
        page.locator(".card .line").last.click()
        page.keyboard.press("u")
        expect(page.locator("#toast")).to_contain_text("撤回了")
        assert "写到一半" in page.locator(".editor textarea").first.input_value()
        page.locator(".editor textarea").first.focus()
        page.keyboard.press("Control+Enter")
        expect(page.locator("#toast")).to_have_text("改好了")


def test_the_only_card_is_still_the_one_looked_at_after_its_decision(
    small: Newsroom, open_page: Callable[..., Page]
) -> None:
    with served(small.home) as address:
        page = open_page()
        page.goto(f"{address}/candidates?category=论文&state=all")
        for key in "al":
            page.keyboard.press(key)
            expect(page.locator(".pending")).to_have_count(0)
        expect(page.locator(".card[aria-current=true] .state")).to_contain_text("以后")


def test_the_desk_can_be_read_without_scripts(small: Newsroom, open_page: Callable[..., Page]) -> None:
    with served(small.home) as address:
        page = open_page(java_script_enabled=False)
        page.goto(f"{address}/candidates?category=&state=all&limit=2")
        expect(page.locator("[data-original]").first).to_be_visible()
        expect(page.locator(".reasons").first).to_be_visible()
        page.get_by_role("link", name="更多").click()
        expect(page.locator(".card")).to_have_count(3)


# ---- how it looks


def test_every_page_is_pictured_and_fits(
    sample: Newsroom,
    open_page: Callable[..., Page],
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(os.environ.get("JIANBAO_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    looks: dict[str, dict[str, Any]] = {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
        "phone-dark": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "has_touch": True},
    }
    day = max((sample.home.path / "archive").glob("*.md")).stem
    with served(sample.home) as address:
        for look, options in looks.items():
            page = open_page(**options)
            for name, path, keys in (
                ("candidates", "/candidates", "jj"),
                ("candidates-all", "/candidates?state=all&category=", ""),
                ("candidates-edited", "/candidates", "e"),
                ("candidates-preview", "/candidates", "p"),
                ("candidates-empty", "/candidates?q=没有这个词", ""),
                ("candidates-help", "/candidates", "?"),
                ("issue", "/issue", "j"),
                ("issue-edited", "/issue", "e"),
                ("sources", "/sources", ""),
                ("archive", "/archive", ""),
                ("archive-found", "/archive?q=量化", ""),
                ("archived", f"/archive/{day}", ""),
                ("failure", "/issue?date=1999-01-01", ""),
                ("login", "/login", ""),
                ("english", "/candidates", "j"),
            ):
                language = "en" if name == "english" else "zh"
                page.context.add_cookies([{"name": "lang", "value": language, "url": address}])
                page.goto(f"{address}{path}")
                page.wait_for_timeout(60)
                if look.startswith("phone") and name.startswith("candidates") and page.locator(".card").count():
                    page.locator(".card .line").nth(1).click()
                for key in keys:
                    page.keyboard.press(key)
                page.wait_for_timeout(200)
                page.screenshot(path=folder / f"{name}-{look}.png")
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wide <= 0, f"{name} in {look} is {wide} px too wide"
                assert page.evaluate("window.violations") == []
    with capsys.disabled():
        sys.stdout.write(f"\nscreenshots: {folder}\n")
