"""The event model follows a newsroom: names that became common, and what its editors answered."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pipelines.deduplicate.event_model import EventModel, Rarity
from pipelines.deduplicate.event_profiles import make_term
from pipelines.deduplicate.event_tuning import LEAST_ANSWERS, MOST_A_DAY, Answer, EventTuning, count_stream

CODEX, SOL, OPENAI = (make_term("word", word) for word in ("codex", "sol", "openai"))
MODEL = EventModel(-2.0, {"cosine": 4.0}, Rarity(1000, {OPENAI: 200, SOL: 2}), 0.45, 0.15)


def test_a_name_that_became_common_in_the_stream_is_no_longer_rare() -> None:
    stream = count_stream((day, [CODEX]) for day in range(500))
    tuned = stream.apply(MODEL)
    assert MODEL.rarity.of(CODEX) > 7
    assert tuned.rarity.of(CODEX) < 2


def test_the_twenty_reports_of_one_day_leave_a_name_a_name() -> None:
    stream = count_stream([(7, [CODEX]) for _ in range(20)] + [(day, [OPENAI]) for day in range(100)])
    assert CODEX not in stream.counts
    again = count_stream([(day, [CODEX]) for day in (7, 8) for _ in range(20)])
    assert again.counts[CODEX] == 2 * MOST_A_DAY


def test_a_term_that_no_article_has_stays_as_rare_as_when_the_weights_were_learned() -> None:
    tuned = count_stream((day, [CODEX]) for day in range(5000)).apply(MODEL)
    assert math.isclose(tuned.rarity.of(make_term("word", "jalapeno")), MODEL.rarity.of(make_term("word", "jalapeno")))


def test_a_newsroom_without_articles_and_answers_uses_the_model_as_it_ships() -> None:
    assert EventTuning().apply(MODEL) == MODEL


@given(st.lists(st.builds(Answer, st.floats(-8, 8), st.booleans()), max_size=LEAST_ANSWERS - 1))
def test_few_answers_change_nothing(answers: list[Answer]) -> None:
    tuning = EventTuning().follow(answers)
    assert (tuning.slope, tuning.shift) == (1.0, 0.0)


@given(st.lists(st.builds(Answer, st.floats(-30, 30), st.booleans()), min_size=LEAST_ANSWERS, max_size=60))
def test_any_answers_leave_a_usable_model(answers: list[Answer]) -> None:
    tuning = EventTuning().follow(answers)
    assert 0.5 <= tuning.slope <= 2.0
    assert -2.0 <= tuning.shift <= 2.0


def test_many_noes_make_the_model_more_careful_and_many_yeses_bolder() -> None:
    noes = [Answer(-0.5, same=number % 6 == 0) for number in range(60)]
    yeses = [Answer(-0.5, same=number % 6 != 0) for number in range(60)]
    likely = {"cosine": 0.45}
    as_shipped, careful, bold = (
        EventTuning().follow(answers).apply(MODEL).find_probability(likely) for answers in ([], noes, yeses)
    )
    assert careful < as_shipped - 0.1
    assert bold > as_shipped + 0.1


def test_a_tuning_survives_the_store() -> None:
    tuning = count_stream((day, [CODEX, SOL]) for day in range(9)).follow(
        [Answer(number / 10, same=number > 3) for number in range(LEAST_ANSWERS)]
    )
    assert EventTuning.from_json(tuning.to_json()) == tuning
