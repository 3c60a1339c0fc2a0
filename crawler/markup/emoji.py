"""Emoji codes, as GitHub's API gives them (`:rocket:`), as characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CODE: Final = re.compile(r":([a-z0-9_+-]{1,40}):")

_NAMES: Final = {
    "+1": "👍", "-1": "👎", "100": "💯", "arrow_down": "⬇️", "arrow_right": "➡️", "art": "🎨",
    "ballot_box_with_check": "☑️", "beers": "🍻", "bento": "🍱", "boom": "💥",
    "building_construction": "🏗️", "bulb": "💡", "card_file_box": "🗃️", "checkered_flag": "🏁",
    "clap": "👏", "cloud": "☁️", "coffee": "☕", "computer": "💻", "cn": "🇨🇳", "construction": "🚧",
    "dart": "🎯", "desktop_computer": "🖥️", "earth_africa": "🌍", "earth_americas": "🌎",
    "earth_asia": "🌏", "email": "📧", "exclamation": "❗", "gear": "⚙️", "hammer_and_wrench": "🛠️",
    "heart": "❤️", "heavy_check_mark": "✔️", "hugs": "🤗", "iphone": "📱", "information_source": "ℹ️",
    "label": "🏷️", "laughing": "😆", "mag": "🔍", "mag_right": "🔎", "mailbox": "📫",
    "medal_military": "🎖️", "muscle": "💪", "ok_hand": "👌", "pencil": "📝", "pencil2": "✏️", "pray": "🙏",
    "racing_car": "🏎️", "raised_hands": "🙌", "recycle": "♻️", "robot": "🤖", "rotating_light": "🚨",
    "satellite": "📡", "shield": "🛡️", "smile": "😄", "smiley": "😃", "star": "⭐", "star2": "🌟",
    "stars": "🌠", "stop_sign": "🛑", "sunny": "☀️", "tada": "🎉", "thinking": "🤔", "thumbsup": "👍",
    "timer_clock": "⏲️", "tm": "™️", "truck": "🚚", "tv": "📺", "us": "🇺🇸", "warning": "⚠️", "wave": "👋",
    "white_check_mark": "✅", "wink": "😉", "x": "❌", "zap": "⚡",
}  # fmt: skip
"""Codes whose character has another name in Unicode (github/gemoji, db/emoji.json)."""


def read_emoji_codes(text: str) -> str:
    """The text with the emoji that its codes stand for; what is no code of an emoji stays.

    >>> read_emoji_codes(":rocket: fast :zap: at 10:30:00, std::vector, :no_such_code:")
    '🚀 fast ⚡ at 10:30:00, std::vector, :no_such_code:'
    """
    return _CODE.sub(lambda match: _emoji(match[1]) or match[0], text) if ":" in text else text


def _emoji(code: str) -> str:
    if code in _NAMES:
        return _NAMES[code]
    try:
        character = unicodedata.lookup(code.replace("_", " ").upper())
    except KeyError:
        return ""
    return character if len(character) == 1 and unicodedata.category(character) == "So" else ""
