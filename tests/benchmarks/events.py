"""What joining by event finds: on labelled days that the model did not learn from, item by item.

    python tests/benchmarks/events.py [EVENTS_FOLDER] [--background POOL.jsonl FEEDS_FOLDER] [--learn | --details]

Without arguments it takes all of it from the folder of JIANBAO_CORPUS, and prints the figures of its `dupes` too: which
pairs of articles the whole grouping puts in one story. The background tells how rare a term is: files in the `add`
format, and folders of mirrors' feeds. Its newest posts should be little older than the labelled days, since what
everybody writes about this year is rare in older posts.

EVENTS_FOLDER holds `DAY.jsonl` (items as `add` takes them) and `DAY.events.json` (`events`: groups of addresses;
`doubtful_pairs`: counted nowhere). Each window is judged by a model that learned from the others alone, thresholds
included. Recall: of the articles that have company, the mean share of their company that was found. Precision: of the
articles that were given company, the mean share of it that is right.

--learn writes pipelines/deduplicate/event_model.json, learned from all windows.
--details lists each wrong join and what is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from stories import FILES, pairs_of, rows
from stories import Newsroom as PairRoom

from crawler.characters import keep_letters
from crawler.home import Home, bundled
from crawler.items import Reply
from crawler.pages import PAGES
from crawler.saved import read_saved
from pipelines.deduplicate import event_model
from pipelines.deduplicate.bands import Pair
from pipelines.deduplicate.clusters import make_clusters
from pipelines.deduplicate.event_groups import OFFERING, EventMember, combine_probabilities, join_events
from pipelines.deduplicate.event_model import EventModel, Rarity, count_terms, load_event_model
from pipelines.deduplicate.event_profiles import EventProfile, Term, read_event_profile, read_event_terms
from pipelines.deduplicate.event_tuning import MOST_A_DAY
from pipelines.deduplicate.events import (
    EventKey,
    EventLink,
    find_event_links,
    find_event_pairs,
    find_features,
    make_event_keys,
)
from pipelines.deduplicate.stories import find_event_links_among, find_evidence, make_stories
from pipelines.model import Article, StoredArticle
from pipelines.newsroom.crawling.crawls import ADDED
from pipelines.newsroom.stages.arrivals import read
from pipelines.rules import Rules, load_rules
from pipelines.text import fold, make_account_key

STRENGTH: Final = 0.1
"""Inverse of the strength of regularisation."""

BACKGROUND: Final = ("pool/2019-2020.jsonl", "feeds/wechat-scholar-2026")
"""Paths in a corpus."""

POST: Final = "mp.weixin.qq.com"
"""In the addresses of the background that are counted: posts, not papers and repositories."""

SHORT: Final = 12
"""Letters of a title under which it is short."""

JOINS: Final = (0.35, 0.4, 0.43, 0.45, 0.48, 0.5, 0.6)
"""Thresholds that are tried; the model ships with the one in `fit`."""


@dataclass(frozen=True)
class Window:
    """Some labelled days.

    Args:
        articles: by number.
        profiles: of the articles that have one.
        terms: of every article.
        clusters: numbers of articles that other evidence joins.
        companions: of each article, those on the same event; no doubtful ones.
        doubtful: pairs of numbers.
    """

    name: str
    articles: Mapping[int, Article]
    profiles: Mapping[int, EventProfile]
    terms: Sequence[Collection[Term]]
    clusters: Sequence[Sequence[int]]
    companions: Mapping[int, Collection[int]]
    doubtful: Collection[Pair]


@dataclass(frozen=True)
class Examples:
    """Pairs of a window that share a key.

    Args:
        pairs: of numbers.
        features: a row a pair.
        same: whether a pair is one event.
        weights: of each pair in training; 0 for a doubtful one.
    """

    pairs: Sequence[Pair]
    features: NDArray[np.float64]
    same: NDArray[np.bool_]
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Precision and recall by item, and cards by article."""

    precision: float
    recall: float
    cards: float


NAMES: list[str] = []


