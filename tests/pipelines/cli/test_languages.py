"""One language at a time: the terminal prints no sentence that mixes Chinese and English."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from servers import ROOT, Site, http, newsroom, serving, source
from typer.testing import CliRunner

from pipelines import cli
from pipelines.cli import app, terminal

HAN: Final = re.compile(r"[\u3001\u3002\u300c\u300d\u4e00-\u9fff\uff01-\uff1f]")
ENGLISH: Final = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){2,}")
"""Three English words in a row: a sentence, and not the name of a file or a command."""

COMMANDS: Final = re.compile(r"jianbao(?: [a-z]+)*(?: --[a-z]+)*")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving({"/busy": http(429, "later", retry_after="86400"), "/gone": http(404, "no")}) as one:
        yield one


def run(home: Path, language: str, *arguments: str) -> tuple[int, str]:
    """Run a command as an editor does; return the exit code and all that it prints, without the line breaks."""
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "--lang", language, *arguments]
    environment = {**os.environ, "COLUMNS": "400"}
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert "Traceback" not in process.stderr, process.stderr
    return process.returncode, process.stdout + process.stderr


def type_in(home: Path, language: str, *arguments: str) -> tuple[int, str]:
    """Run a command in this process, which is quicker; return the exit code and all that it prints."""
    result = CliRunner().invoke(app, ["--home", str(home), "--lang", language, *arguments], env={"COLUMNS": "400"})
    if result.exception is None or isinstance(result.exception, SystemExit):
        return result.exit_code, result.output
    code = cli._find_exit_code(result.exception)
    assert code is not None, result.exception
    return code, result.output + cli._describe_error(result.exception)


@pytest.fixture(autouse=True)
def _chinese_again() -> Iterator[None]:
    yield
    terminal.set_language("zh")


def assert_one_language(text: str, language: str) -> None:
    if language == "en":
        assert not HAN.search(text), text
    else:
        assert HAN.search(text), text
        assert not ENGLISH.search(COMMANDS.sub("", text)), text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh", "失败：对方要求稍后再来：HTTP 429，UTC"), ("en", "Failed: The site asks us to come back later: HTTP 429")],
)
def test_a_crawl_of_a_site_that_answers_429_says_so_in_one_language(
    tmp_path: Path, site: Site, language: str, sentence: str
) -> None:
    text = source("busy", "feed", url=f"{site.base}/busy") + source("bad", "feed", url="nowhere", trust="high")
    home = newsroom(tmp_path, text, site.place)
    code, crawled = run(home, language, "crawl")
    assert code == 1
    assert sentence in crawled
    assert_one_language(crawled.replace("busy", ""), language)
    _, listed = run(home, language, "sources", "list")
    assert "HTTP 429" in listed
    code, added = run(home, language, "add", f"{site.base}/busy", f"{site.base}/gone", str(tmp_path / "missing"))
    assert code == 1
    assert "404" in added
    for printed in (listed, added):
        assert_one_language(printed, language)


WRONG: Final = (
    ("candidates", "--since", "yesterday"),
    ("candidates", "--state", "lost"),
    ("candidates", "--nothing"),
    ("nothing",),
    ("decide", "first", "pick"),
    ("decide", "7", "pick"),
    ("decide", "7"),
    ("issue", "show", "2020"),
    ("issue", "show", "2020-01-27"),
    ("export", "--check", "--publish"),
    ("export", "--format", "tex"),
    ("crawl", "nobody"),
    ("archive", "import", "missing.md"),
    ("user", "remove", "nobody"),
    ("evaluate", "--split", "2020-01-01"),
    ("undo",),
)
RIGHT: Final = (
    ("group",),
    ("candidates",),
    ("issue", "list"),
    ("sources", "list"),
    ("user", "list"),
    ("rebuild",),
    ("db", "upgrade"),
)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_wrong_use_is_said_in_one_language(tmp_path: Path, language: str) -> None:
    home = newsroom(tmp_path, source("a", "feed", url="https://a.example/"))
    for arguments in WRONG:
        code, text = type_in(home, language, *arguments)
        assert code in (1, 2), (arguments, text)
        assert_one_language(text, language)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_the_main_commands_print_is_of_one_language(tmp_path: Path, language: str) -> None:
    home = newsroom(tmp_path, source("a", "feed", url="https://a.example/"))
    for arguments in RIGHT:
        code, text = type_in(home, language, *arguments)
        assert code == 0, (arguments, text)
        if text.strip():
            assert_one_language(text, language)
    (home / "sources.toml").write_text('[[source]]\nid = "a"\nkind = "fed"\nschedule = "soon"\n', encoding="utf-8")
    code, text = type_in(home, language, "sources", "check")
    assert code == 1
    assert_one_language(text.replace("host:port", ""), language)
    (home / "newsletter.toml").write_text("title = 7\n", encoding="utf-8")
    code, text = type_in(home, language, "candidates")
    assert code == 2
    assert_one_language(text, language)
