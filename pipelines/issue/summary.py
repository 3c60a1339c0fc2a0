"""Article -> sentences of its own that state its claim and its numbers. Extractive: every word is the article's.

The score of a sentence rises with its early position, its terms in common with the title and the page's own digest,
its nearness to the whole text, its measurements, and words of a claim; it falls if the sentence continues the sentence
before it. A sentence that asks a question or points at a picture is taken only if there is no other. A sentence that
asks the reader to follow, scan or click is no sentence of the article.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log, sqrt
from typing import Final

from crawler.kinds import PAPERS, REPOSITORIES
from pipelines.issue.escape import clean_line
from pipelines.issue.house_style import DEFAULT_STYLE, HouseStyle
from pipelines.issue.inline import strip_marks
from pipelines.issue.points import find_points
from pipelines.issue.sentences import (
    HAN,
    SENTENCE_END,
    Bounds,
    cap_length,
    choose_bounds,
    fit_bounds,
    join_sentences,
    split_sentences,
)
from pipelines.model import Article, Candidate
from pipelines.text import HAN_RANGE

MOST_SENTENCES: Final = 5
LEAST_SENTENCES: Final = 2

MOST_SENTENCES_READ: Final = 200
"""Of a text; a long text states its claim earlier."""

SHORTEST: Final = 20
"""Characters. A shorter paragraph is a caption or a greeting."""

FILLER: Final = 0.3
"""A sentence whose score is below this part of the best score is a filler."""

_MOST_LISTED: Final = 0.7
"""The share of the longest summary that a list of points may fill."""

_MOST_PARAGRAPHS: Final = 6
"""Of a text without sentences; only these can stand for a summary."""


@dataclass(frozen=True, slots=True)
class DraftedSummary:
    """A drafted summary, in plain text.

    Args:
        paragraphs: the last one leads the points, if there are any.
        points: of the list at its end, without numbers.
    """

    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole summary, a paragraph or a point a line."""
        return "\n".join((*self.paragraphs, *(f"{number}. {point}" for number, point in enumerate(self.points, 1))))


def summarise(candidate: Candidate, head: str, style: HouseStyle = DEFAULT_STYLE) -> DraftedSummary:
    """Write the summary that an editor starts from: sentences of the lead article, else of another one of the story.

    Where the newsletter writes lists, the points that an article lists follow its sentences.

    The sentences of a paper are from its abstract. The summary of a repository is its description, then the first
    sentences of its latest release's notes.

    Args:
        candidate: its lead and its other articles.
        head: the entry's first line as a reader sees it; the summary does not repeat it.
        style: how long the newsletter's summaries and their paragraphs are.

    Returns:
        The summary. If no article has a sentence, the start of the first paragraph, as long as the bounds allow; an
        empty paragraph if the articles hold no more than `head`.
    """
    stored = (candidate.lead, *(member for member in candidate.articles if member is not candidate.lead))
    articles = [member.article for member in stored]
    if candidate.lead.article.kind in REPOSITORIES:
        repositories = [article for article in articles if article.kind in REPOSITORIES]
        articles = [*repositories, *articles]
        if summary := _summarise_repository(articles, head):
            return DraftedSummary((summary,))
    for article in articles:
        if not article.text and article.kind not in PAPERS and (digest := _take_digest(article.summary, head, style)):
            return DraftedSummary((digest,))
        if style.point_mark and (listed := _summarise_with_points(article, head, style)):
            return listed
        if paragraphs_of_sentences := extract_paragraphs(article, head, style):
            return DraftedSummary(paragraphs_of_sentences)
    digests = (article.summary for article in articles)
    paragraphs = (
        paragraph
        for article in articles
        for paragraph in (article.summary, *article.text.split("\n", _MOST_PARAGRAPHS)[:_MOST_PARAGRAPHS])
        if _is_new(paragraph, head) and not is_aside(paragraph)
    )
    paragraph = next(paragraphs, "") or next(filter(lambda digest: _is_digest(digest, head), digests), "")
    return DraftedSummary((cap_length(clean_line(paragraph)),))


def _summarise_with_points(article: Article, head: str, style: HouseStyle) -> DraftedSummary | None:
    """Write sentences of an article, then the points that it lists; None if it lists none, or too long ones."""
    point_list = find_points(article.text)
    if point_list is None or any(map(is_aside, (point_list.opening, *point_list.points))):
        return None
    bounds = style.bounds
    length = round(point_list.length * HAN.most / choose_bounds(article.text).most)
    if length > bounds.most * _MOST_LISTED:
        return None
    shorter = Bounds(max(bounds.wanted - length, SHORTEST), bounds.most - length, bounds.sentence)
    further = replace(article, text=point_list.further_text)
    paragraphs = extract_paragraphs(further, head, replace(style, bounds=shorter))
    return DraftedSummary((*paragraphs, point_list.opening), point_list.points) if paragraphs else None


