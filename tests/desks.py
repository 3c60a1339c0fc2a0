"""A desk over a small newsroom, spoken to as a browser would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest
from builders import NOON, article
from databases import Databases, read_filled_file
from starlette.testclient import TestClient
from waiting import wait_until

from crawler.home import DATABASE_VARIABLE, Home, bundled
from crawler.items import RawItem
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import group
from pipelines.store.raw import NewRaw, Packed

KEY = b"k" * 32
HOST = "127.0.0.1:8765"

TITLES = {
    1: "高通骁龙芯片的低比特量化",
    2: "端侧推理引擎开源",
    3: "一篇关于结构化剪枝的论文",
    4: "移动端部署入门",
    5: "限时优惠：量化课程报名",
}


class Desk:
    """A client with a page open: it has the cookie and the token of one."""

    def __init__(self, client: TestClient, newsroom: Newsroom) -> None:
        self.client = client
        self.newsroom = newsroom
        self.token = client.get("/api/session").json().get("csrf", "")

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(path, **options)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return self.client.post(path, json=body or {}, headers={"X-CSRF-Token": self.token, **headers})

    def put(self, path: str, body: Any) -> httpx2.Response:
        return self.client.put(path, json=body, headers={"X-CSRF-Token": self.token})

    def card(self, story: int) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/api/candidates/{story}").json()
        return found

    def decide(self, story: int, action: str, **more: str) -> httpx2.Response:
        return self.post(f"/api/candidates/{story}/decisions", {"action": action, **more})


def make_newsroom(folder: Path) -> Newsroom:
    """A newsroom in which the articles of `TITLES` are stored and grouped, for the caller to close its store."""
    newsroom = _write_folder(folder)
    database = newsroom.home.var / "jianbao.db"
    database.parent.mkdir(exist_ok=True)
    database.write_bytes(read_filled_file(fill_with_titles))
    return newsroom


@contextmanager
def opened_newsroom(folder: Path, databases: Databases) -> Iterator[Newsroom]:
    """The newsroom of `make_newsroom` in a database of either kind: SQLite in its folder, PostgreSQL by JIANBAO_DB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(DATABASE_VARIABLE, raising=False)
        if databases.dialect == "sqlite":
            newsroom = make_newsroom(folder)
        else:
            patch.setenv(DATABASE_VARIABLE, databases.make(fill_with_titles))
            newsroom = _write_folder(folder)
        url = newsroom.home.database_url
        try:
            yield newsroom
        finally:
            newsroom.store.close()
            databases.drop(url)


def _write_folder(folder: Path) -> Newsroom:
    home = Home(folder)
    home.path.mkdir(parents=True, exist_ok=True)
    for name in ("newsletter.toml", "sources.toml"):
        (home.path / name).write_bytes((bundled() / name).read_bytes())
    return Newsroom(home)


def fill_with_titles(url: str) -> None:
    """Store and group the articles of `TITLES` in an empty database."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATABASE_VARIABLE, url)
        newsroom = _write_folder(Path(folder))
        add_articles(newsroom, TITLES)
        newsroom.store.close()


def add_articles(newsroom: Newsroom, titles: dict[int, str], **values: Any) -> None:
    """Store and group articles of these titles, each with the page that it came from."""
    made = [
        article(number, title=title, keys=(f"wechat:t{number}",), summary=f"{title}，说得明白。" * 3, **values)
        for number, title in titles.items()
    ]
    with newsroom.store.transaction() as tx:
        saved = tx.articles.save(made)
        items = [
            RawItem("wechat", one.url, one.title, NOON + timedelta(hours=1), html=f"<p>{one.title}</p>") for one in made
        ]
        tx.raw.add([NewRaw(Packed.of(item, "watch"), one) for item, one in zip(items, saved.ids, strict=True)])
    group(newsroom.store, newsroom.group_rules)


def wait_for_learning(desk: Desk) -> dict[str, str]:
    """Wait until the desk has learned from what was published; what the foot of its pages says then."""
    wait_until(lambda: desk.get("/api/learning").json()["state"] != "running")
    learning: dict[str, str] = desk.get("/api/learning").json()
    return learning
