"""A frame: what the screen showed at one moment, in physical pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""``uint8`` H×W×3 in BGR order, or H×W where a function says gray."""


class Point(NamedTuple):
    """A place on the desktop in physical pixels."""

    x: int
    y: int


class Box(NamedTuple):
    """A rectangle in physical pixels; ``x, y`` is its top left corner inside it, the far edge is outside."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def center(self) -> Point:
        return Point(self.x + self.width // 2, self.y + self.height // 2)

    @property
    def area(self) -> int:
        return self.width * self.height

    def contains(self, point: tuple[int, int]) -> bool:
        return self.x <= point[0] < self.right and self.y <= point[1] < self.bottom

    def intersect(self, other: Box) -> Box:
        """The common part; width and height are 0 where there is none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width = max(0, min(self.right, other.right) - x)
        height = max(0, min(self.bottom, other.bottom) - y)
        return Box(x, y, width, height)

    def grow(self, dx: int, dy: int | None = None) -> Box:
        """A box larger by ``dx`` on the left and right and ``dy`` (default ``dx``) above and below."""
        dy = dx if dy is None else dy
        return Box(self.x - dx, self.y - dy, self.width + 2 * dx, self.height + 2 * dy)

    def shift(self, dx: int, dy: int) -> Box:
        return Box(self.x + dx, self.y + dy, self.width, self.height)

    def scaled(self, factor: float) -> Box:
        """The box on a screen that is ``factor`` times as large; edges rounded to the nearest pixel."""
        x, y = round(self.x * factor), round(self.y * factor)
        return Box(x, y, round(self.right * factor) - x, round(self.bottom * factor) - y)

    def clip(self, width: int, height: int) -> Box:
        """The part that lies on a screen of this size."""
        return self.intersect(Box(0, 0, width, height))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One grab of the desktop. The image must not be written to after the frame was made."""

    image: Image
    """``uint8`` H×W×3 BGR, C-contiguous."""
    time: float
    """Seconds on the clock of the desktop that grabbed it."""
    scale: float = 1.0
    """Display scale that the system reports: 1.0 is 100 %, 1.5 is 150 %."""

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in physical pixels."""
        return self.width, self.height

    @property
    def box(self) -> Box:
        return Box(0, 0, self.width, self.height)

    def crop(self, box: Box | tuple[int, int, int, int]) -> Image:
        """A view (not a copy) of the part of ``box`` that lies on the frame; may be empty."""
        part = Box(*box).clip(self.width, self.height)
        return self.image[part.y : part.bottom, part.x : part.right]
