"""A row with many repositories: each is asked for by its own ETag, and one that is missing spoils no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import start_crawl
from servers import Seen, http, newsroom, serving, source

REPOSITORIES = [f"kettle/pot-{number}" for number in range(40)]
MISSING = REPOSITORIES[7]


def releases(seen: Seen) -> bytes:
    """The only release of a repository, with an ETag of the repository's own."""
    name = "/".join(seen.path.split("/")[2:4])
    if name == MISSING:
        return http(404, json.dumps({"message": "Not Found"}))
    if seen.headers.get("if-none-match") == f'"{name}"':
        return http(304)
    page = f"https://github.com/{name}/releases/tag/v1"
    release = {"tag_name": "v1", "html_url": page, "draft": False, "name": "v1", "published_at": "2026-11-01T00:00:00Z"}
    return http(200, json.dumps([release]), etag=f'"{name}"')


@pytest.mark.slow
def test_one_missing_repository_among_forty_fails_by_name_and_the_others_go_on_by_their_etags(tmp_path: Path) -> None:
    answers = {f"/repos/{name}/releases": releases for name in REPOSITORIES}
    with serving(answers, "127.0.10.1") as site:
        row = source("pots", "github", mode="releases", repos=REPOSITORIES, base_url=site.base)
        home = newsroom(tmp_path, row, site.place)
        table, log, code = start_crawl(home, "--no-group")
        assert code == 1, "what is dropped is not dropped with exit 0"
        assert MISSING in table, log
        assert "39" in table
        assert "失败" not in table
        site.seen.clear()
        start_crawl(home, "--no-group")
        conditional = {"/".join(seen.path.split("/")[2:4]) for seen in site.seen if "if-none-match" in seen.headers}
    assert conditional == set(REPOSITORIES) - {MISSING}
    assert sum("releases" in path for path in site.paths()) == 40


@pytest.mark.slow
def test_a_row_of_which_no_repository_exists_fails(tmp_path: Path) -> None:
    with serving({f"/repos/{MISSING}/releases": releases}, "127.0.10.2") as site:
        home = newsroom(
            tmp_path, source("pots", "github", mode="releases", repos=[MISSING], base_url=site.base), site.place
        )
        table, _, code = start_crawl(home, "--no-group")
    assert code == 1
    assert "失败" in table