def _summarise_repository(articles: Sequence[Article], head: str) -> str:
    releases = [article for article in articles if "tag" in article.facts]
    releases.sort(key=lambda release: release.published.at, reverse=True)
    notes = next(filter(None, (extract_sentences(_strip_notes(release), head) for release in releases)), ())
    descriptions = (article.summary for article in articles if article.kind in REPOSITORIES)
    description = next((text for text in descriptions if _is_new(text, head)), "")
    if not (description or notes):
        return ""
    return join_sentences([*filter(None, [clean_line(description)]), *notes])


# "> 引文", "## 标题", "- 新增", "1. 修复"
_BLOCK_MARKS: Final = re.compile(r"^\s*(?:[>#]+\s*|[*+-]\s+|\d{1,3}[.)]\s+)+")


def _strip_notes(release: Article) -> Article:
    """Take the Markdown off release notes."""
    lines = (strip_marks(_BLOCK_MARKS.sub("", line)) for line in release.text.split("\n"))
    return replace(release, text="\n".join(line for line in lines if line))


# ---- Words and forms of sentences

# "扫码关注我们", "作者：张三", "本文转载自公众号", "Photo: NASA"
_ASIDE: Final = re.compile(
    r"点击上方|点击下方|点击蓝字|蓝字|关注|星标|扫码|扫描|扫一扫|二维码|长按|识别图中|公众号|小程序|来源|邮件联系|合作请|请联系|转载|授权|投稿"
    r"|阅读原文|点赞|在看|转发|留言|评论区|订阅|加群|进群|入群|微信号|客服|报名|招聘|优惠|福利|抽奖|版权|侵权|声明"
    r"|编辑[：:|丨/]|编译[：:|丨/]|作者[：:|丨/]|责编|校对|排版|出品|记者[：:|]|撰文|译者|图源|图注|图片由|本报讯"
    r"|小编|大家好|你好|各位(?:读者|朋友|同学)|亲爱的|欢迎|感谢|谢谢|敬请|往期|推荐阅读|相关阅读|更多(?:精彩|内容|详情)"
    r"|\b(?:follow us|subscribe|sign up|click here|read more|share this|all rights reserved|cookies?|newsletter)\b"
    r"|\b(?:source|photo|image|credit)\s*:|^(?:by|via)\s|https?://|www\.",
    re.IGNORECASE,
)
"""A sentence of a summary never asks the reader for an action, and never names the makers of the page."""

# "如下图所示：", "见表 2", "as Figure 3 shows"
_PICTURE: Final = re.compile(
    r"如(?:下|上|左|右)?图|(?:下|上|左|右|见)图|图\s?\d|表\s?\d|如下[：:]?$|所示|：$|\b(?:fig(?:ure)?|table)\b", re.I
)

# "但是，它更快。": the sentence continues the sentence before it
_CONTINUATION: Final = re.compile(
    r"(?:但是?|然而|不过|因此|所以|此外|另外|同时|其次|再次|最后|而且|并且|于是|接着|这|那|它|他|她|其|该"
    r"|however|but|and|also|therefore|thus|hence|moreover|furthermore|besides|then|this|these|those|it|they|he|she)"
    rf"(?=[{HAN_RANGE}，,\s])",
    re.IGNORECASE,
)

# "比如，它更快。", "其中一个": nothing begins with it
_EXAMPLE: Final = re.compile(
    r"(?:比如|例如|譬如|如[：:，]|其中|另一|而|却|就|也|还|又|再|则|即|以及|与此同时|为此|对此|除此|不仅如此|尽管如此|换句话说|也就是说|相比之下"
    r"|具体(?:来说|而言|地)|总之|综上|如此|后者|前者|两者|二者|以上|上述|当然|事实上|值得|第?[二三四五六][、，个点]|第[二三四五六]"
    r"|(?:for example|for instance|in addition|as a result|on the other hand|in contrast|similarly|finally|second)\b)",
    re.IGNORECASE,
)

# "，框架很快。", "）的方法", "and faster."
_TORN: Final = re.compile(r"[\s，,、；;：:。.！!？?）)\]】」』”’》>%％~～—–·…]|[a-z]+\s")

_NEAR: Final = 2
"""Two chosen sentences of one paragraph are at most so many sentences of the text apart."""

_SHORT_PARAGRAPH: Final = 60
"""Characters. A shorter group of sentences is no paragraph of its own."""

