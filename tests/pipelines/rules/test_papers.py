"""Which pages are a paper."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipelines.group.features import split_host_and_path
from pipelines.rules import Rules

PAPERS = [
    "https://openaccess.thecvf.com/content/CVPR2026/html/Some_Paper.html",
    "http://www.ecva.net/papers/eccv_2026/papers_ECCV/html/1_ECCV_2026_paper.php",
    "https://proceedings.mlr.press/v97/some19a.html",
    "https://ieeexplore.ieee.org/document/8000001",
    "https://www.ijcai.org/proceedings/2026/12",
    "https://aclanthology.org/2026.acl-long.1/",
    "https://ojs.aaai.org/index.php/AAAI/article/view/1",
    "https://openreview.net/forum?id=abc",
    "https://www.nature.com/articles/s41586-020-0001-1",
    "https://dl.acm.org/doi/10.1145/1.2",
]
OTHERS = [
    "https://www.nature.com/articles/d41586-020-00001-1",
    "https://www.nature.com/news",
    "https://aclanthology.org/",
    "https://mp.weixin.qq.com/s/abc",
    "https://openreview.net/group?id=ICLR.cc",
    "https://example.org/openaccess.thecvf.com/",
    "http://[",
]


@pytest.mark.parametrize("url", PAPERS)
def test_a_page_of_a_conference_or_journal_is_a_paper(rules: Rules, url: str) -> None:
    assert rules.papers.is_paper(*split_host_and_path(url))


@pytest.mark.parametrize("url", OTHERS)
def test_news_and_lists_of_the_same_sites_are_none(rules: Rules, url: str) -> None:
    assert not rules.papers.is_paper(*split_host_and_path(url))


@pytest.mark.skipif("JIANBAO_CORPUS" not in os.environ, reason="JIANBAO_CORPUS is not set")
def test_nearly_every_conference_paper_of_the_corpus_is_one(rules: Rules) -> None:
    rows = (Path(os.environ["JIANBAO_CORPUS"]) / "pool" / "2019-2020.jsonl").read_text(encoding="utf-8").splitlines()
    pages = [split_host_and_path(json.loads(row)["url"]) for row in rows]
    papers = [page for page in pages if page[0] not in {"mp.weixin.qq.com", "github.com"}]
    assert sum(rules.papers.is_paper(*page) for page in papers) >= 0.98 * len(papers)
