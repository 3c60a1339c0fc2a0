"""`jianbao demo`, as a person runs it: twice in one folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from places import ROOT

from pipelines.cli.demo import FOLDER, open_sample
from pipelines.newsletter import load_newsletter

pytestmark = pytest.mark.slow


def jianbao(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder`, as a person would from anywhere."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def environment() -> dict[str, str]:
    """No newsletter of this machine's, a wide terminal, Chinese output wherever it runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIANBAO_")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "160"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anywhere")


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    return jianbao(folder, "demo")


@pytest.fixture(scope="module")
def candidates(folder: Path, first: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert first.returncode == 0, first.stderr
    states = ("new", "picked", "published")
    found = (jianbao(folder, "--home", FOLDER, "candidates", "--json", "--state", state).stdout for state in states)
    documents = [json.loads(document) for document in found]
    return [one for document in documents for section in document["categories"] for one in section["candidates"]]


def story(candidates: list[dict[str, Any]], title: str) -> dict[str, Any]:
    """The one candidate that has an article whose title starts so."""
    found = [one for one in candidates if any(article["title"].startswith(title) for article in one["articles"])]
    assert len(found) == 1, [one["title"] for one in found]
    return found[0]


def test_the_demo_succeeds_though_some_sources_are_broken(first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    assert "Traceback" not in first.stdout + first.stderr


def test_the_demo_never_waits_between_requests_to_its_own_server(
    folder: Path, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode == 0, first.stderr
    port = json.loads((folder / FOLDER / "var/demo.json").read_text(encoding="utf-8"))["port"]
    network = tomllib.loads((folder / FOLDER / "newsletter.toml").read_text(encoding="utf-8"))["network"]
    assert network["hosts"] == {f"127.0.0.1:{port}": {"delay": 0}}


def test_the_demo_says_what_failed_and_why(first: subprocess.CompletedProcess[str]) -> None:
    said = first.stdout + first.stderr
    for name in ("yunduan-mantan", "xiangpica", "fanmang-zhan"):
        assert name in said
    for error in ("页面认不出", "被拦", "对方要求稍后再来", "已不在"):
        assert error in said


def test_the_demo_leaves_an_issue_and_says_where(folder: Path, first: subprocess.CompletedProcess[str]) -> None:
    (issue,) = (folder / FOLDER / "issues").glob("*.md")
    assert f"{FOLDER}/issues/{issue.name}" in first.stdout
    text = issue.read_text(encoding="utf-8")
    newsletter = load_newsletter(folder / FOLDER / "newsletter.toml")
    assert all(f"## {category}" in text for category in newsletter.category_names)
    assert text.count("\n- [") >= newsletter.per_issue
    assert "signature=" not in text


def test_post_paper_and_repository_are_one_story(candidates: list[dict[str, Any]]) -> None:
    for name, owner in (("HexaQuant", "lowbit-sample/hexaquant"), ("LanternKV", "lanternkv-sample/lantern-kv")):
        urls = {url for article in story(candidates, f"{name}: ")["articles"] for url in article["urls"]}
        assert any("arxiv.org" in url for url in urls)
        assert any(url.endswith(owner) for url in urls)
        assert any("mp.weixin.qq.com" in url for url in urls)


def test_the_long_and_the_short_link_are_one_article(candidates: list[dict[str, Any]]) -> None:
    articles = [
        one for found in candidates for one in found["articles"] if one["title"] == "为什么你的 INT8 模型比 FP16 还慢"
    ]
    (article,) = articles
    assert any("__biz=" in url for url in article["urls"])
    assert any(url.endswith("/s/Sample-duancegc-000008") for url in article["urls"])


def test_the_reprint_and_its_original_are_one_story(candidates: list[dict[str, Any]]) -> None:
    accounts = {article["source"] for article in story(candidates, "四比特权重量化的五个坑")["articles"]}
    assert {"端侧观察", "比特工坊"} <= accounts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("星澜 860 端侧跑分曝光", "星澜 870 端侧跑分曝光"),
        ("轻舟 2.2 发布", "轻舟 2.3 发布"),
        ("qingzhou v2.2.0", "qingzhou v2.3.0: "),
        ("Corelet Runtime 3.1", "Corelet Runtime 3.2"),
        ("本周值得收藏的十个端侧推理仓库", "HexaQuant: "),
    ],
)
def test_different_news_stay_apart(candidates: list[dict[str, Any]], one: str, other: str) -> None:
    assert story(candidates, one)["id"] != story(candidates, other)["id"]


def test_what_was_printed_before_is_known(candidates: list[dict[str, Any]]) -> None:
    printed = story(candidates, "把语音唤醒塞进 64 KB")
    assert printed["published_in"] is not None
    assert printed["state"] == "published"


def test_the_follow_up_of_what_was_printed_is_offered(candidates: list[dict[str, Any]]) -> None:
    assert story(candidates, "tinyharbor v0.9.0")["state"] == "new"


@pytest.mark.parametrize("port_is_taken", [False, True])
def test_another_run_in_the_same_folder_finds_nothing_new(
    folder: Path, candidates: list[dict[str, Any]], port_is_taken: bool
) -> None:
    del candidates  # the first run is done
    issues = folder / FOLDER / "issues"
    before = {path.name: path.read_bytes() for path in issues.iterdir()}
    with socket.socket() as other:
        if port_is_taken:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", json.loads((folder / FOLDER / "var/demo.json").read_text())["port"]))
            other.listen()
        done = jianbao(folder, "demo")
    assert done.returncode == 0, done.stderr
    assert "没有新内容" in done.stdout
    assert {path.name: path.read_bytes() for path in issues.iterdir()} == before


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    done = jianbao(tmp_path, "demo")
    assert done.returncode == 2
    assert FOLDER in done.stderr
    assert not list((tmp_path / FOLDER).iterdir())


def test_a_database_that_the_environment_names_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JIANBAO_DB", f"sqlite:///{tmp_path / 'real.db'}")
    with open_sample() as home:
        assert home is not None
        assert home.database_url.endswith(f"{FOLDER}/var/jianbao.db")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "pipelines.cli", "demo", "--serve"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "http://127.0.0.1:" in line)
            yield "http://127.0.0.1:" + line.split("http://127.0.0.1:")[1].split()[0].strip("/")
        finally:
            process.terminate()
            process.communicate(timeout=10)


def test_serve_keeps_the_sample_there_for_a_crawler(served: str, tmp_path: Path) -> None:
    with urlopen(f"{served}/feeds/vendor.atom") as answer:
        assert "Corelet Engineering Blog" in answer.read().decode()
    assert served.rpartition(":")[2] in (tmp_path / FOLDER / "sources.toml").read_text(encoding="utf-8")