_LONGEST_PASSAGE: Final = 3
"""Sentences that are taken together because each continues the one before."""

# "真的更快吗？"
_QUESTION: Final = re.compile(r"[？?][”’」』\"']*$")

# "提速 2.5 倍", "仅 4.8 MB", "75.2%"
_MEASUREMENT: Final = re.compile(
    r"\d[\d.,]*\s?(?:%|％|倍|×|x\b|nm|纳米|ms|毫秒|秒|fps|帧|[KMGT]i?B\b|[MG]?Hz|TOPS|[GT]?FLOPS|W\b|瓦|美元|亿|万|元"
    r"|层|bits?\b|-?bit|位|个百分点|张|核|percent|times|million|billion|hours?|seconds?|points?|params?|parameters)",
    re.IGNORECASE,
)

# "2.5", but not the 18 of ResNet-18
_NUMBER: Final = re.compile(r"(?<![A-Za-z-])\d+(?:\.\d+)?")

# "本文提出", "we propose", "outperforms"
_CLAIM: Final = re.compile(
    r"提出|设计了|实现了?|达到|超过|超越|优于|提升|提高|降低|减少|压缩|加速|仅需|只需|首次|首个|首款|最(?:快|小|高|新|强)"
    r"|发布|推出|宣布|开源|支持|上线|采用|基于|证明|发现|表明|结果|实验|解决|称|相比|同比|增长|下降|突破"
    r"|\b(?:we (?:propose|present|introduce|show|find|demonstrate|develop|describe|study|report)|this (?:paper|work)"
    r"|our (?:method|approach|model|results?|experiments?)|outperform\w*|achiev\w*|improv\w*|reduc\w*|faster|smaller"
    r"|state[- ]of[- ]the[- ]art|announc\w*|releas\w*|launch\w*|introduc\w*|support\w*|new|first|results?)\b",
    re.IGNORECASE,
)

# "- ", "1、", "● "
_BULLET: Final = re.compile(r"^(?:(?:[-–—•·*▪■□●◆※]|\d{1,2}[、）](?!\d))[\s\-]*)+")

# "【摘要】", "导读：", "Abstract—"
_SUMMARY_NAME: Final = re.compile(
    r"^(?:【(?:(?:内容|文章)?摘要|导读|导语|引言|简介|编者按)】\s*[:：]?|(?:(?:内容|文章)?摘要|导读|导语|编者按)\s*[:：]"
    r"|Abstract\s*[:：.—–])\s*",
    re.IGNORECASE,
)
"""The word that begins a page's own summary; the entry has such a word already."""

# "x = f(a);", "if (a == b) {", "torch.nn.Linear(", "$HOME"
_CODE: Final = re.compile(r"[;{}]$|\w\(.*\);|[=!]=|=>|::|</|\b\w+\.\w+\(|\$\w")
_LETTER: Final = re.compile(r"[^\W\d_]")

# "mcunet", "量化"
_TOKEN: Final = re.compile(rf"[a-z0-9]+|[{HAN_RANGE}]+")


def is_aside(text: str) -> bool:
    """Whether a text asks the reader to follow, scan or click, or names the makers of the page.

    >>> is_aside("扫码关注我们"), is_aside("快了两倍。")
    (True, False)
    """
    return bool(_ASIDE.search(text))


