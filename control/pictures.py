"""Pictures of a run, masked and written by one background thread, so that the robot does not wait for them.

Whole frames are kept small (a person sees where things are), the surroundings of the target at full size; all as
lossless WebP. Measured for 1080p: half size 22 ms, full size 100 ms (PNG 16 and 92 ms, half as large again on disk).
"""

from __future__ import annotations

import io
import queue
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from recordings.masking import masked
from vision.frame import Box, Frame, Image

WAITING = 12
"""Pictures that may wait: 12 frames of 1080p are 75 MB, of which most share one frame."""

SHRINK = 0.375
"""Whole frames: enough to see where on the page something happened; a report of five orders at half size was 15 MB."""

AROUND_X, AROUND_Y = 220, 110
"""How much around the target is kept at full size, pixels at 100 %: a row's neighbours and the label beside a field."""

FREE_BYTES = 64 << 20
"""Below this much free space no pictures are written, so that ledger and journal have room."""


def encode(image: Image) -> bytes:
    """Lossless WebP of a BGR picture, fast setting."""
    out = io.BytesIO()
    Pillow.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).save(out, "WEBP", lossless=True, method=0, quality=20)
    return out.getvalue()


def around_box(box: Box, frame: Frame) -> Box:
    """The part of the frame that is kept at full size around a target."""
    return box.grow(round(AROUND_X * frame.scale), round(AROUND_Y * frame.scale)).clip(*frame.size)


class PictureWriter:
    """Writes masked pictures under ``folder``. ``keep`` returns at once; ``troubles`` collects what went wrong, for people."""

    def __init__(self, folder: Path, free_bytes: int = FREE_BYTES) -> None:
        self._folder, self._free_bytes = Path(folder), free_bytes
        self.troubles: list[str] = []
        self.dropped = 0
        self._stopped = False
        self._jobs: queue.Queue[Callable[[], object] | None] = queue.Queue(WAITING)
        self._recent: list[tuple[Frame, tuple[object, ...], str]] = []
        (self._folder / "pictures").mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._work, name="pictures", daemon=True)
        self._thread.start()

    def keep(
        self,
        path: str,
        frame: Frame,
        clear: Sequence[Box] = (),
        *,
        covered: Sequence[Box] = (),
        around: Box | None = None,
        shrink: float = SHRINK,
        urgent: bool = False,
    ) -> str | None:
        """Have a picture of ``frame`` written; returns its path relative to the folder, or None when it was dropped.

        The same frame with the same mask is kept once: the path of the earlier one is returned. When the thread lags, an urgent
        picture waits up to a second for its place, others are dropped and counted.
        """
        if self._stopped:
            return None
        shape = (tuple(map(tuple, clear)), tuple(map(tuple, covered)), around and tuple(around), shrink)
        for known, known_shape, known_path in self._recent:
            if known is frame and known_shape == shape:
                return known_path

        def write() -> None:
            part = around_box(around, frame) if around else frame.box
            here = [b.shift(-part.x, -part.y) for b in (Box(*b) for b in clear)]
            there = [b.shift(-part.x, -part.y) for b in (Box(*b) for b in covered)]
            crop = np.ascontiguousarray(frame.crop(part))
            self._store(path, lambda: masked(crop, here, there, 1.0 if around else shrink))

        try:
            self._jobs.put(write, block=urgent, timeout=1.0 if urgent else None)
        except queue.Full:
            self.dropped += 1
            if self.dropped == 1:
                self.troubles.append("图片写得太慢，部分图片没有保存 / pictures are written too slowly, some were dropped")
            return None
        self._recent = [(frame, shape, path), *self._recent[:3]]
        return path

    def later(self, job: Callable[[], object]) -> None:
        """Do ``job`` after what is waiting; left out when the thread lags."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return

    def stop(self, reason: str) -> None:
        """No more pictures; ``reason`` is for people."""
        if not self._stopped:
            self._stopped = True
            self.troubles.append(reason)

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is waiting; False after ``timeout`` seconds."""
        done = threading.Event()
        try:
            self._jobs.put(done.set, timeout=timeout)
        except queue.Full:
            return False
        return done.wait(timeout)

    def close(self, timeout: float) -> bool:
        """Write what is waiting and end the thread; False if it did not end in ``timeout`` seconds."""
        end = time.monotonic() + timeout
        try:
            self._jobs.put(None, timeout=timeout)
        except queue.Full:
            return False
        self._thread.join(max(0.1, end - time.monotonic()))
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except OSError as error:
                self.stop(
                    f"图片写不进磁盘（{error.strerror}），已停止保存图片，请腾出磁盘空间 / "
                    f"pictures cannot be written ({error.strerror}); no more are kept, free some space"
                )
            except Exception as error:  # noqa: BLE001 - evidence must never end the robot; unmasked pictures are never written
                self.troubles.append(f"一张图片没有保存（{error}）/ a picture was not kept ({error})")

    def _store(self, path: str, picture: Callable[[], Image]) -> None:
        if self._stopped:
            return
        if shutil.disk_usage(self._folder).free < self._free_bytes:
            self.stop(
                f"磁盘剩余空间不足 {self._free_bytes >> 20} MB,已停止保存图片，请腾出磁盘空间 / "
                f"less than {self._free_bytes >> 20} MB free: no more pictures are kept, free some space"
            )
            return
        (self._folder / path).write_bytes(encode(picture()))
