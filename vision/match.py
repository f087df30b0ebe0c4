"""Finding a picture on a frame: candidates coarsely by gradients, then judged locally at full size.

Ranking is easy, rejecting is hard (FIELD.md §1): the best place is nearly always right when the target is there, and a
look-alike scores 0.8 and more when it is not. So nothing here accepts anything; it proposes and measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vision.frame import Box, Frame, Image

MIN_CONTRAST = 12.0
"""Standard deviation of luma under which a crop counts as flat: it would score 1.0 everywhere."""

_SHIFTS = tuple((dx, dy) for dy in (-0.75, -0.375, 0.0, 0.375, 0.75) for dx in (-0.75, -0.375, 0.0, 0.375, 0.75))
"""Sub-pixel shifts tried for each pixel's neighbourhood: glyphs move independently of boxes (FIELD.md §1.3)."""


def to_gray(image: Image) -> Image:
    """Luma of a BGR picture; a gray one is passed through."""
    gray: Image = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return gray


def gradient(gray: Image) -> Image:
    """Gradient magnitude as uint8 (float images gave false cells ≥ 0.99, FIELD.md «lying corners»)."""
    dx = cv2.convertScaleAbs(cv2.Sobel(gray, cv2.CV_16S, 1, 0, ksize=3), alpha=0.5)
    dy = cv2.convertScaleAbs(cv2.Sobel(gray, cv2.CV_16S, 0, 1, ksize=3), alpha=0.5)
    return np.asarray(cv2.add(dx, dy), dtype=np.uint8)


class Scene:
    """A frame with everything that several searches on it share, computed when first asked for."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._reduced: dict[float, Scene] = {}

    @cached_property
    def gray(self) -> Image:
        return to_gray(self.frame.image)

    @cached_property
    def gradient(self) -> Image:
        return gradient(self.gray)

    @cached_property
    def half(self) -> Image:
        return _shrink(self.gradient, 0.5)

    @cached_property
    def quarter(self) -> Image:
        return _shrink(self.gradient, 0.25)

    def reduced(self, factor: float) -> Scene:
        """This scene at a smaller scale, for templates that were captured at a lower scale. Never enlarged."""
        if factor >= 0.999:
            return self
        key = round(factor, 4)
        if key not in self._reduced:
            image = _shrink(self.frame.image, factor)
            self._reduced[key] = Scene(Frame(image, self.frame.time, self.frame.scale * factor))
        return self._reduced[key]


def _shrink(image: Image, factor: float) -> Image:
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def contrast(image: Image) -> float:
    """Standard deviation of luma, 0…127."""
    return float(to_gray(image).std()) if image.size else 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a template might be."""

    box: Box
    """In pixels of the frame searched."""
    score: float
    """TM_CCOEFF_NORMED of the gray pictures at full size, −1…1. Ranks; never accepts."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a template and the pixels at one place differ, measured locally."""

    residual: float
    """Largest 7×7 mean absolute luma difference after the best sub-pixel shift, divided by the template's contrast."""
    mean_residual: float
    """Mean over the template of the same."""
    correlation: float
    """TM_CCOEFF_NORMED at this place."""
    chroma: float
    """Largest 7×7 mean chroma difference, 0…255."""
    luma_shift: float
    """Difference of the background luma (medians), 0…255: dimmed by a mask, disabled, hovered."""


