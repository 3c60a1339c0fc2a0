"""What must not get in, must not get out, and must not be reached: one test a case."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2
import pytest
from builders import NOON, all_decisions
from desks import HOST, KEY, Desk
from places import ROOT
from starlette.types import Message

from pipelines.newsroom import Newsroom
from pipelines.review import serving
from pipelines.review.app import build_desk
from pipelines.review.guard.access import Access, ForeignAddress, TooManyGuesses, check_own_path
from pipelines.review.guard.defence import HostNames
from pipelines.review.guard.passwords import GUESSES, hash_password, verify_password
from pipelines.review.visit import MOST_BYTES

PICK = {"action": "pick"}
PATH = "/api/candidates/1/decisions"


def undecided(desk: Desk) -> bool:
    return desk.card(1)["state"] == "new"


# ---- who sends it


@pytest.mark.fault("W1")
def test_an_action_without_its_token_is_refused(desk: Desk) -> None:
    assert desk.client.post(PATH, json=PICK).status_code == 403
    assert undecided(desk)


def test_an_action_with_the_token_of_another_browser_is_refused(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    other = open_desk()
    assert other.token != desk.token
    assert desk.client.post(PATH, json=PICK, headers={"X-CSRF-Token": other.token}).status_code == 403
    assert undecided(desk)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{HOST}.evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HOST}"},
        {"Origin": f"ftp://{HOST}"},
        {"Origin": "http://[::1"},
    ],
)
@pytest.mark.fault("W1")
def test_an_action_from_another_site_is_refused_even_with_the_token(desk: Desk, headers: dict[str, str]) -> None:
    assert desk.post(PATH, PICK, **headers).status_code == 403
    assert undecided(desk)


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml", "x"])
@pytest.mark.fault("W1")
def test_a_form_that_any_site_could_send_is_refused(desk: Desk, content_type: str) -> None:
    headers = {"X-CSRF-Token": desk.token, "Content-Type": content_type}
    assert desk.client.post(PATH, content=b'{"action": "pick"}', headers=headers).status_code == 403
    assert undecided(desk)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{HOST}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://desk.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": f"http://{HOST}"},
        {"Origin": "https://localhost", "Host": "localhost"},
        {"Origin": "http://localhost:8765", "Host": "LOCALHOST:8765"},
        {"Origin": "http://[::1]:8765", "Host": "[::1]:8765"},
        {},
    ],
    ids=[
        "today's browser",
        "a page that hides its address",
        "a proxy that rewrites Host",
        "no Origin",
        "an older browser",
        "a proxy that speaks TLS",
        "localhost with a port",
        "IPv6",
        "no browser",
    ],
)
def test_an_action_of_the_page_itself_is_done(desk: Desk, headers: dict[str, str]) -> None:
    cookie = {"Cookie": f"jianbao_desk={desk.client.cookies['jianbao_desk']}"}  # the client's own is for its one host
    assert desk.post(PATH, PICK, **cookie, **headers).status_code == 200
    assert desk.card(1)["state"] == "picked"


def test_the_cookie_is_out_of_the_reach_of_scripts_and_other_sites(desk: Desk) -> None:
    desk.client.cookies.clear()
    cookie = desk.get("/candidates").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_nothing_is_changed_by_asking(desk: Desk) -> None:
    for path in (PATH, "/api/undo", "/logout", "/preferences", "/api/crawl?sources=x"):
        assert desk.get(path).status_code in (200, 404, 405)
    assert undecided(desk)


# ---- what it is called


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "",
        "evil.example:8765",
        "[::1",
        "0.0.0.0",
        "127.0.0.1:8765/../evil",
        "127.0.0.1, evil.example",
    ],
)
@pytest.mark.fault("W2")
def test_a_name_that_is_not_the_desks_is_not_answered(desk: Desk, host: str) -> None:
    for path in ("/candidates", "/static/desk.css", "/api/session"):
        assert desk.get(path, headers={"Host": host}).status_code == 400


def test_loopback_has_its_own_names_whatever_the_port(desk: Desk) -> None:
    assert desk.get("/candidates", headers={"Host": "localhost:1"}).status_code == 200


def test_a_desk_for_every_address_answers_to_addresses_and_to_names_that_were_allowed() -> None:
    names = serving.make_host_names("0.0.0.0", ["Desk.example"])
    assert all(names.include(one) for one in ("192.0.2.7:80", "[2001:db8::1]:80", "desk.example", "localhost"))
    assert not names.include("evil.example")


# ---- where it leads


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "https://evil.example/",
        "/%0d\n//evil.example",
        " //evil.example",
        "\t//evil.example",
        "",
        "evil",
        "/a b",
        "///evil.example",
        "http:evil.example",
    ],
)
@pytest.mark.fault("W4")
def test_no_redirect_leads_off_the_desk(desk: Desk, onward: str) -> None:
    with pytest.raises(ForeignAddress):
        check_own_path(onward)
    form = {"csrf": desk.token, "next": onward, "theme": "dark"}
    assert desk.client.post("/preferences", data=form).status_code == 400
    assert desk.client.get("/login", params={"next": onward}).status_code == 400


def test_a_redirect_on_the_desk_is_followed(desk: Desk) -> None:
    form = {"csrf": desk.token, "next": "/issue?date=2026-01-01", "theme": "dark", "lang": "en"}
    done = desk.client.post("/preferences", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/issue?date=2026-01-01")
    assert 'data-theme="dark"' in desk.get("/candidates").text
    assert "Candidates" in desk.get("/candidates").text


@pytest.mark.fault("W5")
def test_every_way_out_tells_nobody_where_it_came_from_and_leads_to_the_web(desk: Desk) -> None:
    page = desk.get("/candidates?state=all&category=").text
    ways = re.findall(r"<a [^>]*target=[^>]*>", page)
    assert ways
    for way in ways:
        assert 'rel="noopener noreferrer"' in way
        assert re.search(r'href="(https?://|/articles/\d+/changes")', way)


# ---- how much it brings


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.fault("W6")
def test_a_flood_of_form_fields_is_refused(desk: Desk) -> None:
    fields = "&".join(f"a{number}=1" for number in range(1000)) + f"&csrf={desk.token}"
    assert len(fields) < MOST_BYTES
    assert desk.client.post("/preferences", content=fields.encode(), headers=FORM).status_code == 413


def post_in_pieces(newsroom: Newsroom, headers: dict[str, str], receive: Callable[[], Message]) -> list[Message]:
    """Post a form whose pieces a function gives; the answer, as the server would send it."""
    app = build_desk(newsroom, Access(KEY, False, "编辑甲"), HostNames(frozenset({"127.0.0.1"})))
    headers = {"host": HOST, "content-type": "application/x-www-form-urlencoded", **headers}
    request = {
        "type": "http",
        "method": "POST",
        "path": "/preferences",
        "query_string": b"",
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
    }
    sent: list[Message] = []

    async def receive_piece() -> Message:
        return receive()

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(request, receive_piece, send))
    return sent


def test_a_visitor_who_hangs_up_in_the_middle_is_no_error_of_the_desk(
    newsroom: Newsroom, caplog: pytest.LogCaptureFixture
) -> None:
    pieces: list[Message] = [
        {"type": "http.request", "body": b"a=", "more_body": True},
        {"type": "http.disconnect"},
    ]
    post_in_pieces(newsroom, {"content-length": "1000"}, lambda: pieces.pop(0))
    assert caplog.records == []


@pytest.mark.parametrize(
    ("length", "chunks_read"),
    [(str(MOST_BYTES + 1), 0), (None, MOST_BYTES // 4096 + 1)],
    ids=["its length is given", "its length is not given"],
)
def test_a_body_that_is_too_long_is_read_no_further_than_the_limit(
    newsroom: Newsroom, length: str | None, chunks_read: int
) -> None:
    headers = {} if length is None else {"content-length": length}
    received: list[Message] = []

    def receive() -> Message:
        more_follows = len(received) < 4 * MOST_BYTES // 4096
        received.append({"type": "http.request", "body": b"&" * 4096, "more_body": more_follows})
        return received[-1]

    sent = post_in_pieces(newsroom, headers, receive)
    assert sent[0]["status"] == 413
    assert len(received) == chunks_read


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b'"' + b" " * MOST_BYTES + b'"', 413),
        ({"Content-Type": "text/xml"}, b"<a/>", 403),
        ({"Sec-Fetch-Site": "cross-site"}, b"{}", 403),
        ({"Host": "evil.example"}, b"{}", 400),
        ({"Range": "bytes=" + "0-1," * 10}, b"{}", 416),
    ],
    ids=["too long", "of another kind", "from another site", "by another name", "in too many parts"],
)
def test_a_script_reads_every_refusal_as_json(desk: Desk, headers: dict[str, str], body: bytes, status: int) -> None:
    sent = {"Content-Type": "application/json", "X-CSRF-Token": desk.token, **headers}
    answer = desk.client.post(PATH, content=body, headers=sent)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_body_that_lies_about_its_length_is_cut_off(desk: Desk) -> None:
    def endless() -> object:
        for _ in range(1000):
            yield b" " * 4096

    headers = {"Content-Type": "application/json", "X-CSRF-Token": desk.token}
    assert desk.client.post(PATH, content=endless(), headers=headers).status_code == 413


@pytest.mark.parametrize("ranges", [",".join(f"{at}-{at}" for at in range(5000)), "0-0,1-1,2-2,3-3,4-4"])
@pytest.mark.fault("W6")
def test_a_flood_of_ranges_is_refused(desk: Desk, ranges: str) -> None:
    assert desk.get("/static/desk.css", headers={"Range": f"bytes={ranges}"}).status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%00",
        "/archive/../../etc/passwd",
        "/archive/2026-99-99",
        "/archive/2026-01-01%2f..",
        "/articles/../1/preview",
        "/articles/999999/preview",
        "/articles/-1/preview",
        "/issue?date=../../etc/passwd",
    ],
)
@pytest.mark.fault("W6")
def test_no_path_leads_out_of_its_folder(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 404


@pytest.mark.parametrize("number", [2**31, 2**63, 2**64, 10**30])
def test_a_number_that_no_article_can_have_is_no_article(desk: Desk, number: int) -> None:
    assert desk.get(f"/api/candidates/{number}").status_code == 404
    assert desk.get(f"/articles/{number}/preview").status_code == 404


def test_a_path_of_more_digits_than_any_number_has_is_refused(desk: Desk) -> None:
    assert desk.get(f"/api/candidates/{'9' * 5000}").status_code == 414
    assert desk.get(f"/articles/{'9' * 900}/preview").status_code == 404


@pytest.mark.parametrize("path", ["/candidates?q=%00", "/api/candidates?category=a%00", "/archive?q=%00"])
def test_a_character_that_no_database_holds_is_refused(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 400


# ---- what it shows


@pytest.mark.fault("W3")
def test_every_page_forbids_whatever_is_not_the_desks_own(desk: Desk) -> None:
    for path in ("/candidates", "/issue", "/sources", "/archive", "/login", "/nowhere", "/api/session", "/static/x"):
        headers = desk.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


@pytest.mark.fault("W7")
def test_an_article_is_shown_in_a_response_that_can_do_nothing(desk: Desk) -> None:
    shown = desk.get("/articles/1/preview")
    policy = shown.headers["content-security-policy"]
    assert shown.status_code == 200
    assert policy.startswith("default-src 'none'")
    assert "; sandbox" in policy
    assert "allow-" not in policy
    assert "img-src" not in policy
    assert "img-src http: https:" in desk.get("/articles/1/preview?images=1").headers["content-security-policy"]
    assert desk.get("/articles/1/preview?images=1").headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("words", ['a" OR *', "NEAR(", "%_", "'; DROP TABLE stories; --", "\0", "*", '"', "高\udcff通"])
@pytest.mark.fault("W9")
def test_a_search_means_what_it_says(desk: Desk, words: str) -> None:
    for path in ("/candidates", "/archive", "/api/candidates"):
        assert desk.client.get(path, params={"q": words.encode(errors="replace")}).status_code == 200


def test_a_search_finds_two_characters(desk: Desk) -> None:
    found = desk.get("/api/candidates", params={"q": "高通"}).json()
    assert [one["id"] for one in found["candidates"]] == [1]


@pytest.mark.fault("W8")
def test_nothing_of_the_inside_is_public(desk: Desk) -> None:
    for path in ("/metrics", "/debug", "/docs", "/openapi.json", "/.env", "/var/desk.key"):
        assert desk.get(path).status_code == 404


@pytest.mark.fault("W8")
def test_an_error_says_nothing_of_the_inside(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("pipelines.review.pages.candidates.make_tabs", broken)
    for path in ("/candidates", "/candidates?q=高通"):
        failed = desk.get(path)
        assert failed.status_code == 500
        assert "secret" not in failed.text
        assert "Traceback" not in failed.text
    assert "高通" not in caplog.records[-1].getMessage()


# ---- who may come in


def test_a_desk_that_others_reach_does_not_open_without_a_user(newsroom: Newsroom) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "desk.example"):
        with pytest.raises(serving.NobodyMayEnter, match="jianbao user add"):
            serving.make_access(newsroom, host)
    assert not serving.make_access(newsroom, "127.0.0.1").login


def add_user(newsroom: Newsroom, name: str, password: str) -> None:
    with newsroom.store.transaction() as tx:
        tx.users.save(name, hash_password(password), NOON)


def test_a_login_opens_a_session_of_its_own_and_a_logout_ends_it(
    newsroom: Newsroom, open_desk: Callable[..., Desk]
) -> None:
    add_user(newsroom, "小王", "correct horse")
    assert serving.make_access(newsroom, "0.0.0.0").login
    desk = open_desk(login=True)
    assert desk.get("/candidates?q=1").headers["location"] == "/login?next=/candidates%3Fq%3D1"
    assert desk.get("/api/candidates").status_code == 401
    planted = desk.client.cookies["jianbao_desk"]
    token = re.search(r'name="csrf" value="(\w+)"', desk.get("/login").text)
    assert token
    form = {"csrf": token[1], "name": "小王", "password": "wrong horse", "next": "/issue"}
    refused = desk.client.post("/login", data=form)
    assert (refused.status_code, 'value="小王"' in refused.text) == (401, True)
    done = desk.client.post("/login", data=form | {"password": "correct horse"})
    assert (done.status_code, done.headers["location"]) == (303, "/issue")
    cookie = desk.client.cookies["jianbao_desk"]
    assert cookie != planted
    desk.token = desk.get("/api/session").json()["csrf"]
    assert desk.decide(1, "pick").status_code == 200
    with newsroom.store.reading() as tx:
        assert [one.who for one in all_decisions(tx)] == ["小王"]
    assert desk.client.post("/logout", data={"csrf": desk.token}).status_code == 303
    desk.client.cookies.set("jianbao_desk", cookie)
    assert desk.get("/api/candidates").status_code == 401


def test_a_logout_after_the_session_ended_leads_to_the_login(
    newsroom: Newsroom, open_desk: Callable[..., Desk]
) -> None:
    add_user(newsroom, "小王", "correct horse")
    desk = open_desk(login=True)
    token = re.search(r'name="csrf" value="(\w+)"', desk.get("/login").text)
    assert token
    done = desk.client.post("/logout", data={"csrf": token[1]})
    assert (done.status_code, done.headers["location"]) == (303, "/login")


def test_passwords_cannot_be_guessed_by_trying(newsroom: Newsroom, open_desk: Callable[..., Desk]) -> None:
    add_user(newsroom, "小王", "correct horse")
    desk = open_desk(login=True)
    token = re.search(r'name="csrf" value="(\w+)"', desk.get("/login").text)
    assert token
    form = {"csrf": token[1], "name": "小王", "next": "/"}
    answers = [desk.client.post("/login", data=form | {"password": f"guess {n}"}).status_code for n in range(GUESSES)]
    assert answers == [401] * GUESSES
    assert desk.client.post("/login", data=form | {"password": "correct horse"}).status_code == 429


def test_parallel_guesses_are_counted_before_their_passwords_are_checked(newsroom: Newsroom) -> None:
    add_user(newsroom, "小王", "correct horse")
    access = Access(KEY, login=True, editor="编辑甲")

    def guess(number: int) -> str | None:
        with suppress(TooManyGuesses):
            access.log_in(newsroom.store, "小王", f"guess {number}", "203.0.113.7", NOON)
            return "checked"
        return None

    with ThreadPoolExecutor(16) as pool:
        assert [*pool.map(guess, range(40))].count("checked") == GUESSES


def test_wrong_passwords_from_elsewhere_lock_no_user_out(newsroom: Newsroom) -> None:
    add_user(newsroom, "小王", "correct horse")
    access = Access(KEY, login=True, editor="编辑甲")
    for number in range(GUESSES * 2):
        assert access.log_in(newsroom.store, "小王", "wrong horse", f"198.51.100.{number}", NOON) is None
    assert access.log_in(newsroom.store, "小王", "correct horse", "203.0.113.7", NOON)


def test_right_passwords_are_no_guesses(newsroom: Newsroom) -> None:
    add_user(newsroom, "小王", "correct horse")
    access = Access(KEY, login=True, editor="编辑甲")
    for _ in range(GUESSES * 2):
        assert access.log_in(newsroom.store, "小王", "correct horse", "203.0.113.7", NOON)


PATIENT_DESK = """
import sys
from pathlib import Path
from crawler.home import Home
from pipelines.newsroom import Newsroom
from pipelines.review import serving
from pipelines.review.guard.access import Access
listening = serving.listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
names = serving.make_host_names("127.0.0.1", [])
serving.serve(Newsroom(Home(Path(sys.argv[1]))), [listening], Access(b"k" * 32, False, "e"), names, 2.0)
"""


@pytest.mark.slow
@pytest.mark.fault("W6")
def test_connections_that_send_no_request_keep_nobody_out(newsroom: Newsroom) -> None:
    command = [sys.executable, "-c", PATIENT_DESK, str(newsroom.home.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as desk, ExitStack() as opened:
        opened.callback(desk.kill)
        assert desk.stdout is not None
        port = int(desk.stdout.readline())
        page = f"http://127.0.0.1:{port}/candidates"
        assert httpx2.get(page, timeout=60).status_code == 200
        strangers = [opened.enter_context(socket.create_connection(("127.0.0.1", port), 60)) for _ in range(150)]
        for number, stranger in enumerate(strangers):
            with suppress(OSError):  # the oldest are closed already
                stranger.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"[: number % 50])
        assert httpx2.get(page, timeout=60).status_code == 200
        for stranger in strangers:
            with suppress(ConnectionError):
                assert stranger.recv(4096) == b"", "no answer, and the end of the connection"
        assert httpx2.get(page, timeout=60).status_code == 200


def test_a_new_password_ends_the_sessions_of_the_old_one(newsroom: Newsroom) -> None:
    add_user(newsroom, "小王", "correct horse")
    with newsroom.store.transaction() as tx:
        tx.users.open_session(b"digest", "小王", NOON, NOON.replace(year=2030))
        assert tx.users.find_by_session(b"digest", NOON) == "小王"
        assert tx.users.find_by_session(b"digest", NOON.replace(year=2031)) is None
    add_user(newsroom, "小王", "another horse")
    with newsroom.store.reading() as tx:
        assert tx.users.find_by_session(b"digest", NOON) is None


def test_a_password_is_kept_as_a_hash_that_nobody_reads_back() -> None:
    stored = hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert "correct" not in stored
    assert verify_password("correct horse", stored)
    assert not verify_password("wrong", stored)
    assert not verify_password("nobody has this password", None)


def test_the_key_of_a_desk_is_its_owners_alone_and_stays(tmp_path: Path) -> None:
    from pipelines.review.guard.access import load_key  # noqa: PLC0415

    path = tmp_path / "var" / "desk.key"
    key = load_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == key
    path.write_bytes(b"short")
    assert len(load_key(path)) == 32


def test_a_port_that_is_taken_is_said_so() -> None:
    with serving.listen("127.0.0.1", 0) as one:
        one.listen()
        with pytest.raises(OSError, match="in use"):
            serving.listen("127.0.0.1", one.getsockname()[1])
    assert isinstance(one, socket.socket)