# ---- The choice of sentences


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence, and its position in the text (the first is 0)."""

    position: int
    text: str

    @property
    def terms(self) -> Mapping[str, int]:
        """How often the sentence has each term."""
        return _count_terms(self.text)


def extract_paragraphs(article: Article, head: str, style: HouseStyle) -> tuple[str, ...]:
    """Extract sentences of an article up to the usual length of a summary, and divide them into paragraphs.

    A paragraph ends where the article goes on elsewhere, or where it is as long as the newsletter's own.

    Args:
        article: the article.
        head: the text beside the summary.
        style: the lengths.
    """
    groups: list[list[str]] = []
    last_position = 0
    for sentence in _extract(article, head, style):
        is_near = sentence.position - last_position <= _NEAR
        if (
            groups
            and is_near
            and sum(map(len, groups[-1])) + len(sentence.text) <= max(style.paragraph, _SHORT_PARAGRAPH)
        ) or (groups and sum(map(len, groups[-1])) < _SHORT_PARAGRAPH):
            groups[-1].append(sentence.text)
        else:
            groups.append([sentence.text])
        last_position = sentence.position
    return tuple(join_sentences(group, fit_bounds(style.bounds, "".join(group)).most) for group in groups)


def extract_sentences(article: Article, head: str = "", style: HouseStyle = DEFAULT_STYLE) -> tuple[str, ...]:
    """Extract two to five sentences of an article, in the order of the text, each as it is there.

    Args:
        article: its text is read, or its digest if it has no text; a paper's digest first.
        head: the text beside the summary; a sentence in it is not extracted.
        style: a newsletter of long summaries takes more sentences.

    Returns:
        Fewer than two if the article has no more; none if it has no sentence at all.
    """
    return tuple(sentence.text for sentence in _extract(article, head, style))


def _extract(article: Article, head: str, style: HouseStyle) -> tuple[_Sentence, ...]:
    texts = (article.text, article.summary) if article.kind not in PAPERS else (article.summary, article.text)
    longest: tuple[_Sentence, ...] = ()
    for text in texts:
        about = f"{article.title} {article.summary if text is article.text else ''}"
        sentences = _choose_sentences(text, about, head, fit_bounds(style.bounds, text))
        if len(sentences) >= LEAST_SENTENCES:
            return sentences
        if _count_characters(sentences) > _count_characters(longest):
            longest = sentences
    return longest


def _count_characters(sentences: Iterable[_Sentence]) -> int:
    return sum(len(sentence.text) for sentence in sentences)


@lru_cache(maxsize=4096)  # an editor pages through a list again and again, and one choice takes a millisecond
def _choose_sentences(text: str, about: str, head: str, bounds: Bounds) -> tuple[_Sentence, ...]:
    fit = [sentence for sentence in _read_sentences(text) if _fits(sentence, bounds) and _is_new(sentence.text, head)]
    for is_better in (_is_whole, _begins_whole, _stands_alone):
        better = [sentence for sentence in fit if is_better(sentence)]
        fit = better if len(better) >= LEAST_SENTENCES else fit
    if not fit:
        return ()
    by_position = {sentence.position: sentence for sentence in fit}
    chosen: dict[int, _Sentence] = {}
    length_ratio = max(1.0, bounds.wanted / fit_bounds(HAN, text).wanted)
    most_sentences = round(MOST_SENTENCES * length_ratio)
    ranked = _rank_sentences(fit, about)
    best_score = ranked[0][0]
    for score, sentence in ranked:
        length = _count_characters(chosen.values()) + len(chosen)
        enough = length >= bounds.wanted or score < FILLER / length_ratio * best_score
        if len(chosen) >= most_sentences or (enough and len(chosen) >= LEAST_SENTENCES):
            break
        passage = _find_passage(sentence, by_position, chosen)
        if not passage or length + _count_characters(passage) > bounds.most:
            continue
        if any(_repeats(new, earlier) for new in passage for earlier in chosen.values()):
            continue
        chosen |= {new.position: new for new in passage}
    return tuple(chosen[position] for position in sorted(chosen))


def _find_passage(sentence: _Sentence, by_position: Mapping[int, _Sentence], chosen: Container[int]) -> list[_Sentence]:
    """Find the sentences that a sentence continues, down to one that stands for itself or that is chosen already.

    Returns:
        The new sentences; none where the text before a continuation cannot be taken, or where it is too long.
    """
    passage: list[_Sentence] = []
    position = sentence.position
    while position in by_position and position not in chosen and len(passage) < _LONGEST_PASSAGE:
        passage.append(by_position[position])
        if not _continues(by_position[position]):
            return passage
        position -= 1
    return passage if position in chosen else []


def _read_sentences(text: str) -> Iterator[_Sentence]:
    position = 0
    for paragraph in split_sentences(text):
        for written in paragraph:
            sentence = _SUMMARY_NAME.sub("", _BULLET.sub("", clean_line(written)))
            if sentence and not is_aside(sentence):
                yield _Sentence(position, sentence)
                position += 1
            if position == MOST_SENTENCES_READ:
                return


def _fits(sentence: _Sentence, bounds: Bounds) -> bool:
    """Whether the text is a sentence: neither a caption nor code, and not half a page."""
    text = sentence.text
    letters = len(_LETTER.findall(text))
    shortest = SHORTEST if bounds.sentence == HAN.sentence else 2 * SHORTEST
    return shortest <= len(text) <= bounds.sentence and letters * 2 > len(text) and not _CODE.search(text)


def _is_whole(sentence: _Sentence) -> bool:
    return bool(SENTENCE_END.search(sentence.text))


def _begins_whole(sentence: _Sentence) -> bool:
    """Whether a text begins as a sentence does: not with the mark of a clause, and not in lower case."""
    return not _TORN.match(sentence.text)


def _continues(sentence: _Sentence) -> bool:
    """Whether a sentence makes no sense without the one before it."""
    return bool(_CONTINUATION.match(sentence.text) or _EXAMPLE.match(sentence.text))


def _stands_alone(sentence: _Sentence) -> bool:
    """Whether the sentence neither asks nor points at a picture, which a summary has not."""
    return not (_QUESTION.search(sentence.text) or _PICTURE.search(sentence.text))


def _is_new(text: str, head: str) -> bool:
    """Whether a text is long enough to say something, and is not in the entry's first line."""
    line = clean_line(text)
    return len(line) >= SHORTEST and line not in clean_line(head)


