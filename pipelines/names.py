"""What states, errors and kinds are called where an editor reads them."""

from __future__ import annotations

from typing import Final

STATE_NAMES: Final = {"new": "待选", "picked": "已选", "dropped": "不用", "later": "以后", "published": "已刊"}


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
"""What the errors are called on the terminal; in JSON and in logs they keep their own names."""


KIND_NAMES: Final = {
    "wechat": "公众号文章",
    "zhihu": "知乎文章",
    "arxiv": "arXiv 论文",
    "github": "GitHub 仓库",
    "feed": "订阅源文章",
    "web": "网页",
}
