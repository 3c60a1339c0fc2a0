"""Text and titles as they are stored: clean, readable, without what is not the article's."""

from __future__ import annotations

import unicodedata

import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.normalise.html import MAX_LINKS, Content, read_html
from pipelines.normalise.text import MAX_TEXT, clean_line, clean_text, clean_title, read_text
from pipelines.normalise.titles import Title, split_title
from pipelines.rules import Rules, load_rules

RULES = load_rules(Home(bundled()))
PAGE = "https://blog.example/posts/1"
BODY = "我们把模型量化到八位，精度几乎不变。"


def html(source: str, rules: Rules) -> Content:
    return read_html(source, PAGE, rules)


# ---- Characters


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("量化\x00框架", "量化框架"),
        ("量化\x1b[31m", "量化[31m"),
        ("量化\ud83d框架", "量化框架"),
        ("\ufeff量化\u200b框架\u2060", "量化框架"),
        ("量化\u202egnp.exe\u202c", "量化gnp.exe"),
        ("量\u200d化", "量化"),
        ("工程师👩\u200d💻", "工程师👩\u200d💻"),
        ("看得见\U000e0041\U000e0042", "看得见"),
        ("soft\u00adware", "software"),
        ("cafe\u0301", "café"),
        ("一\r\n二\r三\u2028四\u2029五", "一\n二\n三\n四\n五"),
        ("（全角）Ａ１", "（全角）Ａ１"),
    ],
)
def test_characters_that_are_no_text_go(raw: str, expected: str) -> None:
    assert clean_text(raw) == expected


@pytest.mark.parametrize("text", ["模型压缩简报", "It’s a naïve café", "“引号”——破折号"])
@pytest.mark.fault("E4")
def test_double_encoded_text_is_repaired(text: str) -> None:
    assert clean_text(text.encode().decode("cp1252" if text.isascii() else "latin-1")) == text


def test_one_broken_line_does_not_touch_the_others() -> None:
    broken = "量化".encode().decode("latin-1")
    assert clean_text(f"好的一行 Ä\n{broken}\n又一行") == "好的一行 Ä\n量化\n又一行"


@pytest.mark.parametrize("text", ["Ångström", "façade", "São Paulo", "Ñandú £5", "café–bar"])
@pytest.mark.fault("E4")
def test_sound_text_is_left_alone(text: str) -> None:
    assert clean_text(text) == text


def test_a_line_has_single_blanks() -> None:
    assert clean_line(" 量化\u3000\u00a0框架\n\t发布 ") == "量化 框架 发布"


def test_a_title_that_was_escaped_twice_is_decoded() -> None:
    assert clean_title("A &amp; B &#39;x&#39; &lt;T&gt;") == "A & B 'x' <T>"


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters().filter(lambda character: not "À" <= character <= "ÿ"), max_size=80))
@pytest.mark.fault("E2")
def test_cleaning_twice_is_cleaning_once_and_both_databases_can_store_it(text: str) -> None:
    """Letters that mojibake begins with aside: a control between two of its bytes may hide it once."""
    once = clean_text(text)
    assert clean_text(once) == once
    assert "\x00" not in once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()


# ---- HTML


def test_paragraphs_are_lines(rules: Rules) -> None:
    source = (
        "<div><p>第一段，<b>粗</b>体。</p>\n  <section><span>第二</span><span>段。</span><br>换行。</section></div>"
    )
    assert html(source, rules).text == "第一段，粗体。\n第二段。\n换行。"


def test_lists_tables_and_code_stay_readable(rules: Rules) -> None:
    source = """
      <ul><li>一</li><li><section><p>二</p></section></li></ul>
      <table><tr><th>模型</th><th>时延</th></tr><tr><td><p>小</p></td><td>3 ms</td></tr></table>
      <pre><code>def f(x):</code><code>    return x</code></pre>
      <pre>if (a)\n    b();</pre>
    """
    assert html(source, rules).text.split("\n") == [
        "- 一",
        "- 二",
        "模型 | 时延",
        "小 | 3 ms",
        "def f(x):",
        "    return x",
        "if (a)",
        "    b();",
    ]


def test_a_table_that_is_layout_gives_paragraphs(rules: Rules) -> None:
    cell = f"<td><p>{BODY * 15}</p></td>"
    assert html(f"<table><tr>{cell}{cell}</tr></table>", rules).text == f"{BODY * 15}\n{BODY * 15}"


