"""Pages that stand in front of any site: a challenge to prove oneself human, a firewall's refusal."""

from __future__ import annotations

from typing import Final

from crawler.errors import Blocked
from crawler.items import Reply

_SEARCHED: Final = 100_000  # characters; these pages are short, and long pages may speak of them

_UNNAMED: Final = "?"
"""The name of a challenge whose maker the page does not tell."""

_MARKS: Final = (
    ("_cf_chl_opt", "Cloudflare"),
    ("cf-error-details", "Cloudflare"),
    ("DDoS-Guard", "DDoS-Guard"),
    ("_Incapsula_Resource", "Imperva"),
    ("geo.captcha-delivery.com", "DataDome"),
    ("aliyun_waf", "Aliyun"),
    ("acw_sc__v2", "Aliyun"),
    ("/.within.website/x/cmd/anubis/", "Anubis"),
    ("<title>Just a moment...</title>", "Cloudflare"),
    ("<title>安全验证", _UNNAMED),
    ("<title>百度安全验证", _UNNAMED),
    ("完成验证后即可继续访问", "WeChat"),
)


def refuse_challenge(text: str, reply: Reply) -> None:
    """Stop where a challenge stands instead of the page.

    Args:
        text: the reply's body, decoded.

    Raises:
        Blocked: it does; says whose.
    """
    head = text[:_SEARCHED]
    whose = "Cloudflare" if reply.headers.get("cf-mitigated") == "challenge" else ""
    whose = whose or next((whose for mark, whose in _MARKS if mark in head), "")
    if whose == _UNNAMED:
        raise Blocked("verification", url=reply.url)
    if whose:
        raise Blocked("challenge", url=reply.url, whose=whose)
