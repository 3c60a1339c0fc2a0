"""A quarter with an incident of each kind: each is raised once and recovers once, and nothing else is raised."""

from __future__ import annotations

import random

import pytest
from quarter import INCIDENTS, Pattern, delay, simulate, write_script

SEED = 7
PAUSES = 1.5
"""Usual pauses of a source until a silence or a failure is raised."""
FIELDS = {"dates gone", "text gone", "placeholder text"}
EVIDENCE = 3.0
"""Usual pauses until a missing field is raised: three articles in a row are the evidence."""


def invent_patterns() -> list[Pattern]:
    """Sources that post several times a day, daily, on workdays, some days apart, or irregularly."""
    chance = random.Random(SEED)
    rhythms = ((0.3, 0.2, True), (1.0, 0.1, True), (1.0, 0.1, False), (2.5, 0.4, True), (1.5, 0.8, True))
    patterns = []
    for number in range(len(INCIDENTS) + 2):
        mean, spread, weekend = rhythms[number % len(rhythms)]
        pauses = tuple(max(0.15, chance.uniform(mean * (1 - spread), mean * (1 + spread))) for _ in range(25))
        patterns.append(Pattern(f"source-{number}", pauses, (1, 1, 2), weekend))
    return patterns


@pytest.mark.slow
@pytest.mark.parametrize("registry_expects", [True, False])
def test_every_incident_is_raised_in_time_and_recovers_and_none_is_false(registry_expects: bool) -> None:
    patterns = invent_patterns()
    script = write_script(patterns, len(INCIDENTS), SEED)
    assert {scripted.incident for scripted in script} == set(INCIDENTS)
    quarter = simulate(patterns, script, SEED, registry_expects=registry_expects)
    by_name = {pattern.name: pattern for pattern in patterns}
    assert quarter.false == []
    for scripted, seen in quarter.seen.items():
        assert (len(seen.raised), len(seen.recovered)) == (1, 1), scripted
        most = EVIDENCE if scripted.incident in FIELDS else PAUSES
        assert delay(scripted, seen.raised[0], by_name[scripted.source]) <= most * scripted.usual, scripted
