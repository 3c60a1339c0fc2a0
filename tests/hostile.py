"""Titles and markup that a hostile page sends."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    *"\\`*_{}[]()#+-.!|<>~^$&%:;=/@1aé中²💎 \n\u3000",
    *("{{", "{%", "%}", "{:", "---", "===", "**", "__", "~~", "```", "&lt;", "&#60;", "<b>", "](", "]: ", "[^1]"),
    *("- ", "# ", "> ", "1. ", "2)", ": ", "https://a.example/", "www.a.example", "{% include x %}"),
)


MARKUP = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


HOSTILE = [
    "{{ site.github.token }} 与 {% include secret.html %}",
    "{: onclick='alert(1)'} 标题 {::nomarkdown}",
    "a | b || c\\| d",
    "点我](javascript:alert(1)) 看图 ![x](data:text/html,y)",
    "第一行\n## 第二行\r\n- 第三行",
    "- 列表",
    "1. 编号",
    "2) 编号",
    "# 标题",
    "> 引用",
    "<https://evil.example> <a@evil.example>",
    "<script>alert(1)</script><img src=x onerror=y> <!-- -->",
    "`code` ``code`` ```",
    "💎 1MB 的模型 📊",
    "===",
    "---",
    "***粗斜*** __粗__ ~~删~~ ~波浪~ _斜_",
    "&lt;b&gt; &#60; &copy; AT&T",
    "$E=mc^2$ 与 $$x$$",
    "[x]: https://evil.example",
    "[^1]: 脚注 [^1]",
    ": 定义",
    "^",
    "\\{% raw %} \\\\ 结尾\\",
]