def test_what_nobody_sees_is_not_text(rules: Rules) -> None:
    source = f"""<style>p {{}}</style><script>var x = "<p>x</p>"</script><noscript>旧</noscript><template>模</template>
      <p style="color: red; display:none">藏</p><p hidden>藏</p><!-- 注 --><svg><text>图</text></svg>
      <div id="js_content" style="visibility: hidden; opacity: 0;"><img alt="图说" src="x.png"><p>{BODY}</p></div>"""
    assert html(source, rules).text == BODY


def test_links_stand_where_their_words_do(rules: Rules) -> None:
    source = (
        '<p>见<a href="https://a.example/1"> 论文 </a>与<a href="/code">代码</a>，'
        '<a href="#top">上</a><a href="javascript:x()">坏</a><a href="mailto:a@b.example">信</a></p>'
    )
    content = html(source, rules)
    assert content.text == "见 论文 与代码，上坏信"
    found = [(link.url, link.label, content.text[link.position or 0 :][:3]) for link in content.links]
    assert found == [("https://a.example/1", "论文", " 论文"), ("https://blog.example/code", "代码", "代码，")]


def test_a_page_cannot_send_our_marks(rules: Rules) -> None:
    content = html("<p>\ufdd00\ufdd1字&#xfdd0;7&#xfdd1;</p><a href='https://a.example/'>链</a>", rules)
    assert [(link.url, content.text[link.position or 0]) for link in content.links] == [("https://a.example/", "链")]
    assert not set(content.text) & set("\ufdd0\ufdd1\ufdd2")


@pytest.mark.parametrize("source", ["", "   ", "<!-- nothing -->", "<p></p>", "<img src='x.png'>", "\x00"])
def test_html_without_text_gives_none(source: str, rules: Rules) -> None:
    assert html(source, rules) == Content("")


@pytest.mark.parametrize("control", ["\x1f", "&#31;", "&#x1F", "&#x1f;", "\ufffe", "&#xFFFF;", "\ud800"])
def test_control_characters_in_html_are_left_out(control: str, rules: Rules) -> None:
    source = f"{control}<p>{control}量化<br>{control}框架</p><ul><li>{control}<a href='/{control}'>{control}链</a></ul>"
    assert html(source, rules).text == "量化\n框架\n- 链"


def test_plain_words_are_html_too(rules: Rules) -> None:
    assert html("只有 <b>一</b> 句 &amp; 话", rules).text == "只有 一 句 & 话"


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 50_000 + "x",
        "<table>" + ("<tr>" + "<td>a</td>" * 6 + "</tr>") * 10_000,
        "<table><tr>" + "<td>a</td>" * 60_000,
        "<table><tr><td>a</td><td>" * 20_000,
        "<ul><li>" * 20_000,
        "<a href='https://a.example/'>x</a>" * 20_000,
        "<" * 1_000_000,
        "<!--" * 200_000,
        "&amp;" * 200_000,
        "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><p>&a;</p>",
    ],
    ids=lambda source: source[:16],
)
def test_hostile_html_is_bounded(source: str, rules: Rules) -> None:
    content = html(source, rules)
    assert len(content.text) <= MAX_TEXT
    assert len(content.links) <= MAX_LINKS
    assert "root:" not in content.text


# ---- Boilerplate


@pytest.mark.parametrize(
    "line",
    [
        "点击上方“某某观察”关注我们",
        "👆点击蓝字，关注我们👆",
        "长按识别二维码，关注公众号",
        "扫码加入交流群",
        "喜欢本文请点赞、在看、转发哦！",
        "欢迎关注我们的公众号",
        "添加小助手微信，备注“入群”拉你进群",
        "点击阅读原文，了解更多",
        "商务合作：name@example.org",
        "转载请联系后台授权",
        "觉得不错就点个在看支持一下吧～",
        "— END —",
        "Continue reading on the site »",
        "（完）",
        "———————",
        "获取全文失败，请重试~",
    ],
)
def test_lines_that_only_ask_are_left_out(line: str, rules: Rules) -> None:
    assert read_text(f"{BODY}\n{line}\n{BODY}", rules) == f"{BODY}\n{BODY}"


