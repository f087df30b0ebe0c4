# ruff: noqa: E501  (style sheets: one rule a line)
"""Grids as closed clients draw them, rendered by a browser, with the truth from what was written into them.

A :class:`GridSpec` says what a page looks like; :func:`page_html` writes it; :class:`Renderer` renders it and returns the picture
with the page's own geometry. Used by the tests of `vision.grid` and by the grid benchmark; :func:`random_spec` makes any number.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from html import escape
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from vision.frame import Box, Frame

CHROMIUM = "/usr/bin/chromium"
_ARGS = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]

KINDS: dict[str, tuple[str, int]] = {
    # header → (kind of value, width in CSS pixels)
    "工单编号": ("order", 190),
    "用户编号": ("customer", 130),
    "用户名称": ("name", 110),
    "用电地址": ("address", 170),
    "业务类型": ("type", 100),
    "工单状态": ("status", 100),
    "创建时间": ("time", 170),
    "电流(A)": ("number", 90),
    "剩余金额": ("money", 110),
    "责任人": ("person", 90),
    "联系电话": ("phone", 130),
    "台区名称": ("area", 130),
    "操作": ("links", 130),
}


@dataclass(frozen=True)
class GridSpec:
    """How a page with one grid looks. Lengths in CSS pixels."""

    name: str = "plain"
    seed: int = 1
    headers: tuple[str, ...] = ("工单编号", "用户编号", "用户名称", "业务类型", "创建时间", "操作")
    rows: int = 8
    scale: float = 1.0
    dark: bool = False
    accent: str = "#409eff"
    style: str = "element"
    """``element``: roomy; ``ext``: dense, gradient header, header separators; ``bare``: no line and no stripe at all."""
    border: bool = False
    zebra: bool = False
    hover: int | None = None
    fixed: bool = False
    table_width: int | None = None
    """Width of the visible table; smaller than its columns makes the middle scroll (under a fixed column)."""
    scroll_left: int = 0
    body_height: int | None = None
    scroll_top: int = 0
    badges: bool = False
    checks: bool = False
    wrap: bool = False
    empties: bool = False
    index: bool = False
    align: str = "left"
    two_line_header: bool = False
    sort_icons: bool = False
    pager: tuple[int, int, int] | None = None
    """(total, page, page size)."""
    font_size: int = 14
    pad: int = 12
    family: str = "WenQuanYi Micro Hei"
    chrome: bool = True
    """Menu, filter form and tabs around the grid."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(h for h in self.headers)


@dataclass(frozen=True)
class CellTruth:
    text: str
    box: Box
    badges: tuple[str, ...] = ()
    words: tuple[tuple[str, Box], ...] = ()
    checked: bool | None = None


@dataclass(frozen=True)
class GridTruth:
    spec: GridSpec
    frame: Frame
    headers: tuple[str, ...]
    header_boxes: tuple[Box, ...]
    rows: tuple[tuple[CellTruth, ...], ...]
    table: Box
    """The visible part of the table."""
    fixed_left: int | None
    """Left edge of the fixed column, physical pixels."""
    pager: dict[str, Any] = field(default_factory=dict)


def _value(kind: str, rng: random.Random, spec: GridSpec) -> str:
    digits = lambda n: "".join(rng.choice("0123456789") for _ in range(n))  # noqa: E731
    if spec.empties and kind not in {"order", "links"} and rng.random() < 0.25:
        return rng.choice(["", "", "--"])
    if kind == "order":
        return "20" + digits(14)
    if kind == "customer":
        return digits(10)
    if kind in {"name", "person"}:
        return rng.choice("王李张刘陈杨黄赵吴周徐孙马朱胡") + "".join(
            rng.choice("伟芳娜敏静丽强磊军洋勇艳杰娟涛明") for _ in range(rng.choice([1, 2]))
        )
    if kind == "address":
        place = f"{rng.choice(['城关', '东湖', '西山', '南岭'])}镇{rng.choice(['新华', '人民', '解放', '建设'])}路{rng.randint(1, 300)}号"
        return place + (f"阳光花园{rng.randint(1, 30)}栋{rng.randint(1, 6)}单元" if spec.wrap and rng.random() < 0.6 else "")
    if kind == "type":
        return rng.choice(["复电复核", "停电执行", "欠费催缴", "远程复电", "现场核查"])
    if kind == "status":
        return rng.choice(["待处理", "处理中", "已归档", "失败"])
    if kind == "time":
        return f"2025-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    if kind == "number":
        return f"{rng.random() * 9:.3f}"
    if kind == "money":
        return f"{rng.uniform(-300, 900):.2f}"
    if kind == "phone":
        return f"1{rng.choice('35789')}{digits(1)}****{digits(4)}"
    if kind == "area":
        return f"{rng.choice(['李家', '王庄', '河东', '北关'])}{rng.randint(1, 9)}号台区"
    return ""


