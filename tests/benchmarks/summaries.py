"""Drafts of 摘要, measured on real articles.

    pip install sumy rapidfuzz
    python tests/benchmarks/summaries.py [-o DRAFTS.md] [--archive FOLDER] [CORPUS]

CORPUS is where JIANBAO_CORPUS points, and FOLDER where JIANBAO_ARCHIVE does, if they are not given. Drafts 50 articles
that have a text, and writes them to DRAFTS.md for a person to read. Prints what every draft owes and how many keep it:
its sentences stand in the article word for word, none is boilerplate, two to five of them, length within bounds. Then
ROUGE-L (over Han characters and Latin words) of the draft, of the first three sentences and of sumy's LexRank, and,
since F1 follows from how long a text is, of the first sentences and of LexRank's cut to the length of the draft,

- against the editor's own text, for items of the archive whose paper, repository, address or title the corpus has;
- against the page's own digest, for articles that have one that is neither a part of their text nor what the site says
  of itself on every page: the archive's articles are not in the corpus, so this is what there is. The draft is made
  without seeing the digest.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import mean, median
from typing import Final

from rapidfuzz.distance import LCSseq
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.summarizers.lex_rank import LexRankSummarizer

from crawler.errors import CrawlError
from crawler.home import Home, bundled
from crawler.items import RawItem, Reply
from crawler.pages import PAGES
from crawler.saved import read_saved
from crawler.sources.schema import Source
from pipelines.issue.entry import EntryView, read_entry
from pipelines.issue.escape import clean_line
from pipelines.issue.house_style import DEFAULT_STYLE, HouseStyle, learn_house_style
from pipelines.issue.house_style import LATE_ISSUES as LATE
from pipelines.issue.keys import find_entry_keys
from pipelines.issue.reading import read_issue
from pipelines.issue.sentences import choose_bounds, join_sentences, split_sentences
from pipelines.issue.summary import MOST_SENTENCES, summarise
from pipelines.model import Article, Candidate, Issue, StoredArticle, Story
from pipelines.newsletter import Newsletter, load_newsletter
from pipelines.normalise import normalise
from pipelines.rules import load_rules

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
SOURCE: Final = Source(id="benchmark", kind="wechat", name="Benchmark", url="https://feed.example/")
DRAFTED: Final = 50
LEAST_TEXT: Final = 400
LEAST_DIGEST: Final = 30
LANGUAGES: Final = ("zh", "en")
BOILERPLATE: Final = re.compile("点击上方|关注|扫码|来源")
"""Told here again on purpose: the floor does not ask the code that it holds."""


def main() -> None:
    """Read the corpus, draft, count, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=os.environ.get("JIANBAO_CORPUS"), metavar="CORPUS")
    parser.add_argument("--archive", type=Path, default=os.environ.get("JIANBAO_ARCHIVE"), metavar="FOLDER")
    parser.add_argument("-o", "--output", type=Path, metavar="DRAFTS.md")
    given = parser.parse_args()
    if given.corpus is None:
        parser.error("JIANBAO_CORPUS is unset: say where the corpus is")
    articles = list({one.url: one for one in read_corpus(Path(given.corpus))}.values())
    drafted = [(one, draft_of(one)) for one in chosen(articles)]
    if given.output:
        given.output.write_text("\n".join(map(_shown, drafted, range(1, 1 + len(drafted)))), encoding="utf-8")
    _say(f"{len(articles)} articles; {len(drafted)} of those with {LEAST_TEXT} characters of text drafted")
    for name, kept in floor(drafted).items():
        _say(f"  {name:44}{kept:>4} of {len(drafted)}")
    lengths = [len(text) for _, text in drafted if choose_bounds(text).most == 300]
    _say(f"  median length of the Chinese ones {median(lengths):.0f} characters")
    if given.archive:
        _measure_house_style(articles, Path(given.archive))
        _compare("the editor's text of the archive", of_archive(articles, Path(given.archive)))
    _compare("the page's digest", of_digests(articles))


def read_corpus(corpus: Path) -> Iterator[Article]:
    """Every article in it."""
    rules = load_rules(Home(bundled()))
    for path in sorted(one for one in corpus.rglob("*") if one.is_file() and "dupes" not in one.parts):
        for item in _items(path, path.relative_to(corpus).parts[0]):
            with suppress(Exception):
                yield normalise(item, SOURCE, rules)


def _items(path: Path, folder: str) -> Sequence[RawItem]:
    pages = {"feeds": ("feed",), "arxiv": ("arxiv.api", "arxiv.rss"), "github": ("github.search", "github.releases")}
    for page in pages.get(folder, ()):
        with suppress(CrawlError):
            return PAGES[page](Reply(f"https://feed.example/{path.name}", 200, {}, path.read_bytes(), NOW)).items
    if path.suffix in (".html", ".htm", ".jsonl"):
        with suppress(CrawlError):
            return read_saved(path).items
    return ()


