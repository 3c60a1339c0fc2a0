"""Finds articles that report one event in words of their own: keys, features of a pair, links with a probability. Pure.

An event is one concrete happening within a few days: a release, a deal, a statement, an incident, and what comments on
it. Two articles are compared if they share a key, one of the rarest terms of both. A key that many articles of a day
have is no key on that day: OpenAI joins nothing, DSpark does.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum, auto
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from pipelines.deduplicate.bands import Pair, hash_text
from pipelines.deduplicate.contradictions import differ_in_details, find_contradiction, read_identifiers
from pipelines.deduplicate.event_model import EventModel, Rarity
from pipelines.deduplicate.event_profiles import (
    CHARACTERS,
    NAME,
    NUMBER,
    PAIR,
    VERSION,
    VERSIONED,
    WORD,
    EventProfile,
    Term,
    split_term,
)
from pipelines.model import Evidence, SentenceValue

WINDOW: Final = 4
"""Days between two articles on one event."""

CROWD: Final = 60
"""A key that more articles of one day have is no key on that day; this also keeps the cost flat."""

KEYS: Final = 24
"""Keys of an article: its rarest terms, those of the title and foreign words before others."""

RARE: Final = 3.5
"""Smallest rarity of a key: one article in thirty."""

RAREST: Final = 6.0
"""Rarity above which terms count alike when keys are chosen: an unseen pair of characters is seldom a name."""


class EventKey(NamedTuple):
    """A key of an article on a day, by which the store finds articles to compare.

    Args:
        key: signed 64-bit integer.
        day: ordinal of the day of publication.
        article: its id.
    """

    key: int
    day: int
    article: int


@dataclass(frozen=True, slots=True)
class EventLink:
    """Two articles that may report one event.

    Args:
        articles: the two ids, the smaller first.
        probability: that they report one event; 0 if their titles contradict each other, so that no event has both.
        terms: what they share, the rarest first, as a reader writes it.
        action: what happened, if both say the same.
        hours: between them.
    """

    articles: Pair
    probability: float
    terms: tuple[str, ...]
    action: str | None
    hours: int


def make_event_keys(profile: EventProfile, rarity: Rarity) -> frozenset[int]:
    """Keys of an article: hashes of its rarest terms, of the title before the text."""

    rarities = _make_vector(profile, rarity).rarity

    def rank(term: Term) -> tuple[float, Term]:
        weight = min(rarities[term], RAREST) * (2.0 if term in profile.in_title else 1.0)
        return -weight * (1.0 if term[0] == CHARACTERS else 1.5), term

    rare = sorted((term for term in rarities if rarities[term] >= RARE), key=rank)
    return frozenset(hash_text(f"event {VERSION} {kind} {text}") for kind, text in map(split_term, rare[:KEYS]))


def find_event_pairs(keys: Iterable[EventKey]) -> set[Pair]:
    """Find pairs of articles that share a key within `WINDOW` days, when no crowd has the key on either day.

    `pipelines.store.events` finds the same pairs in SQL.
    """
    by_key: dict[int, list[EventKey]] = defaultdict(list)
    for use in keys:
        by_key[use.key].append(use)
    pairs: set[Pair] = set()
    for uses in by_key.values():
        crowds = Counter(use.day for use in uses)
        few = sorted((use for use in uses if crowds[use.day] <= CROWD), key=lambda use: (use.day, use.article))
        for index, use in enumerate(few):
            for later in islice(few, index + 1, None):
                if later.day - use.day > WINDOW:
                    break
                pairs.add((min(use.article, later.article), max(use.article, later.article)))
    return pairs


def find_event_links(
    profiles: Mapping[int, EventProfile], pairs: Iterable[Pair], model: EventModel
) -> tuple[EventLink, ...]:
    """Judge pairs of articles.

    Args:
        profiles: by article id; a pair without both profiles is no link.
        pairs: of article ids.
        model: to judge by.

    Returns:
        Links by ascending pair, of at least half the probability `model.suggest`: they are combined. A pair of that
        probability whose titles contradict each other is a link of the probability 0.
    """
    vectors = {article_id: _make_vector(profile, model.rarity) for article_id, profile in profiles.items()}
    least, weights = _find_log_odds(model.suggest / 2) - _ROUNDING, _QuickWeights.from_model(model)
    links = []
    for low, high in sorted(pairs):
        if low not in vectors or high not in vectors:
            continue
        first, second = vectors[low], vectors[high]
        if find_highest_log_odds(first, second, weights) < least:
            continue
        features = _find_features(first, second)
        if features is None:
            continue
        probability = model.find_probability(features)
        if probability < model.suggest / 2:
            continue
        likeness = _compare_titles(first, second)
        if likeness is _Likeness.FORM:
            continue
        if likeness is _Likeness.CONTRADICTION:
            probability = 0.0
        actions = sorted(first.profile.actions_in_all & second.profile.actions_in_all)
        titled = sorted(first.profile.actions & second.profile.actions)
        hours = round(abs(first.profile.hours - second.profile.hours))
        action = next(iter((*titled, *actions)), None)
        links.append(EventLink((low, high), round(probability, 4), _name_terms(first, second), action, hours))
    return tuple(links)


def find_probability(first: EventProfile, second: EventProfile, model: EventModel) -> float:
    """The probability that two profiles report one event; 0 if they share nothing that could make it one."""
    if first.letters == second.letters:
        return 1.0
    features = find_features(first, second, model.rarity)
    return model.find_probability(features) if features else 0.0


def find_features(first: EventProfile, second: EventProfile, rarity: Rarity) -> Mapping[str, float] | None:
    """Find the features of a pair of articles, for training.

    Args:
        first, second: profiles, in any order.
        rarity: of terms.

    Returns:
        Numbers by the name of the feature; None if the pair shares nothing that could make it one event.
    """
    return _find_features(_Vector.of(first, rarity), _Vector.of(second, rarity))


# ---- Features

_LEAST_SHARED: Final = 5.0
"""Smallest sum of the rarity of the terms that a title shares with the other article."""

_NEAR: Final = 18.0
"""Hours after which nearness in time has fallen to a third."""

_MUCH: Final = 3.5
_SOME: Final = 2.5

_LEAST_OF_KIND: Final[Mapping[str, float]] = {
    NAME: 0.0, WORD: _SOME, PAIR: _SOME, VERSIONED: _SOME, NUMBER: _SOME, CHARACTERS: _MUCH,
}  # fmt: skip
"""Rarity above which a shared term counts, by the letter of its kind."""

_NAME_OF_KIND: Final[Mapping[str, str]] = {
    NAME: "names", WORD: "words", PAIR: "word pairs", VERSIONED: "versions", NUMBER: "numbers",
    CHARACTERS: "characters",
}  # fmt: skip
"""How features are named after kinds, by the letter."""

_NO_SUBJECT: Final = frozenset({PAIR, NAME})
"""Kinds that are no subject by themselves: a name of our tables is the subject of many events."""


@dataclass(frozen=True, slots=True)
class _Vector:
    """A profile with the rarity of its terms.

    Args:
        rarity: of each term of the title and the text.
        letters: of the title.
        length, title_length: of the vector of rarities.
    """

    profile: EventProfile
    letters: str
    rarity: Mapping[Term, float]
    length: float
    title_length: float

    @classmethod
    def of(cls, profile: EventProfile, rarity: Rarity) -> _Vector:
        rarities = rarity.of_all(profile.in_all)
        return cls(
            profile,
            profile.letters,
            rarities,
            math.sqrt(math.fsum(number * number for number in rarities.values())) or 1.0,
            math.sqrt(math.fsum(rarities[term] ** 2 for term in profile.in_title)) or 1.0,
        )


@lru_cache(maxsize=4096)
def _make_vector(profile: EventProfile, rarity: Rarity) -> _Vector:
    """Make a vector once for the articles of several batches; an article is compared on each day of its window."""
    return _Vector.of(profile, rarity)


_ROUNDING: Final = 0.01
"""Log-odds that sums in another order may differ by, and much more."""

_BOUNDED: Final = ("run of both titles", "run of one title", "foreign word of one title only", "other version")
"""Features that are slow to find and never below zero: with a negative weight they only lower the log-odds."""


class _QuickWeights(NamedTuple):
    """The weights of a model for `find_highest_log_odds`, each looked up once for many pairs.

    Args:
        intercept: log-odds of a pair without any feature.
        in_both, in_one: of the sum of the rarities above `_LEAST_OF_KIND`, by the kind of the terms.
        of: weight by the name of the feature; 0 for a feature that the model has not.
        letters: of the common letters, if it is above zero.
        is_bound: whether no slow feature can raise the log-odds.
    """

    intercept: float
    in_both: Mapping[str, float]
    in_one: Mapping[str, float]
    of: Mapping[str, float]
    letters: float
    is_bound: bool

    @classmethod
    def from_model(cls, model: EventModel) -> _QuickWeights:
        of = defaultdict(float, model.weights)
        return cls(
            model.intercept,
            {kind: of[f"{name} in both titles"] for kind, name in _NAME_OF_KIND.items()},
            {kind: of[f"{name} in one title"] for kind, name in _NAME_OF_KIND.items()},
            of,
            max(of["common letters"], 0.0),
            all(of[name] <= 0 for name in _BOUNDED),
        )


def find_highest_log_odds(first: _Vector, second: _Vector, weights: _QuickWeights) -> float:
    """The log-odds of a pair of articles, or more: what `_find_features` would find, without the slow features.

    Nearly all pairs that share a key are no event. A pair whose highest log-odds are too low need not be looked at. A
    feature that `_find_features` has and this function does not know must be added here.

    Returns:
        Minus infinity if the pair shares nothing that could make it one event.
    """
    a, b, rarity, of = first.profile, second.profile, first.rarity, weights.of
    shared = (a.in_title & b.in_all) | (b.in_title & a.in_all)
    if sum(map(rarity.__getitem__, shared)) < _LEAST_SHARED - _ROUNDING or first.letters == second.letters:
        return -math.inf
    titles = a.in_title & b.in_title
    one_title = shared - titles
    log_odds, names, characters = weights.intercept, 0.0, 0.0
    squares = first_squares = 0.0
    rarest = []
    for term in titles:
        number, kind = rarity[term], term[0]
        rarest.append(number)
        squares += number * number
        more = number - _LEAST_OF_KIND[kind]
        if more > 0:
            log_odds += weights.in_both[kind] * more
            if kind == NAME:
                names += more
            elif kind == CHARACTERS:
                characters += more
    title_squares = squares
    for term in one_title:
        number, kind = rarity[term], term[0]
        rarest.append(number)
        squares += number * number
        if term in a.in_title:
            first_squares += number * number
        more = number - _LEAST_OF_KIND[kind]
        if more > 0:
            log_odds += weights.in_one[kind] * more
    rarest.sort(reverse=True)
    three_rarest = sum(rarest[:3])
    hours = abs(a.hours - b.hours)
    near = math.exp(-hours / _NEAR)
    titled_actions, actions = len(a.actions & b.actions), len(a.actions_in_all & b.actions_in_all)
    subject = max((rarity[term] for term in a.in_head & b.in_head if term[0] not in _NO_SUBJECT), default=0.0)
    title_cosine = title_squares / (first.title_length * second.title_length)
    covered = min(
        (title_squares + first_squares) / first.title_length**2, (squares - first_squares) / second.title_length**2
    )
    shorter, longer = sorted((len(a.in_all), len(b.in_all)))
    log_odds += (
        of["cosine"] * squares / (first.length * second.length)
        + of["cosine of titles"] * title_cosine
        + of["title covered"] * covered
        + of["second rarest"] * (rarest[1] if len(rarest) > 1 else 0.0)
        + of["three rarest"] * three_rarest
        + of["rarest of a title"] * rarest[0]
        + of["actions in titles"] * titled_actions
        + of["actions"] * actions
        + of["other actions"] * bool(a.actions_in_all and b.actions_in_all and not actions)
        + of["days"] * min(hours, 96.0) / 24
        + of["hours"] * math.log1p(hours)
        + of["near"] * near
        + of["same account"] * (a.account == b.account)
        + of["shorter"] * math.log(shorter)
        + of["longer"] * math.log(longer)
        + of["studies"] * (a.study + b.study)
        + of["names and action"] * names * bool(titled_actions)
        + of["rarest and near"] * three_rarest * near
        + of["names and near"] * names * near
        + of["subject and near"] * subject * near
        + of["subject and action"] * subject * bool(titled_actions)
        + of["characters and near"] * characters * near
    )
    if title_cosine > 0.05 - _ROUNDING:
        log_odds += weights.letters
    return log_odds if weights.is_bound else math.inf


def _find_log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability)) if 0 < probability < 1 else -math.inf


def _find_features(first: _Vector, second: _Vector) -> Mapping[str, float] | None:
    a, b = first.profile, second.profile
    if first.letters == second.letters:
        return None  # equal titles are joined by their own rule, which knows columns
    shared = a.in_all & b.in_all & (a.in_title | b.in_title)  # what no title has may be a phrase of every article
    rarity = first.rarity
    if math.fsum(rarity[term] for term in shared) < _LEAST_SHARED:
        return None
    titles = a.in_title & b.in_title
    one_title = shared - titles
    squares = {term: rarity[term] ** 2 for term in shared}
    cosine = math.fsum(squares.values()) / (first.length * second.length)
    title_cosine = math.fsum(squares[term] for term in titles) / (first.title_length * second.title_length)
    covered = min(
        math.fsum(squares[term] for term in shared & a.in_title) / first.title_length**2,
        math.fsum(squares[term] for term in shared & b.in_title) / second.title_length**2,
    )
    rarest = sorted((rarity[term] for term in shared), reverse=True)
    hours = abs(a.hours - b.hours)
    near = math.exp(-hours / _NEAR)
    subject = max((rarity[term] for term in a.in_head & b.in_head if term[0] not in _NO_SUBJECT), default=0.0)
    titled, once_titled = _list_rarities(titles, rarity), _list_rarities(one_title, rarity)
    has_runs = CHARACTERS in titled or CHARACTERS in once_titled
    same_names = _sum_rarity(titled, NAME)
    same_action = bool(a.actions & b.actions)
    shorter, longer = sorted((len(a.in_all), len(b.in_all)))
    return {
        "words in both titles": _sum_rarity(titled, WORD, above=_SOME),
        "words in one title": _sum_rarity(once_titled, WORD, above=_SOME),
        "versions in both titles": _sum_rarity(titled, VERSIONED, above=_SOME),
        "versions in one title": _sum_rarity(once_titled, VERSIONED, above=_SOME),
        "word pairs in one title": _sum_rarity(once_titled, PAIR, above=_SOME),
        "names in both titles": same_names,
        "names in one title": _sum_rarity(once_titled, NAME),
        "numbers in both titles": _sum_rarity(titled, NUMBER, above=_SOME),
        "numbers in one title": _sum_rarity(once_titled, NUMBER, above=_SOME),
        "characters in both titles": _sum_rarity(titled, CHARACTERS, above=_MUCH),
        "characters in one title": _sum_rarity(once_titled, CHARACTERS, above=_MUCH),
        "run of both titles": has_runs and max(_find_run(a, b.in_title, rarity), _find_run(b, a.in_title, rarity)),
        "run of one title": has_runs and max(_find_run(a, b.in_all, rarity), _find_run(b, a.in_all, rarity)),
        "second rarest": rarest[1] if len(rarest) > 1 else 0.0,
        "three rarest": math.fsum(rarest[:3]),
        "rarest of a title": max((rarity[term] for term in titles | one_title), default=0.0),
        "cosine": cosine,
        "cosine of titles": title_cosine,
        "title covered": covered,
        "foreign word of one title only": max(
            _find_rarest_other(first, b.in_all), _find_rarest_other(second, a.in_all)
        ),
        "other version": _count_other_versions(a.in_title, b.in_title),
        "actions in titles": float(len(a.actions & b.actions)),
        "actions": float(len(a.actions_in_all & b.actions_in_all)),
        "other actions": float(bool(a.actions_in_all and b.actions_in_all) and not a.actions_in_all & b.actions_in_all),
        "days": min(hours, 96.0) / 24,
        "hours": math.log1p(hours),
        "near": near,
        "same account": float(a.account == b.account),
        "common letters": _find_common_letters(first.letters, second.letters) if title_cosine > 0.05 else 0.0,
        "shorter": math.log(shorter),
        "longer": math.log(longer),
        "studies": float(a.study + b.study),
        "names and action": same_names * same_action,
        "rarest and near": math.fsum(rarest[:3]) * near,
        "names and near": same_names * near,
        "subject and near": subject * near,
        "subject and action": subject * same_action,
        "characters and near": _sum_rarity(titled, CHARACTERS, above=_MUCH) * near,
    }


def _list_rarities(terms: Iterable[Term], rarity: Mapping[Term, float]) -> Mapping[str, Sequence[float]]:
    """List the rarities of terms by the letter of their kind."""
    by_kind: dict[str, list[float]] = {}
    for term in terms:
        by_kind.setdefault(term[0], []).append(rarity[term])
    return by_kind


def _sum_rarity(by_kind: Mapping[str, Sequence[float]], kind: str, *, above: float = 0.0) -> float:
    return math.fsum(max(number - above, 0.0) for number in by_kind[kind]) if kind in by_kind else 0.0


def _find_run(profile: EventProfile, their_terms: Collection[Term], rarity: Mapping[Term, float]) -> float:
    """The rarity of the rarest run of three or more Chinese characters of a title that another text has too."""
    best = 0.0
    for run in profile.runs:
        total, length = 0.0, 0
        for term in run:
            if term in their_terms:
                total += max(rarity.get(term, 0.0) - 2.0, 0.0)
                length += 1
                if length > 1:
                    best = max(best, total)
            else:
                total, length = 0.0, 0
    return best


def _find_rarest_other(vector: _Vector, their_terms: Collection[Term]) -> float:
    """The rarity of the rarest foreign word or version of a title that the other article lacks."""
    return max(
        (
            vector.rarity[term]
            for term in vector.profile.in_title
            if term[0] in {WORD, VERSIONED} and term not in their_terms
        ),
        default=0.0,
    )


def _count_other_versions(first: Iterable[Term], second: Iterable[Term]) -> float:
    """How many words have a version in both titles, and never the same."""
    of_first, of_second = (_list_versions(terms) for terms in (first, second))
    return float(sum(not of_first[word] & of_second[word] for word in of_first.keys() & of_second.keys()))


def _list_versions(terms: Iterable[Term]) -> Mapping[str, set[str]]:
    versions: dict[str, set[str]] = defaultdict(set)
    for term in terms:
        if term[0] == VERSIONED:
            word = term.rstrip("0123456789.")
            versions[word].add(term[len(word) :])
    return versions


def _find_common_letters(first: str, second: str) -> float:
    """The longest run of letters that two titles share, as a share of the shorter title."""
    return len(_find_common_run(first, second)) / max(8, min(len(first), len(second)))


def _find_common_run(first: str, second: str) -> str:
    """The longest run of letters that two titles share, of equal ones the first in the first title.

    `SequenceMatcher.find_longest_match` finds the same and takes thirty times as long.
    """
    start, length = 0, 0
    for index in range(len(first)):
        while index + length < len(first) and first[index : index + length + 1] in second:
            start, length = index, length + 1
    return first[start : start + length]


_FORM: Final = 0.65
"""Share of the letters of two titles that are the same in the same order; such titles may not differ in details."""

_ALIKE: Final = 0.8
"""The same share of titles that are left to the rule of similar titles, which knows forms and columns."""


class _Likeness(Enum):
    """How alike two titles are.

    `CONTRADICTION`: they name different things of one kind: 骁龙 690 发布, 骁龙 865 发布. `FORM`: they may be one form
    filled in twice, or the rule of similar titles decides. `NONE`: anything else.
    """

    NONE = auto()
    FORM = auto()
    CONTRADICTION = auto()


def _compare_titles(first: _Vector, second: _Vector) -> _Likeness:
    identifiers = [read_identifiers(vector.profile.title) for vector in (first, second)]
    if find_contradiction(*identifiers) is not None:
        return _Likeness.CONTRADICTION
    low, high = sorted((first.letters, second.letters))
    in_any_order = sum(min(low.count(letter), high.count(letter)) for letter in set(low))
    if 2 * in_any_order < _FORM * (len(low) + len(high)):
        return _Likeness.NONE
    ratio = SequenceMatcher(None, low, high, autojunk=False).ratio()
    if ratio < _FORM:
        return _Likeness.NONE
    return _Likeness.FORM if ratio >= _ALIKE or differ_in_details(*identifiers) else _Likeness.NONE


# ---- What the editor reads

_SHOWN: Final = 3
"""Shared terms that are shown."""

_SHORTEST_RUN: Final = 4
"""Letters of a common run that says more than a name of our tables: 云雀半导体 before 芯片."""


def _name_terms(first: _Vector, second: _Vector) -> tuple[str, ...]:
    """The rarest shared names, words and versions; before names of our tables, a long run that the titles share."""
    shared = first.profile.in_all & second.profile.in_all
    in_a_title = first.profile.in_title | second.profile.in_title
    ranked = sorted(
        (term for term in shared if term[0] in {VERSIONED, WORD, NAME}),
        key=lambda term: (term not in in_a_title, -first.rarity[term], term),
    )
    run = _find_common_run(first.letters, second.letters)
    is_foreign = any(term[0] != NAME for term in ranked)
    texts = [run] if not is_foreign and len(run) >= (_SHORTEST_RUN if ranked else 2) else []
    for _, term_text in map(split_term, ranked):
        if not any(term_text in text or text in term_text for text in texts):
            texts.append(term_text)
    return tuple(texts[:_SHOWN])


def make_link_evidence(link: EventLink) -> Evidence:
    """Make the evidence that two articles report one event.

    >>> make_link_evidence(EventLink((1, 2), 0.9, ("gpt5.6", "sol"), "发布", 3)).text("zh")
    'gpt5.6、sol · 发布 · 相隔 3 小时'
    """
    in_hours = link.hours < 48
    values: dict[str, SentenceValue] = {"count": link.hours if in_hours else link.hours // 24}
    if link.terms:
        values["names"] = link.terms
    if link.action:
        values["action"] = link.action
    code = _EVIDENCE[in_hours, bool(link.terms), bool(link.action)]
    return Evidence("same-event", code, link.articles, values)


_EVIDENCE: Final[Mapping[tuple[bool, bool, bool], str]] = {
    (True, True, True): "evidence/same-event-hours-names-action",
    (True, True, False): "evidence/same-event-hours-names",
    (True, False, True): "evidence/same-event-hours-action",
    (True, False, False): "evidence/same-event-hours",
    (False, True, True): "evidence/same-event-days-names-action",
    (False, True, False): "evidence/same-event-days-names",
    (False, False, True): "evidence/same-event-days-action",
    (False, False, False): "evidence/same-event-days",
}
"""The sentence for a distance in hours or days, with names or without, with an action or without."""