def main() -> None:
    """Read, learn, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus = Path(os.environ.get("JIANBAO_CORPUS", "corpus"))
    parser.add_argument("folder", type=Path, nargs="?", default=corpus / "events")
    parser.add_argument("--background", type=Path, nargs="+", default=[corpus / path for path in BACKGROUND])
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--details", action="store_true")
    given = parser.parse_args()
    rules = load_rules(Home(bundled()))
    background = [
        read_event_terms(article, rules.events)
        for path in given.background
        for article in (_read_feeds(path, rules) if path.is_dir() else _read(path, rules))
        if POST in article.url
    ]
    windows = [
        read_window(path.with_suffix("").with_suffix(".jsonl"), path, rules)
        for path in sorted(given.folder.glob("*.events.json"))
    ]
    judge(windows, background, details=given.details)
    if (corpus / "dupes").is_dir():
        judge_pairs(corpus, rules)
    if given.learn:
        model = learn(windows, background)
        path = Path(event_model.__file__).with_suffix(".json")
        path.write_text(model.to_json(), encoding="utf-8")
        _say(f"wrote {path}: join {model.join}, suggest {model.suggest}")


def read_window(items: Path, labels: Path, rules: Rules) -> Window:
    """Read labelled days."""
    articles = dict(enumerate(_read(items, rules)))
    numbers = {address: number for number, article in articles.items() for address in (article.url, article.seen_url)}
    table = json.loads(labels.read_text(encoding="utf-8"))
    doubtful = {_pair(numbers[one], numbers[other]) for one, other, *_ in table["doubtful_pairs"]}
    companions: dict[int, set[int]] = defaultdict(set)
    for event in table["events"]:
        for pair in combinations(sorted({numbers[address] for address in event}), 2):
            if pair not in doubtful:
                companions[pair[0]].add(pair[1])
                companions[pair[1]].add(pair[0])
    stored = [
        StoredArticle(number, article, (article.url,), (article.source,), article.fetched_at)
        for number, article in articles.items()
    ]
    counts = Counter(key for article in articles.values() for key in {each.key for each in article.references})
    clusters = [cluster.members for cluster in make_clusters(stored, find_evidence(stored, counts, rules.zone))]
    profiles = {
        number: profile
        for number, article in articles.items()
        if (profile := read_event_profile(article, rules.events))
    }
    terms = [read_event_terms(article, rules.events) for article in articles.values()]
    return Window(labels.name.partition(".")[0], articles, profiles, terms, clusters, companions, doubtful)


def _read(path: Path, rules: Rules) -> Iterable[Article]:
    seen = {}
    for item in read_saved(path).items:
        article = read(item, ADDED, rules)
        seen[article.url] = article
    return seen.values()


def _read_feeds(folder: Path, rules: Rules) -> Iterable[Article]:
    articles = {}
    for path in sorted(folder.rglob("*.*")):
        reply = Reply(path.resolve().as_uri(), 200, {}, path.read_bytes(), datetime.now(UTC))
        for item in PAGES["wechat.feed"](reply).items:
            article = read(item, ADDED, rules)
            articles[article.url] = article
    return articles.values()


# ---- Learning


def count_background(windows: Iterable[Window], background: Sequence[Collection[Term]]) -> Rarity:
    """The rarity of terms in the background and the windows.

    In a window a term counts at most `MOST_A_DAY` times a day: the name of an event is in twenty reports of one day,
    and stays a name.
    """
    counted = list(background)
    for window in windows:
        used: Counter[tuple[int, Term]] = Counter()
        for article, terms in zip(window.articles.values(), window.terms, strict=True):
            day = article.published.at.toordinal()
            counted.append([term for term in terms if used[day, term] < MOST_A_DAY])
            used.update((day, term) for term in terms)
    return count_terms(counted)


def make_examples(window: Window, rarity: Rarity) -> Examples:
    """The pairs of a window with their features."""
    pairs, rows = [], []
    for low, high in sorted(find_event_pairs(_keys(window, rarity))):
        features = find_features(window.profiles[low], window.profiles[high], rarity)
        if features is not None:
            NAMES[:] = features
            pairs.append((low, high))
            rows.append(list(features.values()))
    same = [high in window.companions.get(low, ()) for low, high in pairs]
    company = Counter(number for pair, is_same in zip(pairs, same, strict=True) if is_same for number in pair)
    weights = [
        0.0 if pair in window.doubtful else sum(1 / company[number] for number in pair) if is_same else 1.0
        for pair, is_same in zip(pairs, same, strict=True)
    ]
    return Examples(pairs, np.array(rows), np.array(same), np.array(weights))


def fit(examples: Sequence[Examples], rarity: Rarity, join: float = 0.45, suggest: float = 0.15) -> EventModel:
    """Fit weights to pairs."""
    rows = np.vstack([each.features for each in examples])
    scaler = StandardScaler().fit(rows)
    regression = LogisticRegression(C=STRENGTH, max_iter=5000)
    regression.fit(
        scaler.transform(rows),
        np.concatenate([each.same for each in examples]),
        sample_weight=np.concatenate([each.weights for each in examples]),
    )
    weights = regression.coef_[0] / scaler.scale_
    intercept = float(regression.intercept_[0] - weights @ scaler.mean_)
    return EventModel(intercept, dict(zip(NAMES, map(float, weights), strict=True)), rarity, join, suggest)


def _keys(window: Window, rarity: Rarity) -> list[EventKey]:
    return [
        EventKey(key, window.articles[number].published.at.toordinal(), number)
        for number, profile in window.profiles.items()
        for key in make_event_keys(profile, rarity)
    ]


def learn(windows: Sequence[Window], background: Sequence[Collection[Term]]) -> EventModel:
    """Learn from all windows; terms of a window are not counted for its own pairs."""
    examples = [
        make_examples(window, count_background([other for other in windows if other is not window], background))
        for window in windows
    ]
    return fit(examples, count_background(windows, background))


# ---- Judging


def group_window(window: Window, model: EventModel) -> tuple[list[set[int]], Sequence[EventLink]]:
    """The events of a window, and the links between its articles."""
    links = find_event_links(window.profiles, find_event_pairs(_keys(window, model.rarity)), model)
    clusters = window.clusters
    members = {
        number: EventMember(
            window.articles[number].published.at.toordinal(),
            (profile.hours, window.articles[number].url),
            profile.account,
        )
        for number, profile in window.profiles.items()
    }
    events = join_events(clusters, members, links, model.join)
    joined = {index for event in events for index in event.clusters}
    groups = [{number for index in event.clusters for number in clusters[index]} for event in events]
    groups += [set(cluster) for index, cluster in enumerate(clusters) if index not in joined and len(cluster) > 1]
    return groups, links


def measure(window: Window, groups: Iterable[Collection[int]]) -> Figures:
    """Precision and recall of groups."""
    given: dict[int, set[int]] = defaultdict(set)
    groups = list(groups)
    for group in groups:
        for number in group:
            given[number] |= set(group) - {number}
    shares = [len(right & given[number]) / len(right) for number, right in window.companions.items() if right]
    rights = []
    for number, company in given.items():
        sure = {other for other in company if _pair(number, other) not in window.doubtful}
        if sure:
            rights.append(len(sure & set(window.companions.get(number, ()))) / len(sure))
    cards = (len(window.articles) - sum(len(group) - 1 for group in groups)) / len(window.articles)
    return Figures(fmean(rights) if rights else 1.0, fmean(shares), cards)


def judge(windows: Sequence[Window], background: Sequence[Collection[Term]], *, details: bool) -> None:
    """Print the figures of each window by a model of the others, at several thresholds, and of suggestions."""
    models = {}
    for window in windows:
        others = [other for other in windows if other is not window]
        examples = [
            make_examples(other, count_background([third for third in others if third is not other], background))
            for other in others
        ]
        models[window.name] = fit(examples, count_background(others, background))
    for join in JOINS:
        found = [
            measure(window, group_window(window, replace(models[window.name], join=join))[0]) for window in windows
        ]
        means = [fmean(column) for column in zip(*((f.precision, f.recall, f.cards) for f in found), strict=True)]
        _say("join {:.2f}: precision {:.3f} recall {:.3f} cards {:.3f}   ".format(join, *means) + _list(found))
    offers = [measure_offers(window, models[window.name]) for window in windows]
    recall, precision, number = (fmean(column) for column in zip(*offers, strict=True))
    _say(f"with suggestions: recall {recall:.3f}, precision of suggestions {precision:.3f}, {number:.0f} a window")
    list_equal_titles(windows, models)
    if details:
        for window in windows:
            list_details(window, group_window(window, models[window.name])[0])


def measure_offers(window: Window, model: EventModel) -> tuple[float, float, int]:
    """Recall of what was joined or suggested, mean share of a suggestion that is right, number of suggestions."""
    groups, links = group_window(window, model)
    groups += [{number} for number in window.articles.keys() - set().union(*groups)]
    group_of = {number: index for index, group in enumerate(groups) for number in group}
    between: dict[Pair, list[float]] = defaultdict(list)
    for link in links:
        low, high = sorted(group_of[number] for number in link.articles)
        if low != high:
            between[low, high].append(link.probability)
    company: dict[int, set[int]] = defaultdict(set)
    shares = []
    for (low, high), probabilities in between.items():
        pairs = [_pair(one, other) for one in groups[low] for other in groups[high]]
        accounts = {
            window.profiles[number].account for number in groups[low] | groups[high] if number in window.profiles
        }
        is_possible = len(accounts) > 1 and all(probabilities)
        if not is_possible or combine_probabilities(probabilities, len(pairs), OFFERING) < model.suggest:
            continue
        for one, other in pairs:
            company[one].add(other)
            company[other].add(one)
        sure = [pair for pair in pairs if pair not in window.doubtful]
        if sure:
            shares.append(fmean(high in window.companions.get(low, ()) for low, high in sure))
    recall = fmean(
        len(set(right) & (company[number] | groups[group_of[number]])) / len(right)
        for number, right in window.companions.items()
        if right
    )
    return recall, fmean(shares) if shares else 1.0, len(shares)


def judge_pairs(corpus: Path, rules: Rules) -> None:
    """Print the share of the pairs of each file of `dupes` that are in one story, by evidence and by event."""
    model = load_event_model()
    for name, read_group in FILES.items():
        room = PairRoom(rules)
        groups = [read_group(room, row) for row in rows(corpus, name)]
        counts = Counter(key for each in room.articles for key in {ref.key for ref in each.article.references})
        evidence = find_evidence(room.articles, counts, rules.zone)
        links = find_event_links_among(room.articles, rules.events, model, rules.zone)
        stories = make_stories(room.articles, evidence, {}, (), links)
        story_of = {member: number for number, story in enumerate(stories) for member in story.members}
        pairs = list(pairs_of(groups))
        joined = sum(story_of[one] == story_of[other] for one, other in pairs)
        _say(f"{name}: {joined} of {len(pairs)} pairs in one story, {joined / len(pairs):.4f}")


def list_equal_titles(windows: Iterable[Window], models: Mapping[str, EventModel]) -> None:
    """Print how many groups of equal titles of different accounts, within a window, are one story each."""
    lengths, joined = [], 0
    for window in windows:
        by_letters: dict[str, list[int]] = defaultdict(list)
        for number, article in window.articles.items():
            by_letters[keep_letters(fold(article.title))].append(number)
        groups, _ = group_window(window, models[window.name])
        for letters, numbers in by_letters.items():
            if letters and len({make_account_key(window.articles[number]) for number in numbers}) > 1:
                lengths.append(len(letters))
                joined += any(group.issuperset(numbers) for group in groups)
    short = sum(length < SHORT for length in lengths)
    _say(f"equal titles of different accounts: {joined} of {len(lengths)} groups joined, {short} of short titles")


def list_details(window: Window, groups: Iterable[Collection[int]]) -> None:
    """Print each wrong join, and the twenty articles that miss most company."""
    groups = list(groups)
    _say(f"\n{window.name}: wrong joins")
    for group in groups:
        if any(other not in window.companions.get(one, ()) for one, other in combinations(sorted(group), 2)):
            _say("  - " + "\n    ".join(window.articles[number].title for number in sorted(group)))
    given = {number: set(group) for group in groups for number in group}
    missed = {number: set(right) - given.get(number, set()) for number, right in window.companions.items()}
    _say(f"{window.name}: missed")
    for number in sorted(missed, key=lambda number: -len(missed[number]))[:20]:
        if missed[number]:
            titles = [window.articles[other].title for other in sorted(missed[number])[:2]]
            _say(f"  - {window.articles[number].title}\n    without {len(missed[number])}: {' / '.join(titles)}")


def _list(found: Iterable[Figures]) -> str:
    return "  ".join(f"{figures.precision:.2f}/{figures.recall:.2f}" for figures in found)


def _pair(one: int, other: int) -> Pair:
    return min(one, other), max(one, other)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