def chosen(articles: Sequence[Article]) -> list[Article]:
    """Fifty with a text, in Chinese and English by turns: pages of WeChat and Zhihu first, the others by a
    chance that is the same each time."""
    fit = [one for one in articles if len(one.text) >= LEAST_TEXT and one.language in LANGUAGES]
    fit.sort(key=lambda one: (not re.search("weixin|zhihu", one.url), sha256(one.url.encode()).digest()))
    halves = [[one for one in fit if one.language == language] for language in LANGUAGES]
    return [one for pair in zip(*halves, strict=False) for one in pair][:DRAFTED]


def draft_of(article: Article, style: HouseStyle = DEFAULT_STYLE) -> str:
    """The summary that an entry of it begins with."""
    stored = StoredArticle(1, article, (article.url,), (article.source,), NOW)
    return summarise(Candidate(Story(1, (1,), 1), (stored,), "", {}, (), 0.0, ()), article.title, style).text


def floor(drafted: Sequence[tuple[Article, str]]) -> dict[str, int]:
    """How many drafts keep each promise."""
    parts = [
        (article, text, [one for group in split_sentences(text) for each in group for one in re.split("；|; ", each)])
        for article, text in drafted
    ]
    return {
        "has a draft": sum(bool(text) for _, text, _ in parts),
        "every sentence stands in the article": sum(
            all(one in f"{clean_line(article.text)} {clean_line(article.summary)}" for one in said)
            for article, _, said in parts
        ),
        "no boilerplate": sum(not BOILERPLATE.search(text) for _, text, _ in parts),
        "two to five sentences": sum(2 <= len(said) <= MOST_SENTENCES for *_, said in parts),
        "length within bounds": sum(20 <= len(text) <= choose_bounds(text).most for _, text, _ in parts),
    }


# ---- Drafts in the style of the archive, each issue held out in turn

WHOLE: Final = re.compile(r"[A-Z0-9\u3400-\u9fff「“《『【\"].*[。！？!?.…；;][”’」』）)\]\"']*$", re.DOTALL)
CONTINUED: Final = re.compile(
    "但|而|所以|因此|此外|另外|同时|其次|最后|比如|例如|其中|并且|于是|接着|这|那|它|他|她|其"
)
LONG_TEXT: Final = 1500


def _measure_house_style(articles: Sequence[Article], archive: Path) -> None:
    """Print lengths and lists of the drafts beside the printed ones, and how many drafts begin and end as sentences do.

    The style of the drafts for an issue is learned from the other issues.
    """
    newsletter = load_newsletter(Home(bundled()).newsletter)
    issues = [
        read_issue(path.read_bytes(), name=path.name, newsletter=newsletter) for path in sorted(archive.glob("*.md"))
    ]
    long = [one for one in articles if len(one.text) >= LONG_TEXT and one.language == "zh"]
    _say(f"\nHeld-out issues: drafts of {len(long)} Chinese articles with {LONG_TEXT} characters of text")
    columns = f"{'printed':>9}{'drafted':>9}{'whole':>7}{'paragraphs':>12}{'lists':>7}{'drafted':>9}"
    _say(f"  {'issue':12}{columns}")
    for number, issue in enumerate(issues[-LATE:], len(issues) - LATE):
        others = [*issues[max(0, number - LATE) : number], *issues[number + 1 :]]
        style = learn_house_style(others, newsletter)
        drafts = [draft_of(one, style) for one in long]
        printed = [sum(map(len, view.summary)) for view in _views(issue, newsletter) if view.summary]
        lengths = median(len(draft.replace("\n", "")) for draft in drafts)
        whole = mean(all(map(WHOLE.match, _sentences_of(draft))) and not CONTINUED.match(draft) for draft in drafts)
        listed = mean(bool(PRINTED_POINTS.search(text)) for text in _summaries_of(issue, newsletter))
        drafted = mean("\n1. " in draft for draft in drafts)
        paragraphs = mean(1 + draft.count("\n") for draft in drafts)
        _say(
            f"  {issue.date!s:12}{median(printed):9.0f}{lengths:9.0f}{whole:7.0%}{paragraphs:12.1f}"
            f"{listed:7.0%}{drafted:9.0%}"
        )


PRINTED_POINTS: Final = re.compile(r"^ +(?:\d{1,2}\.|-) .*\n(?:.*\n)*? +(?:\d{1,2}\.|-) ", re.MULTILINE)


def _sentences_of(draft: str) -> list[str]:
    """The paragraphs of a draft, without the list at its end and the words that lead it."""
    head, _, points = draft.partition("\n1. ")
    return (head.split("\n")[:-1] if points else head.split("\n")) or [head]


def _summaries_of(issue: Issue, newsletter: Newsletter) -> list[str]:
    """The Markdown of the entries that have a summary."""
    entries = [entry for section in issue.main_sections for entry in section.entries]
    return [entry.markdown for entry in entries if read_entry(entry.markdown, newsletter).summary]


def _views(issue: Issue, newsletter: Newsletter) -> Iterator[EntryView]:
    for section in issue.main_sections:
        for entry in section.entries:
            yield read_entry(entry.markdown, newsletter)


