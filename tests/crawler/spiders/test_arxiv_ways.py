"""arXiv that keeps coming: the API refuses for a day, and the papers of a query come by its other interfaces."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import start_crawl
from servers import Crawled, Seen, Site, crawl, http, newsroom, serving, source

MONDAY = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

QUERY = '(ti:quantization OR abs:"low-bit") AND (cat:cs.LG OR cat:cs.CV) ANDNOT abs:survey'


@dataclass(frozen=True)
class Paper:
    """A paper as arXiv has it.

    Args:
        submitted, announced: hours after `MONDAY`.
        is_wanted: whether the API would give it for `QUERY`.
    """

    name: str
    title: str
    abstract: str
    categories: str
    submitted: float
    announced: float
    is_wanted: bool
    replaced: bool = False


PAPERS = (
    Paper("2610.00001", "Quantization of Tiles", "We count tiles.", "cs.LG", -70, -30, is_wanted=True),
    Paper("2611.00002", "Ternary Kettles", "A low-bit kettle boils.", "cs.AR cs.CV", -12, 10, is_wanted=True),
    Paper("2611.00003", "Quantizations, plural", "We count in fours.", "cs.LG stat.ML", -11, 10, is_wanted=True),
    Paper("2611.00004", "Quantization of Rings", "Pure algebra.", "math.RA", -11, 10, is_wanted=False),
    Paper("2611.00005", "Quantization", "A survey of low-bit things.", "cs.LG", -10, 10, is_wanted=False),
    Paper("2611.00006", "Bits of a Low Sort", "A low bar, a bit late.", "cs.LG", -10, 10, is_wanted=False),
    Paper(
        "2001.00007", "Old Quantization", "Of 2020, with a new reference.", "cs.LG", -60_000, 10, False, replaced=True
    ),
)


@dataclass
class Arxiv:
    """arXiv on loopback: all three interfaces over the same papers.

    Args:
        refusing: interfaces that answer 429 without Retry-After, or the status given.
        clock: hours after `MONDAY`.
        open_at_once: the most requests that were open at one time.
    """

    refusing: dict[str, int] = field(default_factory=dict)
    clock: float = 0
    open_at_once: int = 0
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answers(self) -> dict[str, Any]:
        return {
            "/api/query": self._watched("api", self._api),
            "/oai": self._watched("oai", self._oai),
            **{f"/rss/{names}": self._watched("rss", self._rss) for names in ("cs.CV+cs.LG", "cs.LG")},
        }

    def _watched(self, interface: str, body: Any) -> Any:
        def answer(seen: Seen) -> Iterator[bytes]:
            with self._lock:
                self._open += 1
                self.open_at_once = max(self.open_at_once, self._open)
            status = self.refusing.get(interface)
            yield http(status, "Rate exceeded.") if status else http(200, body(seen))
            with self._lock:
                self._open -= 1

        return answer

    def _announced(self) -> list[Paper]:
        return [paper for paper in PAPERS if paper.announced <= self.clock]

    def _api(self, _: Seen) -> str:
        papers = [paper for paper in self._announced() if paper.is_wanted]
        entries = "".join(
            f"<entry><id>http://arxiv.org/abs/{paper.name}v1</id><title>{paper.title}</title>"
            f"<summary>{paper.abstract}</summary><published>{_iso(paper)}</published><updated>{_iso(paper)}</updated>"
            "<author><name>Ada Example</name></author>"
            + "".join(f'<category term="{category}"/>' for category in paper.categories.split())
            + "</entry>"
            for paper in papers
        )
        total = f"<o:totalResults>{len(papers)}</o:totalResults><o:startIndex>0</o:startIndex>"
        namespaces = 'xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/"'
        return f"<feed {namespaces}>{total}{entries}</feed>"

    def _oai(self, seen: Seen) -> str:
        """Two slices: the second has the last two records."""
        first = (
            datetime.fromisoformat(seen.path.partition("from=")[2][:10] + "T00:00Z") if "from=" in seen.path else None
        )
        papers = [paper for paper in self._announced() if first is None or _after(paper.announced) >= first]
        is_second = "resumptionToken" in seen.path
        token = "" if is_second or len(papers) < 3 else "<resumptionToken>next</resumptionToken>"
        papers = papers[-2:] if is_second else papers[:-2] if token else papers
        if not papers:
            return _oai_answer('<error code="noRecordsMatch"/>')
        records = "".join(
            f"<record><header><identifier>oai:arXiv.org:{paper.name}</identifier></header><metadata>"
            f'<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><version version="v1"><date>'
            f"{_after(paper.submitted):%a, %d %b %Y %H:%M:%S} GMT</date></version><title>{paper.title}</title>"
            f"<authors>Ada Example (Uni)</authors><categories>{paper.categories}</categories>"
            f"<abstract>{paper.abstract}</abstract></arXivRaw></metadata></record>"
            for paper in papers
        )
        return _oai_answer(f"<ListRecords>{records}{token}</ListRecords>")

    def _rss(self, _: Seen) -> str:
        items = "".join(
            f"<item><title>{paper.title}</title><guid>oai:arXiv.org:{paper.name}v1</guid>"
            f"<description>arXiv:{paper.name}v1 Announce Type: x \nAbstract: {paper.abstract}</description>"
            + "".join(f"<category>{category}</category>" for category in paper.categories.split())
            + f"<arxiv:announce_type>{'replace' if paper.replaced else 'new'}</arxiv:announce_type></item>"
            for paper in self._announced()
            if self.clock - paper.announced < 24
        )
        return f'<rss xmlns:arxiv="http://arxiv.org/schemas/atom" version="2.0"><channel>{items}</channel></rss>'


def _after(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def _iso(paper: Paper) -> str:
    return f"{_after(paper.submitted):%Y-%m-%dT%H:%M:%SZ}"


def _oai_answer(content: str) -> str:
    return f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">{content}</OAI-PMH>'


@contextmanager
def arxiv(folder: Path, host: str, *identifiers: str) -> Iterator[tuple[Arxiv, Site, Path]]:
    server = Arxiv()
    with serving(server.answers(), host) as site:
        rows = (source(name, "arxiv", query=QUERY, base_url=site.base) for name in identifiers or ("a",))
        yield server, site, newsroom(folder, "".join(rows), site.place)


def run_for_a_day(
    server: Arxiv, home: Path, refusing: dict[str, int], hours: tuple[int, ...]
) -> tuple[dict[str, tuple[str, str]], list[Crawled]]:
    """Runs at these hours, of which the first is answered; the papers that they gave, by name."""
    papers, runs, state = {}, [], None
    for hour in hours:
        server.clock, server.refusing = hour, refusing if hour else {}
        crawled = crawl(home, {"a": state} if state else None, now=_after(hour))
        state = crawled.state("a") or state
        runs.append(crawled)
        papers |= {item["ids"][0]: (item["title"], item.get("published", "")) for item in crawled.items("a")}
    return papers, runs


WANTED = {f"arxiv:{paper.name}" for paper in PAPERS if paper.is_wanted}


@pytest.mark.slow
def test_after_a_day_of_429_a_query_has_the_papers_that_the_api_would_have_given(tmp_path: Path) -> None:
    with arxiv(tmp_path / "well", "127.0.7.1") as (server, _, home):
        healthy, _ = run_for_a_day(server, home, {}, (0, 24))
    with arxiv(tmp_path / "sick", "127.0.7.2") as (server, site, home):
        by_harvest, runs = run_for_a_day(server, home, {"api": 429}, (0, 12, 24))
        assert server.open_at_once == 1
    assert healthy.keys() == WANTED
    assert by_harvest == healthy
    assert [run.errors("a") for run in runs] == [[], ["Warning"], ["Warning"]]
    assert all("came-by: way (way/arxiv-oai)" in run.problems("a")[0]["detail"] for run in runs[1:])
    assert not any("/rss" in path for path in site.paths())


def test_where_oai_pmh_fails_too_the_daily_feed_gives_the_days_papers(tmp_path: Path) -> None:
    with arxiv(tmp_path, "127.0.7.3") as (server, _, home):
        papers, (run,) = run_for_a_day(server, home, {"api": 429, "oai": 500}, (12,))
    assert papers.keys() == {"arxiv:2611.00002", "arxiv:2611.00003"}
    assert "way/arxiv-rss" in run.problems("a")[0]["detail"]
    state = run.state("a")
    assert state is not None
    assert "until" not in state["cursor"], "a day's feed does not reach back, so the next run must"


def test_a_failure_of_all_ways_is_the_apis_own_and_a_query_that_it_refuses_is_asked_for_nowhere_else(
    tmp_path: Path,
) -> None:
    refusal = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/api/errors#x</id>'
        "<title>Error</title><summary>malformed</summary></entry></feed>"
    )
    closed = Arxiv(refusing={"api": 429, "oai": 500, "rss": 500})
    with (
        serving(closed.answers(), "127.0.7.4") as dead,
        serving({"/api/query": http(400, refusal)}, "127.0.7.5") as site,
    ):
        rows = [
            source(name, "arxiv", query=QUERY, base_url=one.base) for name, one in (("dead", dead), ("wrong", site))
        ]
        crawled = crawl(newsroom(tmp_path, "".join(rows), dead.place, site.place), now=MONDAY)
        assert {path.partition("?")[0] for path in site.paths()} == {"/robots.txt", "/api/query"}
    assert crawled.errors("dead") == ["RateLimited", "Warning"]
    assert crawled.state("dead") is None
    assert crawled.errors("wrong") == ["SourceMisconfigured"]


def test_queries_of_one_archive_share_one_harvest(tmp_path: Path) -> None:
    names = [f"q{number}" for number in range(4)]
    with arxiv(tmp_path, "127.0.7.6", *names) as (server, site, home):
        server.clock, server.refusing = 12, {"api": 500}
        crawled = crawl(home, now=_after(12))
        asked = [path for path in site.paths() if path.startswith("/oai")]
        assert len(asked) == len(set(asked)) == 2
    assert {len(crawled.items(name)) for name in names} == {3}
    assert all(crawled.state(name) for name in names)


@pytest.mark.slow
def test_the_table_of_a_crawl_says_by_which_way_papers_came(tmp_path: Path) -> None:
    with arxiv(tmp_path, "127.0.7.7") as (server, _, home):
        server.clock, server.refusing = (datetime.now(UTC) - MONDAY) / timedelta(hours=1), {"api": 429}
        table, log, code = start_crawl(home, "--no-group")
    assert code == 0, log
    assert "这次经由 arXiv 的 OAI-PMH" in table
    assert "arXiv 接口：arXiv 要求慢一点" in table