def candidates(scene: Scene, template: Image, region: Box | None = None, count: int = 8) -> list[Candidate]:
    """The ``count`` best places of ``template`` (BGR, at the scene's scale) in ``region``, best first, any score."""
    height, width = template.shape[:2]
    area = (region or scene.frame.box).clip(scene.frame.width, scene.frame.height)
    if area.width < width or area.height < height:
        return []
    step = 4 if min(height, width) >= 40 else 2
    level = scene.quarter if step == 4 else scene.half
    small = _shrink(gradient(to_gray(template)), 1 / step)
    x0, y0 = area.x // step, area.y // step
    part = level[y0 : -(-area.bottom // step), x0 : -(-area.right // step)]
    if part.shape[0] < small.shape[0] or part.shape[1] < small.shape[1]:
        return []
    scores = _scores(part, small)
    found: list[Candidate] = []
    for x, y in _peaks(scores, small.shape[1], small.shape[0], count * 3):
        refined = _refine(scene, template, (x + x0) * step, (y + y0) * step, step + 2, area)
        if refined is not None and not any(_same_place(refined.box, other.box) for other in found):
            found.append(refined)
    found.sort(key=lambda c: -c.score)
    return found[:count]


def candidate_at(scene: Scene, template: Image, x: int, y: int, reach: int = 3) -> Candidate | None:
    """The best place within ``reach`` pixels of (x, y)."""
    return _refine(scene, template, x, y, reach, scene.frame.box)


def _scores(image: Image, template: Image) -> np.ndarray:
    scores = cv2.matchTemplate(image, template, cv2.TM_CCOEFF_NORMED)
    scores[~np.isfinite(scores)] = -1.0
    return np.asarray(scores)


def _peaks(scores: np.ndarray, width: int, height: int, count: int) -> list[tuple[int, int]]:
    """Local maxima, best first, at least half a template apart."""
    work = scores.copy()
    rx, ry = max(1, width // 2), max(1, height // 2)
    places = []
    for _ in range(count):
        _, best, _, (x, y) = cv2.minMaxLoc(work)
        if best <= -0.5:
            break
        places.append((int(x), int(y)))
        work[max(0, y - ry) : y + ry + 1, max(0, x - rx) : x + rx + 1] = -1.0
    return places


def _refine(scene: Scene, template: Image, x: int, y: int, reach: int, area: Box) -> Candidate | None:
    height, width = template.shape[:2]
    window = Box(x - reach, y - reach, width + 2 * reach, height + 2 * reach).intersect(area)
    if window.width < width or window.height < height:
        return None
    scores = _scores(scene.gray[window.y : window.bottom, window.x : window.right], to_gray(template))
    _, best, _, (dx, dy) = cv2.minMaxLoc(scores)
    return Candidate(Box(window.x + dx, window.y + dy, width, height), float(best))


def _same_place(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) <= 3 and abs(a.y - b.y) <= 3


def equal_at(frame: Frame, template: Image, x: int, y: int) -> bool:
    """Whether the pixels at (x, y) are exactly the template's."""
    height, width = template.shape[:2]
    if x < 0 or y < 0 or x + width > frame.width or y + height > frame.height:
        return False
    return bool(np.array_equal(frame.image[y : y + height, x : x + width], template))


def find_equal(frame: Frame, template: Image, region: Box | None = None, limit: int = 8) -> list[Box]:
    """All places where the pixels are exactly the template's, in raster order, at most ``limit``.

    The column-wise rarest colour of the template anchors the scan, so a full frame costs about a millisecond.
    """
    height, width = template.shape[:2]
    area = (region or frame.box).clip(frame.width, frame.height)
    if area.width < width or area.height < height:
        return []
    ty, tx = _rarest(template)
    part = frame.image[area.y + ty : area.bottom - height + ty + 1, area.x + tx : area.right - width + tx + 1]
    blue, green, red = (int(v) for v in template[ty, tx])
    # Comparing one channel first leaves few pixels for the other two.
    hits = part[:, :, 0] == blue
    ys, xs = np.nonzero(hits)
    if ys.size:
        keep = (part[ys, xs, 1] == green) & (part[ys, xs, 2] == red)
        ys, xs = ys[keep], xs[keep]
    found = []
    for y, x in zip(ys.tolist(), xs.tolist(), strict=True):
        if equal_at(frame, template, area.x + x, area.y + y):
            found.append(Box(area.x + x, area.y + y, width, height))
            if len(found) == limit:
                break
    return found


def _rarest(template: Image) -> tuple[int, int]:
    blue, green, red = (template[:, :, channel].astype(np.uint32) for channel in range(3))
    _, first, counts = np.unique(blue | green << 8 | red << 16, return_index=True, return_counts=True)
    place = int(first[int(np.argmin(counts))])
    return place // template.shape[1], place % template.shape[1]


def compare(image: Image, template: Image) -> Comparison:
    """Measure how ``image`` (a crop of the template's size, BGR) differs from ``template``."""
    a, b = to_gray(image), to_gray(template)
    spread = max(float(b.std()), 1.0)
    best: np.ndarray | None = None
    height, width = b.shape
    for dx, dy in _SHIFTS:
        matrix = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32)
        moved = cv2.warpAffine(b, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        difference = cv2.boxFilter(cv2.absdiff(a, moved), cv2.CV_32F, (7, 7))
        best = difference if best is None else np.minimum(best, difference)
    assert best is not None
    correlation = float(_scores(a, b)[0, 0]) if b.std() > 0 and a.std() > 0 else 0.0
    return Comparison(
        residual=float(best.max()) / spread,
        mean_residual=float(best.mean()) / spread,
        correlation=correlation,
        chroma=chroma_difference(image, template),
        luma_shift=abs(float(np.median(a)) - float(np.median(b))),
    )


def chroma_difference(image: Image, template: Image) -> float:
    """Largest 7×7 mean difference of the two chroma planes."""
    a = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)[:, :, 1:]
    b = cv2.cvtColor(template, cv2.COLOR_BGR2YCrCb)[:, :, 1:]
    blurred = cv2.absdiff(cv2.boxFilter(a, -1, (7, 7)), cv2.boxFilter(b, -1, (7, 7)))
    return float(blurred.max())


def rescale(template: Image, factor: float) -> Image:
    """A template reduced by a known factor (≤ 1)."""
    return template if abs(factor - 1) < 1e-3 else _shrink(template, factor)
