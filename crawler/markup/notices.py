"""Notices that WeChat shows in the place of an article: one table for its pages and for mirrors, which keep them."""

from __future__ import annotations

import re
from typing import Final

from crawler.errors import Blocked, CrawlError, Gone, RateLimited

_BLOCKED: Final = (
    "环境异常", "验证", "访问过于频繁", "扫描二维码", r"在微信(?:客户端)?(?:中)?打开", "登录后", "verif",
    "unusual", "captcha", "scan the qr", r"open (?:it |this |the link )?in (?:wechat|weixin)",
)  # fmt: skip
_LATER: Final = (
    r"稍[后候]", r"系统(?:出错|繁忙|错误)", "频繁", r"审核中(?!的)", "正在审核", "加载失败", "获取全文失败",
    r"网络(?:异常|错误)", "try again", r"system (?:error|busy)", "under review", r"too (?:many|frequent)",
)  # fmt: skip
_GONE: Final = (
    "删除", "违规", "违反", r"无法(?:进行)?(?:查看|访问|显示|打开)", "不存在", "过期", "失效", "迁移", "注销",
    "屏蔽", "封禁", "封号", "冻结", "投诉", "侵权", "不实", r"停止(?:访问|服务|使用)", "参数错误", "下架",
    "不可见", "仅自己可见", "发送失败", "撤回", "转移", "deleted", "removed", "violat", "available",
    "unable to view", r"(?:be|cannot|can not|can't) view", "expired", "migrat", "invalid", "reported",
    "blocked", "suspended", "does not exist", "no longer exist",
)  # fmt: skip
_NOTICES: Final[tuple[tuple[type[CrawlError], re.Pattern[str]], ...]] = tuple(
    (error, re.compile("|".join(phrases), re.IGNORECASE))
    for error, phrases in ((Blocked, _BLOCKED), (RateLimited, _LATER), (Gone, _GONE))
)
"""The error that a notice stands for, by its words; the first row that fits."""

_SUBJECT: Final = "(?:内容|文章|图文|消息|公众号|公众帐号|帐号|账号|页面|网页|链接|视频|用户)"
_OPENINGS: Final = (
    rf"(?:该|此|本|当前|此篇|您?访问的|你?所?查看的){_SUBJECT}",
    rf"{_SUBJECT}(?:已|被|因|不|正在|无法|暂|审核|发送|加载)", "当前环境", "环境异常",
    r"由?于?(?:用户)?(?:被人?投诉|违规)", "系统", "参数错误", "访问过于频繁", r"操作(?:过于)?频繁",
    "获取全文失败", r"请(?:在微信|使用微信|用微信|完成验证|稍)", "未知错误", r"网络(?:异常|错误)", "加载失败",
    "去验证", "请输入验证码", "(?:安全|人机)验证", "unable to", "deleted$",
    r"(?:this|the|your) (?:content|article|account|page|link|post|access|visit)",
    r"(?:content|article|account|link) (?:has|is|un)", r"(?:please )?open (?:it |this |the link )?in",
    "parameter error", r"(?:invalid|system|environment) ", "please verify", "verification required",
    r"too (?:many|frequent)",
)  # fmt: skip
_OPENING: Final = re.compile(
    rf"\W{{0,3}}(?:抱歉\W{{0,2}}|提示\W{{0,2}}|sorry\W{{1,2}})?(?:{'|'.join(_OPENINGS)})", re.IGNORECASE
)
"""The beginning of a notice that is a whole text: 该内容…, 参数错误, This content has been deleted by the author."""
_LONGEST: Final = 140
"""Characters; an article that quotes a notice is longer, or begins otherwise."""


def error_of_notice(notice: str) -> type[CrawlError] | None:
    """The error that a notice of a page stands for.

    Args:
        notice: the words that the page shows in the place of an article.

    Returns:
        None for a notice that the table does not know.
    """
    return next((error for error, pattern in _NOTICES if pattern.search(notice)), None)


def is_notice(text: str) -> bool:
    """Whether the whole text of an article is a notice: it is short, and begins and speaks as notices do.

    >>> [is_notice(text) for text in ("此内容因违规无法查看", "我们删除了一半权重，精度不变。", "内容审核中的大模型")]
    [True, False, False]
    """
    return len(text) <= _LONGEST and _OPENING.match(text) is not None and error_of_notice(text) is not None