@pytest.mark.parametrize(
    "line",
    [
        "关注模型压缩、低比特量化与部署。",
        "二维码识别是端侧视觉的经典任务，本文比较三种网络在手机上的速度。",
        "用户点击按钮之后，推理在后台线程里完成，界面不会卡住。",
        "作者分享了把网络部署到单片机上的三条经验，值得一读。",
        "转载量不是好文章的标准，能否复现才是。",
        "本文提出的方法在两个数据集上都超过了此前的最好结果。",
        "扫地机器人用上了更小的检测网络。",
        "阅读源码是学习推理框架最快的办法，建议从算子注册读起。",
        "More models run on the phone than in the data centre.",
        "合作双方没有公布芯片的价格。",
        "用户的点赞、收藏和分享都是推荐模型的输入。",
        "除了收藏夹，我终于有了新的选择！",
        "end",
        'share_examples "models" do',
    ],
)
def test_sentences_that_look_like_it_stay(line: str, rules: Rules) -> None:
    text = f"{BODY}\n{line}\n{BODY}"
    assert read_text(text, rules) == text


@pytest.mark.parametrize(
    "words",
    [
        "点击",
        "扫码",
        "欢迎点赞在看转发",
        "转载",
        "关注，",
        "阅读时间 ",
        "-",
        "电话：123 ",
        "点赞、",
        "分享一下给个",
        " ",
        "最",
    ],
)
def test_twice_as_many_lines_or_as_long_a_line_cost_at_most_three_times_as_much(words: str, rules: Rules) -> None:
    lines = f"{words * (88 // len(words))}x\n" * 220
    line = words * (10_000 // len(words))
    for half in (lines, line):
        assert_twice_costs_at_most_three_times(lambda text: read_text(text, rules), half, half * 2)


def test_a_text_that_would_lose_more_than_half_keeps_all(rules: Rules) -> None:
    text = "欢迎关注我们的公众号\n点击阅读原文\n好"
    assert read_text(text, rules) == text


def test_other_articles_behind_the_text_are_left_out(rules: Rules) -> None:
    body = "\n".join([BODY] * 10)
    assert read_text(f"{body}\n往期推荐\n另一篇文章的标题\n又一篇文章的标题", rules) == body


def test_a_heading_inside_the_text_ends_nothing(rules: Rules) -> None:
    text = "\n".join([BODY, "推荐阅读", *[BODY] * 10])
    assert read_text(text, rules) == text


def test_a_digest_without_line_breaks_begins_with_the_article(rules: Rules) -> None:
    assert read_text(f"点击上方“某某观察” 即可关注我们哦{BODY}", rules) == BODY
    assert read_text(f"点击蓝字关注并设为星标{BODY}", rules) == BODY
    assert read_text("点击蓝字关注我们", rules) == "点击蓝字关注我们"


# ---- Titles


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("重磅｜某厂开源推理框架", Title("某厂开源推理框架", "重磅")),
        ("【干货】移动端部署的五个技巧", Title("移动端部署的五个技巧", "干货")),
        ("「独家」 某芯片年底量产", Title("某芯片年底量产", "独家")),
        ("突发！某框架停止维护", Title("某框架停止维护", "突发")),
        ("重磅 | 独家：某芯片量产", Title("某芯片量产", "重磅 | 独家")),
        ("某厂开源推理框架 | 机器之心", Title("某厂开源推理框架", None, "机器之心")),
        ("某厂开源推理框架 - 知乎", Title("某厂开源推理框架", None, "知乎")),
        ("某厂开源推理框架_量子位", Title("某厂开源推理框架", None, "量子位")),
        ("如何看待某框架？ - 张三的回答 - 知乎", Title("如何看待某框架？", None, "张三的回答 | 知乎")),
        ("某框架入门-CSDN博客", Title("某框架入门", None, "CSDN博客")),
        ("某框架入门_哔哩哔哩_bilibili", Title("某框架入门", None, "哔哩哔哩_bilibili")),
        ("某框架入门 - OSCHINA - 中文开源技术交流社区", Title("某框架入门", None, "OSCHINA - 中文开源技术交流社区")),
        ("快讯 | 某芯片量产 | 端侧观察", Title("某芯片量产", "快讯", "端侧观察")),
        ("某芯片量产｜ 端侧 观察", Title("某芯片量产", None, "端侧 观察")),
        ("刚刚，某厂发布新芯片", Title("刚刚，某厂发布新芯片")),
        ("干货满满的一天", Title("干货满满的一天")),
        ("论文 | 某网络的量化", Title("论文 | 某网络的量化")),
        ("知乎", Title("知乎")),
        ("端侧观察", Title("端侧观察")),
        ("重磅｜！", Title("重磅｜！")),
        ("int8-GEMM 的写法", Title("int8-GEMM 的写法")),
        ("Phones on stand-by draw less", Title("Phones on stand-by draw less")),
        ("W4A16 | MNN", Title("W4A16 | MNN")),
        ("", Title("")),
    ],
)
def test_what_is_shouted_before_and_signed_behind_a_title_is_taken_off(
    title: str, expected: Title, rules: Rules
) -> None:
    assert split_title(title, ("端侧观察", None), rules) == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["重磅", "干货", "｜", " | ", "【", "】", "！", "量化", "知乎", "_", " - ", "-", "x"]),
        max_size=8,
    )
)
def test_a_title_is_never_taken_off_whole(words: list[str]) -> None:
    title = "".join(words).strip()
    found = split_title(title, (), RULES)
    assert found.title in title
    assert bool(found.title) == bool(title)
    assert split_title(found.title, (), RULES).title == found.title