# ---- What a draft is compared with


@dataclass(frozen=True)
class Pair:
    """An article and what somebody wrote in its place; the style is learned from the other issues."""

    article: Article
    reference: str
    style: HouseStyle = DEFAULT_STYLE


def of_archive(articles: Sequence[Article], archive: Path) -> list[Pair]:
    """The archive's items whose article is at hand, with a text or digest of its own."""
    newsletter, rules = load_newsletter(Home(bundled()).newsletter), load_rules(Home(bundled()))
    by_key = {key: one for one in articles for key in one.keys}
    by_title = {name: one for one in articles if len(name := _letters(one.title)) >= 10}
    found, items = [], 0
    issues = [
        read_issue(path.read_bytes(), name=path.name, newsletter=newsletter) for path in sorted(archive.glob("*.md"))
    ]
    for number, issue in enumerate(issues):
        style = learn_house_style(
            [*issues[max(0, number - LATE) : number], *issues[number + 1 : number + 3]], newsletter
        )
        for entry in (entry for section in issue.sections for entry in section.entries):
            items += 1
            view = read_entry(entry.markdown, newsletter)
            article = _of_entry(find_entry_keys(entry, newsletter, rules), by_key) or by_title.get(_letters(view.title))
            if article and (article.text or article.summary) and (reference := " ".join(view.summary)):
                found.append(Pair(article, reference, style))
    full = sum(len(one.article.text) >= LEAST_TEXT for one in found)
    _say(f"\nThe archive's {items} items: {len(found)} have a text or digest in the corpus, {full} a full text")
    return found


def _of_entry(keys: Sequence[str], by_key: Mapping[str, Article]) -> Article | None:
    return next((by_key[key] for key in keys if key in by_key), None)


def of_digests(articles: Sequence[Article]) -> list[Pair]:
    """Articles with a digest that is not their own text again, nor their site's slogan."""
    said = Counter(_slogan(one.summary) for one in articles)
    return [
        Pair(replace(one, summary=""), one.summary)
        for one in articles
        if len(one.text) >= LEAST_TEXT
        and one.language in LANGUAGES
        and len(one.summary) >= LEAST_DIGEST
        and said[_slogan(one.summary)] == 1
        and _letters(one.summary)[:20] not in _letters(one.text)
    ]


def _slogan(text: str) -> str:
    """A digest without its numbers, which change from page to page."""
    return re.sub(r"\d", "", _letters(text))


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _compare(name: str, pairs: Sequence[Pair]) -> None:
    _say(f"ROUGE-L against {name}: {len(pairs)} articles")
    if not pairs:
        return
    _say(f"  {'':22}{'F1':>6}{'recall':>8}")
    for system, write in SYSTEMS.items():
        scores = [rouge_l(write(pair), pair.reference) for pair in pairs]
        _say(f"  {system:22}{mean(f1 for f1, _ in scores):6.3f}{mean(recall for _, recall in scores):8.3f}")


def rouge_l(said: str, reference: str) -> tuple[float, float]:
    """F1 and recall of the longest common subsequence."""
    mine, theirs = _tokens(said), _tokens(reference)
    common = LCSseq.similarity(mine, theirs)
    return (2 * common / (len(mine) + len(theirs)), common / len(theirs)) if common else (0.0, 0.0)


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+|[\u3400-\u9fff]", text.casefold())


def lead(article: Article) -> str:
    """The first three sentences, as they come."""
    return join_sentences(_all_sentences(article)[:3])


def lex_rank(article: Article) -> str:
    """sumy's choice of three, over Han characters and Latin words."""
    return join_sentences(_ranked(article, 3))


def _ranked(article: Article, count: int) -> list[str]:
    document = ObjectDocumentModel([Paragraph([Sentence(one, _Tokenizer) for one in _all_sentences(article)[:200]])])
    return [str(one) for one in LexRankSummarizer()(document, count)]


SYSTEMS: Final[Mapping[str, Callable[[Pair], str]]] = {
    "draft, in the style": lambda pair: draft_of(pair.article, pair.style),
    "draft": lambda pair: draft_of(pair.article),
    "lead-3": lambda pair: lead(pair.article),
    "LexRank": lambda pair: lex_rank(pair.article),
    "lead, as long": lambda pair: " ".join(_all_sentences(pair.article)[:30])[
        : len(draft_of(pair.article, pair.style))
    ],
    "LexRank, as long": lambda pair: " ".join(_ranked(pair.article, 30))[: len(draft_of(pair.article, pair.style))],
}


class _Tokenizer:
    @staticmethod
    def to_words(text: str) -> tuple[str, ...]:
        """As ROUGE counts them."""
        return tuple(_tokens(text))


def _all_sentences(article: Article) -> list[str]:
    return [one for group in split_sentences(article.text or article.summary) for one in group]


def _shown(drafted: tuple[Article, str], number: int) -> str:
    article, text = drafted
    return f"{number}. {article.title}\n   {article.url}\n\n   {text}\n"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
