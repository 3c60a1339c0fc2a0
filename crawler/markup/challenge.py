"""Pages that stand in front of any site: a challenge to prove oneself human, a firewall's refusal."""

from __future__ import annotations

from typing import Final

from crawler.errors import Blocked
from crawler.items import Reply

_SEARCHED: Final = 100_000  # characters; these pages are short, and long pages may speak of them

_MARKS: Final = (
    ("_cf_chl_opt", "Cloudflare's challenge"),
    ("cf-error-details", "Cloudflare's refusal"),
    ("DDoS-Guard", "DDoS-Guard's challenge"),
    ("_Incapsula_Resource", "Imperva's challenge"),
    ("geo.captcha-delivery.com", "DataDome's challenge"),
    ("aliyun_waf", "Aliyun's challenge"),
    ("acw_sc__v2", "Aliyun's challenge"),
    ("/.within.website/x/cmd/anubis/", "Anubis's challenge"),
    ("<title>Just a moment...</title>", "Cloudflare's challenge"),
    ("<title>安全验证", "a verification"),
    ("<title>百度安全验证", "a verification"),
    ("完成验证后即可继续访问", "WeChat's verification"),
)


def refuse_challenge(text: str, reply: Reply) -> None:
    """Stop where a challenge stands instead of the page.

    Args:
        text: the reply's body, decoded.

    Raises:
        Blocked: it does; says whose.
    """
    head = text[:_SEARCHED]
    whose = "Cloudflare's challenge" if reply.headers.get("cf-mitigated") == "challenge" else ""
    whose = whose or next((whose for mark, whose in _MARKS if mark in head), "")
    if whose:
        raise Blocked(f"{whose} stands where the page should be", url=reply.url)
