"""The API holds to its own description, whatever is sent: never an error of ours, never a status unnamed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from desks import HOST, KEY, Desk, make_newsroom
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from starlette.testclient import TestClient

from pipelines.review.api import candidates as api
from pipelines.review.api.operations import Operation, describe_api
from pipelines.review.app import build_desk
from pipelines.review.guard.access import Access
from pipelines.review.guard.defence import HostNames

DESCRIBED = describe_api(api.OPERATIONS)
CASES = [
    (one, mode)
    for one in api.OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or one.query or one.body or one.path_schemas  # else nothing can be wrong
]
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)


def described_path(one: Operation) -> str:
    return one.path.replace(":int}", "}")


def test_the_description_names_every_operation_once(desk: Desk) -> None:
    served = desk.get("/api/openapi.json").json()
    assert served == json.loads(json.dumps(DESCRIBED))
    names = [method["operationId"] for path in served["paths"].values() for method in path.values()]
    assert len(names) == len(set(names)) == len(api.OPERATIONS)
    for path in served["paths"].values():
        for method, described in path.items():
            assert described["summary"].endswith((".", "`.")), described
            assert method == "get" or described["security"]


def test_every_operation_that_changes_anything_wants_the_token(desk: Desk) -> None:
    for one in api.OPERATIONS:
        if one.method != "GET":
            path = one.path.replace("{story:int}", "1").replace("{day}", "2026-01-01").replace("{position:int}", "0")
            path = path.replace("{part}", "guide").replace("{source}", "x")
            assert desk.client.request(one.method, path, json={}).status_code == 403, path


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    newsroom = make_newsroom(tmp_path_factory.mktemp("api") / "newsletter")
    newsroom.home.sources.write_text("", encoding="utf-8")  # nothing to crawl
    app = build_desk(newsroom, Access(KEY, False, "编辑甲"), HostNames(frozenset({"127.0.0.1"})))
    with TestClient(app, base_url=f"http://{HOST}", follow_redirects=False) as one:
        token = one.get("/api/session").json()["csrf"]
        one.headers["X-CSRF-Token"] = token
        assert one.post("/api/candidates/1/decisions", json={"action": "pick"}).status_code == 200
        yield one
    newsroom.store.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the generator says of its own work
@pytest.mark.parametrize(("one", "mode"), CASES, ids=lambda value: getattr(value, "path", None) or value.value)
def test_nothing_that_can_be_sent_breaks_it(client: TestClient, one: Operation, mode: GenerationMode) -> None:
    described = SCHEMA[described_path(one)][one.method]
    try:
        cases = described.as_strategy(generation_mode=mode)
        known = st.one_of(st.just({}), st.just({"story": 1, "position": 0, "day": draft_day(client)}))

        @given(case=cases, places=known)
        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        def send(case: Case, places: dict[str, Any]) -> None:
            case.path_parameters = {**(case.path_parameters or {}), **places} if case.path_parameters else {}
            check(client, one, case)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            send()
    except schemathesis.errors.InvalidSchema as error:  # pragma: no cover - says what is wrong with our description
        pytest.fail(str(error))


def check(client: TestClient, one: Operation, case: Case) -> None:
    query = {name: str(value) for name, value in (case.query or {}).items() if name.isprintable()}
    body = case.body if isinstance(case.body, (dict, list, str, int, float, bool, type(None))) else None
    try:
        content = json.dumps(body).encode() if one.body else None
        query = {
            name.encode(errors="replace").decode(): value.encode(errors="replace").decode()
            for name, value in query.items()
        }
        answer = client.request(
            one.method,
            case.formatted_path,
            params=query,
            content=content,
            headers={"Content-Type": "application/json"} if content else {},
        )
    except (ValueError, TypeError):  # no client can send it
        return
    allowed = {int(status) for status in DESCRIBED["paths"][described_path(one)][one.method.lower()]["responses"]}
    assert answer.status_code < 500, (case.formatted_path, query, body, answer.text)
    assert answer.status_code in allowed | {405}, (case.formatted_path, query, body, answer.text)
    answer.json()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("export", '{"publish": "yes"}'),
        ("export", '{"publish": 1}'),
        ("moves", '{"position": "0", "section": 1, "to": 0}'),
        ("moves", '{"position": false, "section": true, "to": 0}'),
        ("date", '{"date": 0}'),
        ("preview", r'{"text": "\u0000"}'),
        ("preview", r'{"text": "\ud800"}'),
    ],
)
def test_what_is_of_another_kind_than_described_is_refused(desk: Desk, path: str, body: str) -> None:
    desk.decide(1, "pick")
    headers = {"X-CSRF-Token": desk.token, "Content-Type": "application/json"}
    sent = desk.client.post(f"/api/issues/{draft_day(desk.client)}/{path}", content=body, headers=headers)
    assert sent.status_code == 400, sent.text


def test_nothing_to_say_is_said_with_no_body_at_all(desk: Desk) -> None:
    desk.decide(1, "pick")
    assert desk.client.post("/api/undo", headers={"X-CSRF-Token": desk.token}).status_code == 200


def draft_day(client: TestClient) -> str:
    issues = client.get("/api/issues").json()["issues"]
    return next((one["date"] for one in issues if one["state"] == "draft"), "2026-01-01")


def test_a_script_does_what_the_desk_does(desk: Desk, tmp_path: Path) -> None:
    assert tmp_path.exists()
    told = desk.get("/api/session").json()
    assert (told["who"], told["csrf"]) == ("编辑甲", desk.token)
    (first, *_) = desk.get("/api/candidates?category=论文").json()["candidates"]
    done = desk.decide(first["id"], "pick", seen=first["version"]).json()
    day = done["issue"]
    assert desk.get("/api/issues").json()["issues"][0] == {
        "date": day,
        "state": "draft",
        "headline": None,
        "items": 1,
    }
    assert desk.post(f"/api/issues/{day}/export", {}).json()["path"].endswith(f"{day}.md")
