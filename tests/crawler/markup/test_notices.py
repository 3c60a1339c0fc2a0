"""Notices in the place of articles: one table for pages and mirrors."""

from __future__ import annotations

import pytest

from crawler.errors import Blocked, CrawlError, Gone, RateLimited
from crawler.markup.notices import error_of_notice, is_notice

NOTICES = [
    ("环境异常 当前环境异常，完成验证后即可继续访问。 去验证", Blocked),
    ("访问过于频繁，请用微信扫描二维码进行访问", Blocked),
    ("请在微信客户端打开链接", Blocked),
    ("内容审核中", RateLimited),
    ("系统繁忙，请稍后再试", RateLimited),
    ("操作频繁，请稍后再试", RateLimited),
    ("获取全文失败，请重试~", RateLimited),
    ("该内容已被发布者删除", Gone),
    ("此内容因违规无法查看", Gone),
    ("此内容被投诉且经审核涉嫌侵权，无法查看。", Gone),
    ("此内容发送失败无法查看", Gone),
    ("该公众号已迁移", Gone),
    ("该帐号已被屏蔽，内容无法查看", Gone),
    ("此账号已自主注销，内容无法查看", Gone),
    ("链接已过期", Gone),
    ("参数错误", Gone),
    ("Unable to view this content because it violates regulations", Gone),
    ("This content has been deleted by the author.", Gone),
    ("DELETED", Gone),
]


@pytest.mark.parametrize(("notice", "error"), NOTICES)
def test_a_page_and_a_mirror_know_the_same_notices(notice: str, error: type[CrawlError]) -> None:
    assert error_of_notice(notice) is error
    assert is_notice(notice)


@pytest.mark.parametrize(
    "text",
    [
        "海洋环境异常的监测与预报",
        "内容审核中的大模型：一年实践",
        "我们删除了一半权重，精度不变。",
        "验证集上的结果见下表。",
        "该内容已被发布者删除——当读者看到这句话时，" + "文章其实还在，只是换了地方。" * 20,
        "An account of how we removed half of the weights",
    ],
)
def test_an_article_that_speaks_of_such_things_is_no_notice(text: str) -> None:
    assert not is_notice(text)