def _is_digest(text: str, head: str) -> bool:
    """Whether a page's own digest, however short, says something beside the entry's first line."""
    line = clean_line(text)
    return bool(line) and line not in clean_line(head) and not is_aside(line)


def _take_digest(summary: str, head: str, style: HouseStyle) -> str:
    """Take a page's own digest whole, if it is no longer than a summary and every sentence of it tells something."""
    line = clean_line(summary)
    sentences = [sentence for block in split_sentences(line) for sentence in block]
    is_whole = len(sentences) > 1 and bool(re.search(r"[。！？.!?…][”」』）)]?\Z", line))
    if not is_whole or len(line) > style.bounds.most or not all(_is_digest(sentence, head) for sentence in sentences):
        return ""
    return line


def _repeats(sentence: _Sentence, earlier: _Sentence) -> bool:
    """Whether most terms of the shorter sentence are in the other one."""
    terms = earlier.terms
    shared = sum(min(count, terms.get(term, 0)) for term, count in sentence.terms.items())
    return shared * 10 > 6 * min(sum(sentence.terms.values()), sum(earlier.terms.values()))


# ---- The score of a sentence


def _rank_sentences(sentences: Sequence[_Sentence], about: str) -> list[tuple[float, _Sentence]]:
    """Give each sentence its score, and sort by it, the best first; of equals the earlier one first.

    Args:
        sentences: of one text.
        about: title and digest of the article.
    """
    rarity = _measure_rarity(sentences)
    about_vector = _TermVector(_count_terms(about), rarity)
    text_terms = Counter[str]()
    for sentence in sentences:
        text_terms.update(sentence.terms)
    text_vector = _TermVector(text_terms, rarity)
    scored = [(_score(sentence, about_vector, text_vector, rarity), sentence) for sentence in sentences]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].position))


def _score(sentence: _Sentence, about: _TermVector, whole_text: _TermVector, rarity: dict[str, float]) -> float:
    text = sentence.text
    earliness = 2 / (1 + sentence.position / 2)
    numbers = 0.25 * min(2, len(_MEASUREMENT.findall(text))) + 0.1 * bool(_NUMBER.search(text))
    continuation = 0.3 * bool(sentence.position and _continues(sentence))
    claims = 0.15 * min(3, len(_CLAIM.findall(text)))
    nearness = 2 * about.measure_nearness(sentence.terms, rarity) + whole_text.measure_nearness(sentence.terms, rarity)
    return earliness + nearness + numbers + claims - continuation


@lru_cache(maxsize=4096)  # only the sentences that can be taken are counted, some of them often
def _count_terms(text: str) -> Mapping[str, int]:
    """Count Latin words and pairs of Han characters."""
    terms: list[str] = []
    for token in _TOKEN.findall(text.casefold()):
        if token.isascii():
            terms.append(token)
        else:
            terms += [token[start : start + 2] for start in range(max(1, len(token) - 1))]
    return Counter(terms)


def _measure_rarity(sentences: Sequence[_Sentence]) -> dict[str, float]:
    """Measure for each term how few of the sentences have it (inverse document frequency)."""
    sentence_counts = Counter(term for sentence in sentences for term in sentence.terms)
    return {term: log((1 + len(sentences)) / count) for term, count in sentence_counts.items()}


class _TermVector:
    """Terms with their weights, as a vector."""

    def __init__(self, terms: Mapping[str, int], rarity: dict[str, float]) -> None:
        self._weights = {term: (1 + log(count)) * rarity.get(term, 0.0) for term, count in terms.items()}
        self._length = sqrt(sum(weight * weight for weight in self._weights.values()))

    def measure_nearness(self, terms: Mapping[str, int], rarity: dict[str, float]) -> float:
        """Measure the cosine between these terms and the terms of a sentence."""
        weights = {term: (1 + log(count)) * rarity[term] for term, count in terms.items()}
        length = sqrt(sum(weight * weight for weight in weights.values()))
        if not length or not self._length:
            return 0.0
        dot_product = sum(weight * self._weights.get(term, 0.0) for term, weight in weights.items())
        return dot_product / (length * self._length)