def _colours(spec: GridSpec) -> dict[str, str]:
    if spec.dark:
        return {
            "page": "#0a0a0a", "panel": "#141414", "line": "#363637", "head": "#1d1e1f", "headtext": "#a3a6ad", "text": "#cfd3dc",
            "zebra": "#1d1d1d", "hover": "#262727", "menu": "#1b2430", "input": "#4c4d4f", "faint": "#6c6e72", "disabled": "#4c4d4f",
        }  # fmt: skip
    ext = spec.style == "ext"
    return {
        "page": "#f0f2f5", "panel": "#ffffff", "line": "#d0d0d0" if ext else "#ebeef5", "head": "#f5f5f5" if ext else ("#f5f7fa" if spec.zebra else "#ffffff"),
        "headtext": "#333333" if ext else "#909399", "text": "#000000" if ext else "#606266", "zebra": "#fafafa", "hover": "#e2eff8" if ext else "#f5f7fa",
        "menu": "#304156", "input": "#dcdfe6", "faint": "#c0c4cc", "disabled": "#c0c4cc",
    }  # fmt: skip


def _css(spec: GridSpec, c: dict[str, str]) -> str:
    line = "none" if spec.style == "bare" else f"1px solid {c['line']}"
    upright = f"1px solid {c['line']}" if spec.border else "none"
    head_line = f"1px solid {c['line']}" if spec.border or spec.style == "ext" else "none"
    head_back = f"linear-gradient(#f9f9f9,#e3e4e6)" if spec.style == "ext" and not spec.dark else c["head"]  # noqa: F541
    shadow = "box-shadow:-5px 0 10px rgba(0,0,0,.12)" if not spec.dark else "box-shadow:-5px 0 10px rgba(0,0,0,.5)"
    return f"""
    *{{box-sizing:border-box}} body{{margin:0;background:{c["page"]};font:{spec.font_size}px '{spec.family}';color:{c["text"]}}}
    .top{{height:50px;background:{spec.accent};color:#fff;padding:15px 20px}} .side{{position:absolute;left:0;top:50px;width:180px;bottom:0;background:{c["menu"]};color:#bfcbd9}}
    .side div{{padding:12px 24px}} .main{{position:absolute;left:{200 if spec.chrome else 20}px;top:{60 if spec.chrome else 20}px;right:20px;background:{c["panel"]};padding:16px}}
    .form{{margin-bottom:16px}} .form span{{margin:0 8px 0 16px}} .form i{{display:inline-block;vertical-align:middle;width:150px;height:32px;border:1px solid {c["input"]};border-radius:4px;padding:6px 10px;font-style:normal;color:{c["faint"]}}}
    .form b{{display:inline-block;background:{spec.accent};color:#fff;padding:7px 15px;border-radius:4px;font-weight:normal;margin-left:16px}}
    .wrap{{overflow:auto;position:relative;{f"width:{spec.table_width}px;" if spec.table_width else ""}{f"height:{spec.body_height}px;" if spec.body_height else ""}
      border:{upright};border-bottom:{line}}}
    .wrap::-webkit-scrollbar{{width:0;height:0}}
    table{{border-collapse:separate;border-spacing:0;table-layout:fixed;background:{c["panel"]}}}
    th,td{{padding:{spec.pad}px 10px;line-height:1.5;text-align:{spec.align};border-bottom:{line};border-right:{upright};word-break:break-all;background:{c["panel"]};vertical-align:middle;font-weight:normal;{"" if spec.wrap else "white-space:nowrap;overflow:hidden;text-overflow:ellipsis;"}}}
    th{{background:{head_back};color:{c["headtext"]};border-right:{head_line};position:sticky;top:0;z-index:2;{"" if spec.style == "ext" else "font-weight:bold;"}{"white-space:normal;word-break:normal;" if spec.two_line_header else ""}}}
    tr.z td{{background:{c["zebra"]}}} tr.h td{{background:{c["hover"]}}}
    .fix{{position:sticky;right:0;z-index:3;{shadow if spec.fixed and spec.table_width else ""};overflow:visible!important}} th.fix{{z-index:4}}
    a{{color:{spec.accent};margin-right:10px}} .badge{{display:inline-block;background:#f56c6c;color:#fff;border-radius:4px;font-size:12px;line-height:16px;padding:0 3px;margin-left:4px}}
    .badge.y{{background:#e6a23c}} .cb{{display:inline-block;width:14px;height:14px;border:1px solid {c["input"]};border-radius:2px;vertical-align:middle;position:relative;background:{c["panel"]}}}
    .cb.on{{background:{spec.accent};border-color:{spec.accent}}} .cb.on::after{{content:'';position:absolute;left:4px;top:1px;width:3px;height:7px;border:1px solid #fff;border-left:0;border-top:0;transform:rotate(45deg)}}
    .sort{{display:inline-block;vertical-align:middle;margin-left:5px;width:9px}} .sort::before,.sort::after{{content:'';display:block;border:4.5px solid transparent;border-bottom-color:{c["faint"]}}} .sort::after{{border-color:{c["faint"]} transparent transparent;margin-top:2px}}
    .pager{{margin-top:15px;text-align:right;font-size:13px;color:{c["text"]};line-height:28px}} .pager>*{{display:inline-block;height:28px;vertical-align:top;min-width:28px;text-align:center;margin:0 4px}}
    .pager .size{{border:1px solid {c["input"]};border-radius:3px;width:100px}} .pager .on{{background:{spec.accent};color:#fff;border-radius:2px;font-weight:bold}} .pager .off{{color:{c["disabled"]}}}
    .chev{{width:7px;height:7px;border:solid currentColor;border-width:1.5px 1.5px 0 0;transform:rotate(45deg);display:inline-block}} .chev.l{{transform:rotate(-135deg)}}
    """


