"""Two reports of which nobody can say whether they report one event: likely enough to be offered, not to be joined."""

from __future__ import annotations

import math
from functools import cache

from builders import article

from crawler.home import Home, bundled
from pipelines.deduplicate.event_model import load_event_model
from pipelines.deduplicate.event_profiles import read_event_profile
from pipelines.deduplicate.events import find_event_links
from pipelines.model import Article
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import group
from pipelines.rules import load_rules

LAUNCH = "云雀半导体发布星澜 N9 芯片，端侧推理提速 85%"
OUTLOOK = "云雀半导体新芯片值不值得买"
LAUNCH_DAY = 30.0
"""Days after NOON, far from other articles of the tests."""


def make_launch(number: int, title: str = LAUNCH, *, publisher: str = "甲", days: float = 0.0) -> Article:
    """A report on the launch."""
    digest = "云雀半导体今天发布星澜 N9，端侧推理提速 85%。"
    return article(number, title=title, publisher=publisher, summary=digest, days=LAUNCH_DAY + days)


def make_outlook(number: int, title: str = OUTLOOK, *, publisher: str = "乙") -> Article:
    """A report that may be about the launch: so long after it that the model is undecided."""
    return _make_later(number, title, publisher, _find_undecided_days())


def _make_later(number: int, title: str, publisher: str, days: float) -> Article:
    return article(number, title=title, publisher=publisher, summary="今天聊聊芯片。", days=LAUNCH_DAY + days)


def add_possible_pair(newsroom: Newsroom, first: int, second: int) -> None:
    """Store and group the two reports, under the URLs of these numbers."""
    with newsroom.store.transaction() as tx:
        tx.articles.save([make_launch(first), make_outlook(second)])
    group(newsroom.store, newsroom.group_rules)


@cache
def _find_undecided_days() -> float:
    """The days after the launch at which the model's probability is nearest to the middle of its two thresholds."""
    model, rules = load_event_model(), load_rules(Home(bundled())).events
    launch = read_event_profile(make_launch(1), rules)
    chances: dict[float, float] = {}
    for quarter in range(1, 16):
        profile = read_event_profile(_make_later(2, OUTLOOK, "乙", quarter / 4), rules)
        assert launch is not None
        assert profile is not None
        for link in find_event_links({1: launch, 2: profile}, [(1, 2)], model):
            if model.suggest <= link.probability < model.join:
                chances[quarter / 4] = link.probability
    assert chances, "the model is sure of itself at any distance: choose another title"
    return min(chances, key=lambda days: abs(math.log(chances[days] ** 2 / (model.suggest * model.join))))
