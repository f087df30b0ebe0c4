"""Text whose truth is known because it was drawn here: single strings by Pillow, whole pages by Chromium."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from playwright.sync_api import sync_playwright

from vision.frame import Box, Image

FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
DARK, GRAY, FAINT, LINK, RED, WHITE = "#303133", "#a8abb2", "#c0c4cc", "#409eff", "#f56c6c", "#ffffff"
STYLES = ((DARK, WHITE), (WHITE, LINK), (LINK, WHITE), (GRAY, WHITE), (FAINT, "#f5f7fa"), (RED, "#fef0f0"))
"""(ink, background): body text, button, link, placeholder, disabled, tag."""


def drawn(text: str, size: int = 14, ink: str = DARK, paper: str = WHITE, margin: int = 8) -> Image:
    """A crop, BGR, with the text in WenQuanYi Micro Hei at ``size`` px and ``margin`` px of background around."""
    font = ImageFont.truetype(FONT, size)
    width = round(font.getlength(text)) + 2 * margin
    picture = Picture.new("RGB", (width, size + 4 + 2 * margin), paper)
    ImageDraw.Draw(picture).text((margin, margin), text, font=font, fill=ink)
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


@dataclass(frozen=True, slots=True)
class Screen:
    """A page as Chromium draws it, with the place of every text from the page's own geometry."""

    scale: float
    image: Image
    texts: tuple[tuple[str, Box], ...]


_STYLE = """
body{font:14px "WenQuanYi Micro Hei";margin:10px;color:#303133} span{white-space:nowrap}
.b{display:inline-block;padding:8px 15px;border-radius:4px;background:#409eff;color:#fff;margin-right:10px;font-size:12px;
border:1px solid #409eff}
.d{background:#a0cfff;border-color:#a0cfff}.p{background:#fff;color:#606266;border-color:#dcdfe6}.m{padding:4px 7px}
.i{display:inline-block;border:1px solid #dcdfe6;border-radius:4px;padding:7px 12px;width:180px;color:#a8abb2}
table{border-collapse:collapse;width:100%;font-size:13px}
td,th{border:1px solid #ebeef5;padding:8px 10px;text-align:left;white-space:nowrap}th{background:#f5f7fa;color:#909399}
tr:nth-child(odd) td{background:#fafafa}.l{color:#409eff;margin-right:12px}.g{color:#c0c4cc}
"""


def _page(rows: int) -> str:
    def t(text: str, style: str = "") -> str:
        return f'<span class="t {style}">{text}</span>'

    def button(text: str, style: str = "") -> str:
        return f'<span class="b {style}">{t(text)}</span>'

    names, states, currents = (
        cycle(["张建国", "李秀英", "王未末"]),
        cycle(["执行中", "成功", "失败：终端离线"]),
        cycle(["1.234", "0.000", "--"]),
    )
    heads = "".join(f"<th>{t(h)}" for h in ("工单编号", "户号", "户名", "台区", "派单时间", "电流", "状态", "操作"))
    body = ""
    for row in range(rows):
        cells = (
            f"33261123000{12345 + row * 7919}",
            f"33{10345678 + row * 99991}",
            next(names),
            f"城东村{row + 1}号公变",
            f"2026-11-23 09:{10 + row}:32",
            next(currents),
            next(states),
        )
        body += "<tr>" + "".join(f"<td>{t(c)}" for c in cells) + f"<td>{t('处理', 'l')}{t('详情', 'l')}{t('归档', 'g')}"
    return (
        f"<meta charset=utf8><style>{_STYLE}</style>"
        f"<p>{t('户号：')} {t('3301234567')} <span style='margin-left:30px'></span>{t('请核对后提交')}"
        f"<p>{button('查询')}{button('重置', 'p')}{button('停电', 'd')}{button('我已知晓')}{button('复电', 'm p')}"
        f"<span class=i>{t('请输入关键字过滤')}</span>"
        f"<table><tr>{heads}{body}</table>"
        f"<p>{t('共128条')}<span style='margin-left:24px'></span>{t('10条/页')}"
        f"<span style='margin-left:24px'></span>{t('停复电')}"
    )


def screens(rows: int, folder: Path, scales: Sequence[float] = (1.0, 1.25, 1.5)) -> Iterator[Screen]:
    """The same page of labels, buttons, a field and a table of ``rows`` rows at each scale; one browser for all."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        try:
            for scale in scales:
                page = browser.new_page(viewport={"width": 1280, "height": 720}, device_scale_factor=scale)
                page.set_content(_page(rows))
                path = folder / f"screen-{scale}.png"
                page.screenshot(path=str(path))
                places = page.evaluate(
                    "[...document.querySelectorAll('.t')].map(e => {const r = e.getBoundingClientRect();"
                    " return [e.textContent, r.x, r.y, r.width, r.height]})"
                )
                page.close()
                image = cv2.imread(str(path))
                assert image is not None
                texts = tuple((text, Box(*(round(v * scale) for v in place))) for text, *place in places)
                yield Screen(scale, np.asarray(image, np.uint8), texts)
        finally:
            browser.close()
