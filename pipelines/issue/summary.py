"""Article -> the sentences of its own that tell what it claims, and by which numbers. Extractive: no word is made up.

What is weighed, for each sentence: how early it stands, how much it says of the title and of the page's own digest, how
near it is to the whole text, measurements, words of a claim; and against it, that it leans on the sentence before it.
What asks a question or points at a picture is taken only where there is nothing else; what asks the reader to follow,
scan or click is no sentence of the article.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log, sqrt
from typing import Final

from crawler.kinds import PAPERS, REPOSITORIES
from pipelines.issue.escape import cleaned
from pipelines.issue.inline import plain
from pipelines.model import Article, Candidate
from pipelines.text import HAN_RANGE

MOST_SENTENCES: Final = 5
LEAST_SENTENCES: Final = 2

MOST_SENTENCES_READ: Final = 200
"""Of a text; what a long one claims stands before."""

SHORTEST: Final = 20
"""Characters. A shorter paragraph is a caption or a greeting, not a summary."""


FILLER: Final = 0.3
"""A sentence that scores less than this part of the best one only fills up."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a summary says, in characters.

    Args:
        wanted: no sentence is added to one that has so many.
        most: of the whole.
        sentence: the longest sentence that is taken whole.
    """

    wanted: int
    most: int
    sentence: int


HAN: Final = Bounds(wanted=130, most=300, sentence=180)
"""For a text written in Han characters; 133 is the median of what the editor writes."""

LATIN: Final = Bounds(wanted=300, most=600, sentence=400)
"""For any other text: a Han character says as much as some two and a half letters."""


def bounds_of(text: str) -> Bounds:
    """How long a summary of this text, or one that says this, may be.

    >>> bounds_of("把 ResNet 量化到 INT8").most, bounds_of("We quantise it.").most
    (300, 600)
    """
    return HAN if len(_HAN.findall(text)) * 5 >= len(text) else LATIN


def summarise(candidate: Candidate, head: str) -> str:
    """The summary that an editor starts from: sentences of the lead article, else of another one of the story.

    A paper's are from its abstract. A repository's are its description and what its latest release's notes say first.

    Args:
        head: the entry's first line as a reader sees it: what that says is not said again.

    Returns:
        Plain text, in one line. Where no article has a sentence, as much of the first paragraph as may stand; empty
        where no article says anything more.
    """
    lead = candidate.lead
    stored = (lead, *(one for one in candidate.articles if one is not lead))
    articles = [one.article for one in stored]
    if lead.article.kind in REPOSITORIES:
        articles = [*(one for one in articles if one.kind in REPOSITORIES), *articles]
        releases = sorted(
            (one for one in articles if "tag" in one.facts), key=lambda one: one.published.at, reverse=True
        )
        notes = next((found for one in releases if (found := extract(_unmarked(one), head))), ())
        about = next((one.summary for one in articles if one.kind in REPOSITORIES and _new(one.summary, head)), "")
        if about or notes:
            return joined([*filter(None, [cleaned(about)]), *notes])
    for one in articles:
        if found := extract(one, head):
            return joined(found)
    paragraphs = (said for one in articles for said in (one.summary, *one.text.split("\n", 6)[:6]))
    return capped(next((cleaned(said) for said in paragraphs if _new(said, head) and not _ASIDE.search(said)), ""))


def _unmarked(article: Article) -> Article:
    """Release notes without their Markdown."""
    lines = (plain(_MARKS.sub("", line)) for line in article.text.split("\n"))
    notes = "\n".join(line for line in lines if line)
    return Article(**{name: getattr(article, name) for name in _FIELDS} | {"text": notes})


_MARKS: Final = re.compile(r"^\s*(?:[>#]+\s*|[*+-]\s+|\d{1,3}[.)]\s+)+")
"""Of quotations, headings and lists."""
_FIELDS: Final = tuple(Article.__slots__)


def joined(sentences: Iterable[str]) -> str:
    """Sentences in one line, and never more than allowed: those that have no end of their own get a semicolon.

    >>> joined(["快了两倍。", "精度不掉。"]), joined(["It is fast.", "Int8", "Int4"]), joined(["新增甲", "修了乙"])
    ('快了两倍。精度不掉。', 'It is fast. Int8; Int4', '新增甲；修了乙')
    """
    said = ""
    for one in sentences:
        han = _HAN_END.search(said) or _HAN.match(one)
        gap = ("" if _ENDED.search(said) else "；" if han else ";") + ("" if han else " ") if said else ""
        if said and len(said) + len(gap) + len(one) > bounds_of(said + one).most:
            break
        said += gap + one
    return capped(said)


def capped(text: str) -> str:
    """At most what its writing allows, up to the end of a sentence, else of a clause, in the second half of that.

    >>> capped("一句。" + "字" * 400)[-3:], capped(("句" * 99 + "。") * 4)[-3:], capped(("句" * 99 + "，") * 4)[-3:]
    ('字字…', '句句。', '句句句')
    """
    most = bounds_of(text).most
    if len(text) <= most:
        return text
    cut = text[:most]
    for ending in (r"[。！？!?；]|\.(?=\s)|\A", r"[，,、;\s]|\A"):
        end = max(match.end() for match in re.finditer(ending, cut))
        if end > most // 2:
            return cut[:end].rstrip("，,、; ")
    return cut[:-1] + "…"


# ---- Sentences


_HAN: Final = re.compile(f"[{HAN_RANGE}]")
_HAN_END: Final = re.compile(rf"[\u3000-\u303f{HAN_RANGE}\uff00-\uffef”’][\"')\]]*$")
_END: Final = re.compile(
    rf"(?:[。！？]|[!?](?=[!?\s{HAN_RANGE}”’」』）)\"']|$)|……)+[”’」』）)\]\"']*"  # whatever follows
    rf"|(?<=[^\s.])\.[”’\"')\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9{HAN_RANGE}])"  # of a Latin one, before a capital
)
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|et al|vs|cf|Fig|Figs|Eq|Eqs|Sec|Tab|Ref|No|Dr|Mr|Ms|Mrs|Prof|St|Inc|Ltd|Co|approx|resp)"
    r"|\b[A-Z])\.$"
)
_PAIRS: Final = ("“”", "‘’", "「」", "『』", "（）", "()", "《》", "【】")


def sentences(text: str) -> tuple[tuple[str, ...], ...]:
    """A text's paragraphs, each as its sentences; together they are the text, but for blanks between them.

    >>> sentences("他说：“快。真快。”是的。\\nSee Fig. 2. It is 2.5 x faster.")
    (('他说：“快。真快。”', '是的。'), ('See Fig. 2.', 'It is 2.5 x faster.'))
    """
    return tuple(tuple(_in_paragraph(line)) for line in text.split("\n") if line.strip())


def _in_paragraph(line: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(line):
        piece = line[start : match.end()]
        if _ABBREVIATION.search(piece) or (_open(piece) and len(piece) < LATIN.sentence):
            continue
        if piece.strip():
            yield piece.strip()
        start = match.end()
    if line[start:].strip():
        yield line[start:].strip()


def _open(piece: str) -> bool:
    """Whether a quotation or a parenthesis of it is still open."""
    return any(piece.count(pair[0]) > piece.count(pair[1]) for pair in _PAIRS)


_ENDED: Final = re.compile(r"[。！？!?…；;.][”’」』）)\]\"']*$")
_ASIDE: Final = re.compile(
    r"点击上方|点击下方|点击蓝字|蓝字|关注|星标|扫码|扫描|扫一扫|二维码|长按|识别图中|公众号|小程序|来源|邮件联系|合作请|请联系|转载|授权|投稿"
    r"|阅读原文|点赞|在看|转发|留言|评论区|订阅|加群|进群|入群|微信号|客服|报名|招聘|优惠|福利|抽奖|版权|侵权|声明"
    r"|编辑[：:|丨/]|编译[：:|丨/]|作者[：:|丨/]|责编|校对|排版|出品|记者[：:|]|撰文|译者|图源|图注|图片由|本报讯"
    r"|小编|大家好|你好|各位(?:读者|朋友|同学)|亲爱的|欢迎|感谢|谢谢|敬请|往期|推荐阅读|相关阅读|更多(?:精彩|内容|详情)"
    r"|\b(?:follow us|subscribe|sign up|click here|read more|share this|all rights reserved|cookies?|newsletter)\b"
    r"|\b(?:source|photo|image|credit)\s*:|^(?:by|via)\s|https?://|www\.",
    re.IGNORECASE,
)
"""What no sentence that goes into an issue says: it asks for something, or says who made the page."""
_PICTURE: Final = re.compile(
    r"如(?:下|上|左|右)?图|(?:下|上|左|右|见)图|图\s?\d|表\s?\d|如下[：:]?$|所示|：$|\b(?:fig(?:ure)?|table)\b", re.I
)
_LEANS: Final = re.compile(
    r"(?:但是?|然而|不过|因此|所以|此外|另外|同时|其次|再次|最后|而且|并且|于是|接着|这|那|它|他|她|其|该"
    r"|however|but|and|also|therefore|thus|hence|moreover|furthermore|besides|then|this|these|those|it|they|he|she)"
    rf"(?=[{HAN_RANGE}，,\s])",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(r"[？?][”’」』\"']*$")
_MEASURED: Final = re.compile(
    r"\d[\d.,]*\s?(?:%|％|倍|×|x\b|nm|纳米|ms|毫秒|秒|fps|帧|[KMGT]i?B\b|[MG]?Hz|TOPS|[GT]?FLOPS|W\b|瓦|美元|亿|万|元"
    r"|层|bits?\b|-?bit|位|个百分点|张|核|percent|times|million|billion|hours?|seconds?|points?|params?|parameters)",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(?<![A-Za-z-])\d+(?:\.\d+)?")
_CLAIM: Final = re.compile(
    r"提出|设计了|实现了?|达到|超过|超越|优于|提升|提高|降低|减少|压缩|加速|仅需|只需|首次|首个|首款|最(?:快|小|高|新|强)"
    r"|发布|推出|宣布|开源|支持|上线|采用|基于|证明|发现|表明|结果|实验|解决|称|相比|同比|增长|下降|突破"
    r"|\b(?:we (?:propose|present|introduce|show|find|demonstrate|develop|describe|study|report)|this (?:paper|work)"
    r"|our (?:method|approach|model|results?|experiments?)|outperform\w*|achiev\w*|improv\w*|reduc\w*|faster|smaller"
    r"|state[- ]of[- ]the[- ]art|announc\w*|releas\w*|launch\w*|introduc\w*|support\w*|new|first|results?)\b",
    re.IGNORECASE,
)
_BULLET: Final = re.compile(r"^(?:(?:[-–—•·*▪■□●◆※]|\d{1,2}[、）](?!\d))[\s\-]*)+")
_ITS_NAME: Final = re.compile(
    r"^(?:【(?:(?:内容|文章)?摘要|导读|导语|引言|简介|编者按)】\s*[:：]?|(?:(?:内容|文章)?摘要|导读|导语|编者按)\s*[:：]"
    r"|Abstract\s*[:：.—–])\s*",
    re.IGNORECASE,
)
"""With which a page begins what it says of itself: the entry has that word already."""
_CODE: Final = re.compile(r"[;{}]$|\w\(.*\);|[=!]=|=>|::|</|\b\w+\.\w+\(|\$\w")
_LETTER: Final = re.compile(r"[^\W\d_]")
_TOKEN: Final = re.compile(rf"[a-z0-9]+|[{HAN_RANGE}]+")


def no_part_of_a_summary(text: str) -> bool:
    """Whether a text asks to follow, scan or click, or says who made the page.

    >>> no_part_of_a_summary("扫码关注我们"), no_part_of_a_summary("快了两倍。")
    (True, False)
    """
    return bool(_ASIDE.search(text))


@dataclass(frozen=True, slots=True)
class _Sentence:
    place: int
    text: str
    terms: Counter[str]


def extract(article: Article, head: str = "") -> tuple[str, ...]:
    """Two to five of the article's own sentences in their order, each as it stands in the text.

    Args:
        article: whose text, or digest where it has none, is read.
        head: what is said beside the summary, and so is not said again.

    Returns:
        Fewer than two where the article has no more; none where it has nothing to say.
    """
    texts = (article.text, article.summary) if article.kind not in PAPERS else (article.summary, article.text)
    found: tuple[str, ...] = ()
    for text in texts:
        about = f"{article.title} {article.summary if text is article.text else ''}"
        chosen = _chosen(text, about, head)
        if len(chosen) >= LEAST_SENTENCES:
            return chosen
        if sum(map(len, chosen)) > sum(map(len, found)):
            found = chosen
    return found


@lru_cache(maxsize=4096)  # a list is leafed through again and again, and a draft takes a millisecond
def _chosen(text: str, about_it: str, head: str) -> tuple[str, ...]:
    bounds = bounds_of(text)
    fit = [one for one in _read(text) if _fits(one, bounds) and _new(one.text, head)]
    for better in (_is_whole, _stands_alone):
        good = [one for one in fit if better(one)]
        fit = good if len(good) >= LEAST_SENTENCES else fit
    if not fit:
        return ()
    rare = _rarity(fit)
    about = _Weighed(_terms(about_it), rare)
    whole = Counter[str]()
    for one in fit:
        whole.update(one.terms)
    centre = _Weighed(whole, rare)
    scored = [(_score(one, about, centre, rare), one) for one in fit]
    scored.sort(key=lambda pair: (-pair[0], pair[1].place))
    chosen: list[_Sentence] = []
    length = 0
    for score, one in scored:
        enough = length >= bounds.wanted or score < FILLER * scored[0][0]
        if len(chosen) == MOST_SENTENCES or (enough and len(chosen) >= LEAST_SENTENCES):
            break
        if length + len(one.text) > bounds.most or any(_repeats(one, other) for other in chosen):
            continue
        chosen.append(one)
        length += len(one.text) + 1
    return tuple(one.text for one in sorted(chosen, key=lambda one: one.place))


def _read(text: str) -> Iterator[_Sentence]:
    place = 0
    for paragraph in sentences(text):
        for one in paragraph:
            said = _ITS_NAME.sub("", _BULLET.sub("", cleaned(one)))
            if said and not _ASIDE.search(said):
                yield _Sentence(place, said, _terms(said))
                place += 1
            if place == MOST_SENTENCES_READ:
                return


def _fits(one: _Sentence, bounds: Bounds) -> bool:
    """Whether a sentence is one: neither a caption nor code, and not half a page."""
    letters = len(_LETTER.findall(one.text))
    shortest = SHORTEST if bounds is HAN else 2 * SHORTEST
    return shortest <= len(one.text) <= bounds.sentence and letters * 2 > len(one.text) and not _CODE.search(one.text)


def _is_whole(one: _Sentence) -> bool:
    return bool(_ENDED.search(one.text))


def _stands_alone(one: _Sentence) -> bool:
    """Whether it neither asks nor points at a picture that is not there."""
    return not (_ASKS.search(one.text) or _PICTURE.search(one.text))


def _new(text: str, head: str) -> bool:
    said = cleaned(text)
    return len(said) >= SHORTEST and said not in cleaned(head)


def _terms(text: str) -> Counter[str]:
    """Latin words and pairs of Han characters."""
    terms: Counter[str] = Counter()
    for run in _TOKEN.findall(text.casefold()):
        if run.isascii():
            terms[run] += 1
        else:
            terms.update(run[at : at + 2] for at in range(max(1, len(run) - 1)))
    return terms


def _rarity(found: Sequence[_Sentence]) -> dict[str, float]:
    within = Counter(term for one in found for term in one.terms)
    return {term: log((1 + len(found)) / count) for term, count in within.items()}


class _Weighed:
    """Terms by their weight, and how near a sentence's are."""

    def __init__(self, terms: Counter[str], rare: dict[str, float]) -> None:
        self._weights = {term: (1 + log(count)) * rare.get(term, 0.0) for term, count in terms.items()}
        self._length = sqrt(sum(weight * weight for weight in self._weights.values()))

    def nearness(self, terms: Counter[str], rare: dict[str, float]) -> float:
        """The cosine."""
        mine = {term: (1 + log(count)) * rare[term] for term, count in terms.items()}
        length = sqrt(sum(weight * weight for weight in mine.values()))
        if not length or not self._length:
            return 0.0
        return sum(weight * self._weights.get(term, 0.0) for term, weight in mine.items()) / (length * self._length)


def _score(one: _Sentence, about: _Weighed, centre: _Weighed, rare: dict[str, float]) -> float:
    early = 2 / (1 + one.place / 2)
    numbers = 0.25 * min(2, len(_MEASURED.findall(one.text))) + 0.1 * bool(_NUMBER.search(one.text))
    leaning = 0.3 * bool(one.place and _LEANS.match(one.text))
    claims = 0.15 * min(3, len(_CLAIM.findall(one.text)))
    said = 2 * about.nearness(one.terms, rare) + centre.nearness(one.terms, rare)
    return early + said + numbers + claims - leaning


def _repeats(one: _Sentence, other: _Sentence) -> bool:
    """Whether most of what it says, another one says."""
    shared = sum((one.terms & other.terms).values())
    return shared * 10 > 6 * min(sum(one.terms.values()), sum(other.terms.values()))
