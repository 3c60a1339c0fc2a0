"""Chinese names of states, errors and kinds, for the editor."""

from __future__ import annotations

from typing import Final

from crawler.kinds import KINDS

STATE_NAMES: Final = {"new": "待选", "picked": "已选", "dropped": "不用", "later": "以后", "published": "已刊"}
"""Name of each `CandidateState`."""

ERROR_NAMES: Final = {
    "Blocked": "被拦",
    "FetchFailed": "没取到",
    "Gone": "已不在",
    "NoArticle": "读不成文章",
    "PageChanged": "页面认不出",
    "RateLimited": "对方要求稍后再来",
    "Refused": "不许访问",
    "SourceMisconfigured": "来源配置有误",
    "TooLarge": "太大",
    "StoreBusy": "数据库正忙",
    "StoreFull": "磁盘已满",
}
"""Name of each class of error on the terminal; JSON and logs hold the class name."""

KIND_NAMES: Final = {name: row.article.chinese for name, row in KINDS.items()}
"""Name of an article of each kind."""