# ---- Text that pages keep in attributes, drawings and rows


@pytest.mark.parametrize(
    "formula",
    [
        '<span data-formula="O(n^2)"><svg><g><path d="M0"></path></g></svg></span>',
        '<span data-formula="O(n^2)"><embed src="https://mmbiz.qlogo.cn/x" data-type="svg+xml"></span>',
        '<img src="https://www.zhihu.com/equation?tex=O%28n%5E2%29" alt="O(n^2)" eeimg="1">',
        '<span class="ztext-math" data-eeimg="1" data-tex="O(n^2)">O(n^2)</span>',
        '<img class="latex" src="https://s0.wp.com/latex.php?latex=O" alt="$O(n^2)$">',
        '<script type="math/tex">O(n^2)</script>',
        (
            '<span class="katex"><span class="katex-mathml"><math><semantics><mi>O</mi>'
            '<annotation encoding="application/x-tex">O(n^2)</annotation></semantics></math></span>'
            '<span class="katex-html" aria-hidden="true">O(n2)</span></span>'
        ),
        '<math alttext="O(n^2)"><mi>O</mi></math>',
    ],
)
def test_a_formula_is_tex_between_dollars(formula: str) -> None:
    assert html(f"<p>复杂度为 {formula}，其中</p>", RULES).text == "复杂度为 $O(n^2)$，其中"


def test_a_formula_without_its_tex_is_its_characters() -> None:
    assert html("<p>记 <math><mi>x</mi><mo>=</mo><mn>1</mn></math> 为</p>", RULES).text == "记 $x = 1$ 为".replace(
        " = ", "="
    )


def test_a_picture_that_is_no_formula_leaves_no_text() -> None:
    assert html('<p>见图<img src="a.png" alt="作者拍的照片">。</p>', RULES).text == "见图。"


def test_paragraphs_inside_a_drawing_stay_and_its_labels_go() -> None:
    drawing = "<svg><foreignObject><section><p>排在画里的一段话。</p></section></foreignObject></svg>"
    assert html(f"<p>甲</p><section>{drawing}</section><p>乙</p>", RULES).text == "甲\n排在画里的一段话。\n乙"
    assert html("<p>甲</p><svg><title>图标</title><text>12 ms</text><path d='M0'></path></svg>", RULES).text == "甲"
    assert html("<svg><text>一行写在画里的小标题</text></svg>", RULES).text == "一行写在画里的小标题"


@pytest.mark.parametrize(
    "code",
    [
        "<pre>a = 1\nif a:\n    b()</pre>",
        "<pre><code>a = 1</code><code>if a:</code><code>    b()</code></pre>",
        "<pre><ol><li>a = 1</li><li>if a:</li><li>    b()</li></ol></pre>",
        "<pre><div>a = 1</div><div>if a:</div><div>    b()</div></pre>",
        "<pre>a = 1<br>if a:<br>    b()</pre>",
        '<pre><span class="line-numbers-rows"><span>1</span><span>2</span></span>a = 1\nif a:\n    b()</pre>',
    ],
)
def test_code_keeps_its_lines_and_loses_their_numbers(code: str) -> None:
    assert html(code, RULES).text == "a = 1\nif a:\n    b()"
