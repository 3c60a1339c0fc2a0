"""What joining by event finds: on labelled days that the model did not learn from, item by item.

    python tests/benchmarks/events.py EVENTS_FOLDER --background POOL.jsonl [--learn | --details]

The folder holds `DAY.jsonl` (items as `add` takes them) and `DAY.events.json` (`events`: groups of addresses;
`doubtful_pairs`: counted nowhere). Each window is judged by a model that learned from the others alone, thresholds
included. Recall: of the articles that have company, the mean share of their company that was found. Precision: of the
articles that were given company, the mean share of it that is right.

--learn writes pipelines/deduplicate/event_model.json, learned from all windows.
--details lists each wrong join and what is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from crawler.kinds import POSTS
from crawler.home import Home, bundled
from crawler.saved import read_saved
from pipelines.newsroom.crawls import ADDED
from pipelines.deduplicate import event_model
from pipelines.deduplicate.bands import Pair
from pipelines.deduplicate.clusters import make_clusters
from pipelines.deduplicate.event_groups import EventMember, join_events
from pipelines.deduplicate.event_model import EventModel, Rarity, count_terms
from pipelines.deduplicate.event_profiles import EventProfile, Term, read_event_profile, read_event_terms
from pipelines.deduplicate.events import (
    EventKey,
    EventLink,
    find_event_links,
    find_event_pairs,
    find_features,
    make_event_keys,
)
from pipelines.deduplicate.stories import find_evidence
from pipelines.model import Article, StoredArticle
from pipelines.newsroom.run import read
from pipelines.rules import Rules, load_rules

STRENGTH: Final = 0.1
"""Inverse of the strength of regularisation."""

PRECISION: Final = 0.9
"""Precision of joining that the threshold is chosen for, on the windows that are learned from."""


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
    parser.add_argument("folder", type=Path)
    parser.add_argument("--background", type=Path, required=True)
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--details", action="store_true")
    given = parser.parse_args()
    rules = load_rules(Home(bundled()))
    background = [
        read_event_terms(article, rules.events) for article in _read(given.background, rules) if article.kind in POSTS
    ]
    windows = [
        read_window(path.with_suffix("").with_suffix(".jsonl"), path, rules)
        for path in sorted(given.folder.glob("*.events.json"))
    ]
    judge(windows, background, details=given.details)
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


# ---- Learning


def count_background(windows: Iterable[Window], background: Sequence[Collection[Term]]) -> Rarity:
    """The rarity of terms in the background and the windows."""
    return count_terms([*background, *(terms for window in windows for terms in window.terms)])


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


def fit(examples: Sequence[Examples], rarity: Rarity, join: float = 0.4, suggest: float = 0.12) -> EventModel:
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
            window.articles[number].published.at.toordinal(), (profile.hours, window.articles[number].url)
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
    shares = [
        len(right & given[number]) / len(right) for number, right in window.companions.items() if right
    ]
    rights = []
    for number, company in given.items():
        sure = {other for other in company if _pair(number, other) not in window.doubtful}
        if sure:
            rights.append(len(sure & set(window.companions.get(number, ()))) / len(sure))
    cards = (len(window.articles) - sum(len(group) - 1 for group in groups)) / len(window.articles)
    return Figures(fmean(rights) if rights else 1.0, fmean(shares), cards)


def judge(windows: Sequence[Window], background: Sequence[Collection[Term]], *, details: bool) -> None:
    """Print the figures of each window by a model of the others."""
    models = {}
    for window in windows:
        others = [other for other in windows if other is not window]
        examples = [
            make_examples(other, count_background([third for third in windows if third is not other], background))
            for other in others
        ]
        models[window.name] = fit(examples, count_background(others, background))
    for join in (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7):
        found = [measure(window, group_window(window, replace(models[window.name], join=join, suggest=0.02))[0]) for window in windows]
        _say(
            f"join {join:.2f}: precision {fmean(f.precision for f in found):.3f} recall {fmean(f.recall for f in found):.3f} "
            f"cards {fmean(f.cards for f in found):.3f}   " + "  ".join(f"{f.precision:.2f}/{f.recall:.2f}" for f in found)
        )


def _pair(one: int, other: int) -> Pair:
    return min(one, other), max(one, other)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
