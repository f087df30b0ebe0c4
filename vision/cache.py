"""What was read from which pixels: equal pixels are never read twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from vision.findings import Reading
from vision.frame import Image

ENTRIES = 20_000
"""About 3 kB each with characters and boxes, so 60 MB at most; a full screen of a grid has some 300."""


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """Counts since the start or the last :meth:`ReadingCache.clear`."""

    hits: int
    misses: int
    entries: int

    @property
    def share(self) -> float:
        """Hits of all look-ups, 0…1."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else 0.0


class ReadingCache:
    """Least recently used readings by hash of pixels, shape, reader and pattern. Safe for several threads."""

    def __init__(self, entries: int = ENTRIES) -> None:
        self._entries = entries
        self._lock = threading.Lock()
        self._readings: OrderedDict[bytes, Reading] = OrderedDict()
        self._hits = 0
        self._misses = 0

    @staticmethod
    def key(crop: Image, pattern: str | None, reader: str) -> bytes:
        """16 bytes that stand for the crop's pixels and what was asked for."""
        digest = hashlib.blake2b(np.ascontiguousarray(crop).data, digest_size=16)
        digest.update(f"{crop.shape}|{reader}|{pattern}".encode())
        return digest.digest()

    def get(self, key: bytes) -> Reading | None:
        with self._lock:
            found = self._readings.get(key)
            if found is None:
                self._misses += 1
                return None
            self._hits += 1
            self._readings.move_to_end(key)
            return found

    def put(self, key: bytes, reading: Reading) -> None:
        with self._lock:
            self._readings[key] = reading
            self._readings.move_to_end(key)
            while len(self._readings) > self._entries:
                self._readings.popitem(last=False)

    @property
    def statistics(self) -> CacheStatistics:
        with self._lock:
            return CacheStatistics(self._hits, self._misses, len(self._readings))

    def clear(self) -> None:
        """Forget all readings and start counting anew."""
        with self._lock:
            self._readings.clear()
            self._hits = self._misses = 0
