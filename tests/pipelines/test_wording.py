"""Both tables of sentences hold the same codes, and the code uses each of them."""

from __future__ import annotations

import ast
import re
from string import Formatter
from typing import Final, get_args

import pytest
from places import ROOT

from crawler import errors as crawl_errors
from crawler.errors import Detail, Failure
from crawler.kinds import KINDS
from pipelines.deduplicate.clusters import STRENGTH
from pipelines.errors import EditorError, NoSuchIssue, describe_failure
from pipelines.group.features import SHAPES
from pipelines.health.judging import STATE_OF, State
from pipelines.model import CandidateState, Evidence, Reason
from pipelines.store import errors as store_errors
from pipelines.store.errors import NoSuchStory, StoreBusy, StoreError
from pipelines.wording import LANGUAGES, say, sentences

HAN: Final = re.compile(r"[\u3001\u3002\u300c\u300d\u4e00-\u9fff\uff01-\uff1f]")

RAISES: Final = {
    *("CannotDecide", "NoSuchIssue", "NewsletterMisconfigured", "RulesMisconfigured", "CannotEvaluate", "NoProposal"),
    *("UnreadableReadme", "NotAnIssue", "NobodyMayEnter", "TooShort"),
}
"""Errors for the editor whose first argument is a code."""

OF_STORE: Final = {
    f"store/{name}"
    for name, error in vars(store_errors).items()
    if isinstance(error, type) and issubclass(error, store_errors.StoreError) and error is not store_errors.StoreError
}


DERIVED: Final = {
    *(f"{section}/{kind}" for section in ("kind", "article") for kind in KINDS),
    *(f"shape/{name}" for name in SHAPES),
    *(f"joined/{kind}" for kind in STRENGTH),
    *(f"state/{state}" for state in get_args(CandidateState)),
}
"""Codes that are made of a section and a name."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def constants(*rooms: str) -> set[str]:
    """Every string constant of the modules of rooms."""
    paths = [path for room in rooms for path in (ROOT / "pipelines" / room).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_both_tables_have_the_same_codes_and_placeholders() -> None:
    chinese, english = sentences("zh"), sentences("en")
    assert len(chinese) > 100
    assert list(chinese) == list(english)
    assert [code for code in chinese if placeholders(chinese[code]) != placeholders(english[code])] == []


@pytest.mark.parametrize("code", sentences("zh"))
def test_every_sentence_is_of_one_language(code: str) -> None:
    values = dict.fromkeys(placeholders(sentences("en")[code]), "7")
    assert not HAN.search(say(code, values, "en"))
    chinese = re.sub(
        r"Hacker News|(?:systemctl|journalctl|docker|timedatectl)(?: -?[a-z-]+)+"
        r"|jianbao( [a-z]+)*|sources (?:list|check)|pip install '[\w\[\]]+'|chat completions|scrapy record"
        r"|--[a-z]+|http\(s\)|[A-Z_]{2,}|[a-z]+\.toml|\[[a-z]+\]",
        "",
        say(code, values, "zh"),
    )
    assert not re.search(r"[A-Za-z]{3,} [A-Za-z]{2,}", chinese)


def test_every_error_has_its_sentence_and_every_sentence_its_error() -> None:
    paths = (ROOT / "pipelines").rglob("*.py")
    calls = [
        node
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISES
    ]
    assert len(calls) > 20
    codes = {ast.literal_eval(call.args[0]): {keyword.arg for keyword in call.keywords} for call in calls if call.args}
    codes |= {"stale": set(), "overtaken": set()}
    assert codes == {
        code.removeprefix("error/"): placeholders(text)
        for code, text in sentences("en").items()
        if code.startswith("error/")
    }
    assert {code for code in sentences("en") if code.startswith("store/")} == OF_STORE


def test_every_code_has_its_sentence_and_every_sentence_is_used() -> None:
    folders = [ROOT / "pipelines" / "review" / folder for folder in ("templates", "static")]
    texts = [path.read_text(encoding="utf-8") for folder in folders for path in folder.iterdir()]
    quoted = {code for text in texts for code in re.findall(r"[\"']([a-z-]+/[a-z0-9-]+)[\"']", text)}
    used = constants(".") | quoted | DERIVED
    sections = ("reason", "shape", "evidence", "joined", "desk", "kind", "article", "state", "cli", "demo", "schedule")
    made = {code for code in used if re.fullmatch(rf"({'|'.join(sections)})/[a-z0-9-]+", code)}
    assert made == {code for code in sentences("en") if code.partition("/")[0] in sections}


def test_every_state_and_every_kind_of_incident_has_its_sentences() -> None:
    sections: dict[str, set[str]] = {"health": set(), "symptom": set(), "cure": set()}
    for code in sentences("en"):
        section, _, name = code.partition("/")
        if section in sections:
            sections[section].add(name)
    assert sections == {"health": set(get_args(State)), "symptom": set(STATE_OF), "cure": set(STATE_OF)}


def test_a_reason_and_a_piece_of_evidence_have_a_sentence_in_each_language() -> None:
    reason = Reason("reason/links", 0.3, {"labels": ("A", "B")})
    assert [reason.text(language) for language in LANGUAGES] == ["附A、B", "With A, B"]
    edge = Evidence("near-text", "evidence/near-text", (1, 2), {"similarity": "0.93"})
    assert [edge.text(language) for language in LANGUAGES] == ["正文相似 0.93", "Texts alike 0.93"]
    assert Reason("article/arxiv", 1.0).text("en") == "arXiv paper"


def test_every_finding_has_its_sentence_and_its_advice_and_none_is_left_over() -> None:
    used = constants("issue", "newsroom")
    findings = {code.removeprefix("finding/") for code in sentences("en") if code.startswith("finding/")}
    advice = {code.removeprefix("advice/") for code in sentences("en") if code.startswith("advice/")}
    assert findings == advice
    assert findings - used == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_enumeration_is_written_as_the_language_writes_it(language: str) -> None:
    separator = {"zh": "甲、乙", "en": "甲, 乙"}[language]
    assert separator in say("error/no-working-source", {"names": ("甲", "乙")}, language)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["RateLimited", "FetchFailed", "Blocked", "TooLarge"])
def test_a_failure_of_a_crawl_is_told_in_one_language(name: str) -> None:
    error = getattr(crawl_errors, name)("http-status", status=429)
    stored = Failure.from_json(error.failure.to_json())
    english, chinese = describe_failure(stored, "en"), describe_failure(stored, "zh")
    assert not HAN.search(english)
    assert english.startswith(f"{say(f'failure/{name}', {}, 'en')}: HTTP 429. ")
    assert chinese == f"{say(f'failure/{name}', {}, 'zh')}：HTTP 429。{say(f'remedy/{name}', {}, 'zh')}"


@pytest.mark.parametrize(
    "error", [NoSuchStory(5), NoSuchIssue("no-such-issue", day="2001-01-01"), StoreBusy("database is locked")]
)
def test_an_error_is_told_in_the_language_of_the_reader(error: EditorError | StoreError) -> None:
    assert not HAN.search(error.text("en"))
    assert HAN.search(error.text("zh"))


def test_a_failure_names_no_more_of_an_address_than_a_reader_reads() -> None:
    failure = Failure("NoArticle", Detail.of("no-title"))
    assert len(describe_failure(failure, "zh", f"https://a.example/{'x' * 100_000}")) < 400
    assert "https://a.example/x" in describe_failure(failure, "zh", "https://a.example/x")
