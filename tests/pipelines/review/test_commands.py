"""`jianbao review` and `jianbao user`, as somebody types them."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.newsroom import Newsroom
from pipelines.review.guard.passwords import verify_password


def typed(newsroom: Newsroom, *words: str, said: str = "") -> Result:
    return CliRunner().invoke(app, ["--home", str(newsroom.home.path), *words], input=said)


@pytest.mark.slow
def test_a_user_is_added_listed_and_removed(newsroom: Newsroom) -> None:
    assert typed(newsroom, "user", "add", "小王", said="correct horse\ncorrect horse\n").exit_code == 0
    assert typed(newsroom, "user", "add", "li", "--password-stdin", said="battery staple\n").exit_code == 0
    assert typed(newsroom, "user", "list").stdout.split() == ["li", "小王"]
    with newsroom.store.reading() as tx:
        assert verify_password("correct horse", tx.users.get_password_hash("小王"))
        assert verify_password("battery staple", tx.users.get_password_hash("li"))
    assert typed(newsroom, "user", "remove", "li").exit_code == 0
    assert typed(newsroom, "user", "remove", "li").exit_code == 2
    assert typed(newsroom, "user", "list").stdout.split() == ["小王"]


@pytest.mark.parametrize(("name", "password"), [("x", "short"), ("x", ""), ("a b", "long enough"), ("", "long enough")])
def test_a_user_that_could_be_guessed_or_has_no_name_is_refused(newsroom: Newsroom, name: str, password: str) -> None:
    assert typed(newsroom, "user", "add", name, "--password-stdin", said=f"{password}\n").exit_code == 2
    listed = typed(newsroom, "user", "list")
    assert (listed.stdout, listed.stderr.strip()) == ("", "还没有用户；用 jianbao user add 加一个")


def test_a_password_that_would_be_seen_while_it_is_typed_is_not_asked_for(newsroom: Newsroom) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(newsroom.home.path), "user", "add", "li"]
    refused = subprocess.run(  # a session of its own has no terminal
        command, input="long enough\nlong enough\n", capture_output=True, text=True, start_new_session=True, check=False
    )
    assert refused.returncode == 2
    assert "--password-stdin" in refused.stderr
    assert "Warning" not in refused.stderr
    assert "还没有用户" in typed(newsroom, "user", "list").stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_the_desk_does_not_open_to_others_without_a_user(newsroom: Newsroom, host: str) -> None:
    refused = typed(newsroom, "review", "--host", host, "--port", "0")
    assert refused.exit_code == 2
    assert "jianbao user add" in refused.stderr


def test_a_port_that_is_taken_is_said_so_in_one_line(newsroom: Newsroom) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        refused = typed(newsroom, "review", "--port", str(one.getsockname()[1]))
    assert refused.exit_code == 1
    assert "--port" in refused.stderr


def test_lint_says_what_to_look_at_and_exits_with_it(newsroom: Newsroom) -> None:
    assert typed(newsroom, "decide", "3", "pick", "--issue", "2026-11-30").exit_code == 0
    looked = typed(newsroom, "issue", "lint", "2026-11-30")
    assert looked.exit_code == 1
    assert "还没有要目" in looked.stdout
    assert "论文：目标" in looked.stdout
