"""`categories.kinds` of newsletter.toml: any kind moves an article to its category, before and after learning."""

from __future__ import annotations

import pytest
from builders import article

from crawler.kinds import KINDS
from pipelines.group.categories import CategoryRules, categorise
from pipelines.group.features import Description
from pipelines.group.relevance import TopicTerms
from pipelines.group.trained import categorise_by_model
from pipelines.group.training import LEAST_OF_A_CATEGORY, Example, train
from pipelines.newsletter import Category, Newsletter


def newsletter(kind: str) -> Newsletter:
    """A newsletter whose second category gets its articles by their kind."""
    categories = (Category(name="甲"), Category(name="乙", kinds={kind: 4.0}))
    return Newsletter(title="试刊", editor="e", categories=categories)


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_weighs_for_a_category_and_the_reason_names_it(kind: str) -> None:
    result = categorise(article(kind=kind), CategoryRules.of(newsletter(kind)))
    assert result.category == "乙"
    assert [reason.text("zh") for reason in result.reasons] == [KINDS[kind].article.chinese]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_weighs_for_a_category_also_after_training(kind: str) -> None:
    rules, terms = CategoryRules.of(newsletter(kind)), TopicTerms.of(newsletter(kind))
    elsewhere = next(name for name in KINDS if name != kind)

    def describe(number: int, kind_of_page: str) -> Description:
        return Description.of(f"题目{number}", "https://a.example/x", kind=kind_of_page)

    examples = [
        Example(describe(number, kind_of_page), picked=True, category=category)
        for number in range(LEAST_OF_A_CATEGORY * 3)
        for kind_of_page, category in ((elsewhere, "甲"), (kind, "乙"))
    ]
    model = train(examples, rules, terms)
    result = categorise_by_model(describe(999, kind), model, rules, terms)
    assert result.category == "乙"
    assert KINDS[kind].article.chinese in {reason.text("zh") for reason in result.reasons}