def page_html(spec: GridSpec) -> str:
    """The whole page."""
    rng = random.Random(spec.seed)
    c = _colours(spec)
    heads: list[str] = []
    cols: list[str] = []
    if spec.checks:
        cols.append('<col style="width:50px">')
        heads.append('<th data-kind="check"><span class="cb"></span></th>')
    if spec.index:
        cols.append('<col style="width:56px">')
        heads.append("<th><span class=t>序号</span></th>")
    for position, header in enumerate(spec.headers):
        last = position == len(spec.headers) - 1
        width = KINDS[header][1]
        cols.append(f'<col style="width:{width}px">')
        label = (
            header[: len(header) // 2] + "<br>" + header[len(header) // 2 :] if spec.two_line_header and position % 2 else header
        )
        icon = "<i class=sort></i>" if spec.sort_icons and KINDS[header][0] in {"time", "number", "money"} else ""
        heads.append(f'<th class="{"fix" if spec.fixed and last else ""}"><span class=t>{label}</span>{icon}</th>')
    body: list[str] = []
    for row in range(spec.rows):
        classes = ("h" if spec.hover == row else "") or ("z" if spec.zebra and row % 2 else "")
        cells: list[str] = []
        if spec.checks:
            on = rng.random() < 0.4
            cells.append(f'<td data-kind="check" data-checked="{int(on)}"><span class="cb {"on" if on else ""}"></span></td>')
        if spec.index:
            cells.append(f"<td><span class=t>{row + 1}</span></td>")
        for position, header in enumerate(spec.headers):
            kind = KINDS[header][0]
            last = position == len(spec.headers) - 1
            if kind == "links":
                inner = "".join(f"<a>{word}</a>" for word in (["处理", "转派"] if rng.random() < 0.7 else ["处理"]))
            else:
                inner = f"<span class=t>{escape(_value(kind, rng, spec))}</span>"
                if kind == "order" and spec.badges and rng.random() < 0.6:
                    word = rng.choice("超延")
                    inner += f'<span class="badge {"y" if word == "延" else ""}">{word}</span>'
            cells.append(f'<td class="{"fix" if spec.fixed and last else ""}">{inner}</td>')
        body.append(f'<tr class="{classes}">{"".join(cells)}</tr>')
    around = ""
    form = ""
    if spec.chrome:
        menu = "".join(
            f"<div>{m}</div>" for m in ["首页", "业务工单管理", "工单管理", "待办工单", "已办工单", "数字化运营", "系统设置"]
        )
        around = f"<div class=top>营销业务应用系统2.0</div><div class=side>{menu}</div>"
        form = "<div class=form><span>工单编号</span><i>请输入</i><span>业务类型</span><i>复电复核</i><span>创建时间</span><i>2025-01-01</i><b>查询</b><b>重置</b></div>"
    pager = ""
    if spec.pager:
        total, page, size = spec.pager
        last_page = max(1, -(-total // size))
        numbers = "".join(f'<span class="num {"on" if p == page else ""}">{p}</span>' for p in range(1, min(last_page, 6) + 1))
        pager = (
            f"<div class=pager><span class=total>共 {total} 条</span><span class=size>{size}条/页</span>"
            f'<span class="prev {"off" if page == 1 else ""}"><i class="chev l"></i></span>{numbers}'
            f'<span class="next {"off" if page == last_page else ""}"><i class=chev></i></span><span>前往</span><span class=size style="width:50px">{page}</span><span>页</span></div>'
        )
    width = sum(KINDS[h][1] for h in spec.headers) + (50 if spec.checks else 0) + (56 if spec.index else 0)
    return (
        f"<!doctype html><meta charset=utf-8><style>{_css(spec, c)}</style>{around}<div class=main>{form}<div class=wrap>"
        f'<table style="width:{width}px"><colgroup>{"".join(cols)}</colgroup><thead><tr>{"".join(heads)}</tr></thead><tbody>{"".join(body)}</tbody></table></div>{pager}</div>'
    )


_GEOMETRY = """([left, top]) => {
  const wrap = document.querySelector('.wrap'); wrap.scrollLeft = left; wrap.scrollTop = top;
  const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] };
  const words = e => [...e.querySelectorAll('a')].map(a => [a.textContent, box(a)]);
  const text = e => { const t = e.querySelector('.t'); return t ? t.textContent : [...e.querySelectorAll('a')].map(a => a.textContent).join(' ') };
  const one = e => ({text: text(e), box: box(e), badges: [...e.querySelectorAll('.badge')].map(b => b.textContent), words: words(e),
    checked: e.dataset.checked === undefined ? null : e.dataset.checked === '1'});
  const part = s => { const e = document.querySelector(s); return e ? box(e) : null };
  return {heads: [...document.querySelectorAll('th')].map(one), rows: [...document.querySelectorAll('tbody tr')].map(r => [...r.children].map(one)),
    wrap: box(wrap), fixed: part('th.fix'), pager: {previous: part('.prev'), next: part('.next'), size: part('.size'), total: part('.total')}};
}"""


class Renderer:
    """One browser for any number of pages: ``with Renderer() as render: truth = render(spec)``."""

    def __init__(self, width: int = 1920, height: int = 1080) -> None:
        self.width, self.height = width, height
        self._pages: dict[float, Any] = {}

    def __enter__(self) -> Renderer:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._browser.close()
        self._playwright.stop()

    def page(self, scale: float) -> Any:
        """The page of this scale; its picture is ``width``×``height`` physical pixels."""
        if scale not in self._pages:
            context = self._browser.new_context(
                viewport={"width": round(self.width / scale), "height": round(self.height / scale)}, device_scale_factor=scale
            )
            self._pages[scale] = context.new_page()
        return self._pages[scale]

    def picture(self, html: str, scale: float = 1.0) -> Frame:
        """A frame of any page."""
        page = self.page(scale)
        page.set_content(html)
        return self._shot(page, scale)

    def _shot(self, page: Any, scale: float) -> Frame:
        image = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        return Frame(np.ascontiguousarray(image, dtype=np.uint8), 0.0, scale)

    def __call__(self, spec: GridSpec) -> GridTruth:
        page = self.page(spec.scale)
        page.set_content(page_html(spec))
        found = page.evaluate(_GEOMETRY, [spec.scroll_left, spec.scroll_top])
        frame = self._shot(page, spec.scale)

        def box(edges: list[float]) -> Box:
            left, top, right, bottom = (round(e * spec.scale) for e in edges)
            return Box(left, top, right - left, bottom - top)

        def cell(raw: dict[str, Any]) -> CellTruth:
            words = tuple((w, box(b)) for w, b in raw["words"])
            return CellTruth(raw["text"].strip(), box(raw["box"]), tuple(raw["badges"]), words, raw["checked"])

        return GridTruth(
            spec,
            frame,
            tuple(h["text"] for h in found["heads"]),
            tuple(box(h["box"]) for h in found["heads"]),
            tuple(tuple(cell(c) for c in row) for row in found["rows"]),
            box(found["wrap"]),
            box(found["fixed"]).x if found["fixed"] and spec.table_width else None,
            {name: box(edges) for name, edges in found["pager"].items() if edges},
        )


VARIANTS: tuple[GridSpec, ...] = (
    GridSpec("plain", seed=1),
    GridSpec("bordered", seed=2, border=True, index=True, align="center", pager=(8, 1, 10)),
    GridSpec("zebra 125", seed=3, zebra=True, scale=1.25, badges=True, checks=True, pager=(118, 2, 10), rows=10),
    GridSpec("hover 150", seed=4, hover=3, scale=1.5, rows=7, badges=True, pager=(57, 1, 10)),
    GridSpec(
        "fixed", seed=5, headers=("工单编号", "用户编号", "用户名称", "用电地址", "业务类型", "创建时间", "联系电话", "操作"), fixed=True, table_width=880, rows=10,
        pager=(43, 1, 10), badges=True,
    ),
    GridSpec(
        "fixed scrolled 125", seed=6, headers=("工单编号", "用户编号", "用户名称", "用电地址", "业务类型", "创建时间", "联系电话", "操作"), fixed=True,
        table_width=800, scroll_left=95, rows=9, scale=1.25, border=True,
    ),
    GridSpec("wrapped", seed=7, headers=("用户编号", "用户名称", "用电地址", "业务类型", "剩余金额", "操作"), wrap=True, rows=7),
    GridSpec("empties dark", seed=8, headers=("工单编号", "用户名称", "工单状态", "电流(A)", "剩余金额", "责任人", "操作"), empties=True, dark=True, rows=9),
    GridSpec("ext", seed=9, style="ext", zebra=True, font_size=12, pad=3, headers=("工单编号", "用户编号", "用户名称", "台区名称", "电流(A)", "创建时间"), rows=18),
    GridSpec("bare", seed=10, style="bare", rows=9, headers=("用户编号", "用户名称", "业务类型", "电流(A)", "创建时间"), empties=True),
    GridSpec("two-line header 150", seed=11, two_line_header=True, scale=1.5, border=True, headers=("工单编号", "用户名称", "剩余金额", "创建时间"), rows=6),
    GridSpec("sort dark 125", seed=12, sort_icons=True, dark=True, zebra=True, scale=1.25, headers=("工单编号", "用户名称", "电流(A)", "剩余金额", "创建时间", "操作"), rows=10,
             hover=4, checks=True, pager=(10, 1, 10)),
    GridSpec("clipped", seed=13, rows=20, body_height=420, pager=(20, 1, 20), border=True),
    GridSpec("clipped both 150", seed=14, rows=20, body_height=330, scroll_top=70, scale=1.5, zebra=True, headers=("工单编号", "用户名称", "业务类型", "操作")),
)  # fmt: skip


def random_spec(seed: int) -> GridSpec:
    """Any grid: for benchmarks. The same seed is the same grid."""
    rng = random.Random(seed)
    names = list(KINDS)[:-1]
    headers = ["工单编号", *rng.sample(names[1:], rng.randint(3, 6))]
    if rng.random() < 0.7:
        headers.append("操作")
    style = rng.choices(["element", "ext", "bare"], [6, 3, 1])[0]
    spec = GridSpec(
        f"random {seed}", seed, tuple(headers), rng.randint(2, 14), rng.choice([1.0, 1.25, 1.5]), dark=style != "ext" and rng.random() < 0.25,
        accent=rng.choice(["#409eff", "#00796b", "#1b65b9", "#c0392b"]), style=style, border=rng.random() < 0.4, zebra=rng.random() < 0.4,
        hover=rng.choice([None, 0, 1]), badges=rng.random() < 0.5, checks=rng.random() < 0.3, wrap=style != "bare" and rng.random() < 0.2,
        empties=rng.random() < 0.4, index=rng.random() < 0.3, align=rng.choice(["left", "left", "center"]), sort_icons=rng.random() < 0.3,
        font_size=12 if style == "ext" else rng.choice([13, 14]), pad=rng.choice([3, 4, 5]) if style == "ext" else rng.choice([6, 8, 12]),
    )  # fmt: skip
    if rng.random() < 0.6:
        size = rng.choice([10, 20, 50])
        spec = replace(spec, pager=(spec.rows + (size if spec.rows == size else 0), 1, size))
    if rng.random() < 0.3 and "操作" in headers:
        spec = replace(spec, fixed=True, table_width=sum(KINDS[h][1] for h in headers) - rng.randint(30, 150))
    return spec
