"""What the page says: Chinese, and English for each of it."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["zh", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

_ENGLISH: Final[dict[str, str]] = {
    # pages
    "候选": "Candidates",
    "本期": "Issue",
    "来源": "Sources",
    "归档": "Archive",
    "登录": "Log in",
    "退出": "Log out",
    "跳到正文": "Skip to content",
    "浅色": "Light",
    "深色": "Dark",
    "随系统": "System",
    # candidates
    "全部": "All",
    "目标 {quota} · 已选 {picked}": "{picked} of {quota}",
    "{count} 条": "{count}",
    "{count} 条新候选": "{count} new",
    "更多": "More",
    "搜索标题、来源、摘要": "Search titles, sources, digests",
    "时间": "Time",
    "不限": "Any",
    "一天内": "A day",
    "三天内": "Three days",
    "一周内": "A week",
    "两周内": "Two weeks",
    "一个月内": "A month",
    "种类": "Kind",
    "状态": "State",
    "推广": "Promotion",
    "不看推广": "None",
    "只看推广": "Only",
    "筛选": "Filter",
    "清除": "Clear",
    "待选": "New",
    "已选": "Picked",
    "不用": "Dropped",
    "以后": "Later",
    "已刊": "Published",
    "选用": "Pick",
    "撤回": "Undo",
    "编辑": "Edit",
    "原文": "Original",
    "预览": "Preview",
    "移到": "Move to",
    "理由": "Reasons",
    "摘要": "Digest",
    "还没有摘要": "No digest yet",
    "同题报道": "Other reports",
    "归为一件事的依据": "Why these are one story",
    "链接": "Links",
    "{count} 篇同题": "{count} reports",
    "已在 {date} 收录": "Printed on {date}",
    "文章改过 {count} 次": "Edited {count} times since first seen",
    "没有候选。": "No candidates.",
    "换个栏目或放宽筛选看看；新文章抓来之后会出现在这里。": "Try another category or fewer filters.",
    "这一栏看完了。": "You have seen them all.",
    "标题": "Title",
    "保存": "Save",
    "取消": "Cancel",
    "合并": "Merge",
    "标记": "Mark",
    "拆开": "Split",
    # kinds
    "wechat": "WeChat",
    "zhihu": "Zhihu",
    "arxiv": "arXiv",
    "github": "GitHub",
    "feed": "Feed",
    "web": "Web",
}

_CHINESE: Final[dict[str, str]] = {
    "wechat": "公众号",
    "zhihu": "知乎",
    "arxiv": "arXiv",
    "github": "GitHub",
    "feed": "订阅",
    "web": "网页",
    "by-hand": "手工合并",
    "reprint": "转载",
    "names": "互相提到",
    "shared-reference": "同一论文或仓库",
    "near-text": "正文几乎相同",
    "same-title": "标题相同",
    "similar-title": "标题相近",
    "new": "待选",
    "picked": "已选",
    "dropped": "不用",
    "later": "以后",
    "published": "已刊",
    "zh": "中文",
    "en": "英文",
    "ja": "日文",
    "ko": "韩文",
}


def translated(words: str, language: Language) -> str:
    """Words of the page in a language; what nobody translated stays as it is.

    >>> translated("候选", "en"), translated("wechat", "zh"), translated("某栏", "en")
    ('Candidates', '公众号', '某栏')
    """
    return (_ENGLISH if language == "en" else _CHINESE).get(words, words)
