"""How many accounts report a story: in a text of their own, reprints once."""

from __future__ import annotations

from itertools import permutations

from builders import stored

from pipelines.deduplicate.accounts import count_independent_accounts
from pipelines.model import Evidence


def evidence(kind: str, one: int, other: int) -> Evidence:
    return Evidence(kind, "evidence/key", (one, other), {"key": "k"})


def test_reports_in_words_of_their_own_count_by_account() -> None:
    articles = [stored(1, publisher="甲"), stored(2, publisher="乙", days=1), stored(3, publisher="甲", days=2)]
    assert count_independent_accounts(articles, [evidence("same-event", 1, 2), evidence("same-event", 2, 3)]) == 2


def test_a_reprint_counts_with_its_original() -> None:
    articles = [stored(n, publisher=f"号{n}", days=n) for n in range(1, 5)]
    copies = [evidence("reprint", 1, 2), evidence("near-text", 2, 3), evidence("same-title", 3, 4)]
    for order in permutations(copies):
        assert count_independent_accounts(articles, order) == 1


def test_an_account_that_reprints_and_reports_too_counts() -> None:
    articles = [stored(1, publisher="甲"), stored(2, publisher="乙", days=1), stored(3, publisher="乙", days=2)]
    assert count_independent_accounts(articles, [evidence("reprint", 1, 2), evidence("same-event", 2, 3)]) == 2


def test_two_mirrors_of_an_account_are_one() -> None:
    articles = [stored(1, publisher="新 智元"), stored(2, publisher="新智元", source="mirror")]
    assert count_independent_accounts(articles, []) == 1


def test_papers_and_repositories_are_no_reports() -> None:
    paper = stored(1, kind="arxiv", keys=("arxiv:2511.00001",))
    repository = stored(2, kind="github", keys=("github:a/b",))
    assert count_independent_accounts([paper, repository], []) == 0
    assert count_independent_accounts([paper, repository, stored(3)], [evidence("names", 1, 3)]) == 1
