"""Shared fixtures. Tests that need pixels bring their own display and browser; nothing of the developer's screen is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.support.pages import Pages


@pytest.fixture(scope="session", autouse=True)
def _private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """State, configuration and scale of whoever runs the tests stay out of them."""
    patch = pytest.MonkeyPatch()
    home = tmp_path_factory.mktemp("home")
    patch.setenv("XDG_STATE_HOME", str(home / "state"))
    patch.setenv("XDG_DATA_HOME", str(home / "data"))
    patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    patch.delenv("ZHISHOU_SCALE", raising=False)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def pages() -> Iterator[Pages]:
    """A page server for the session."""
    server = Pages()
    yield server
    server.close()


@pytest.fixture
def virtual() -> Iterator[Callable[..., Any]]:
    """``virtual(urls=[...], size=(w, h), scale=1.0, ...)`` → a started VirtualDesktop, closed after the test."""
    from desktop.virtual import VirtualDesktop

    opened: list[VirtualDesktop] = []

    def start(urls: Sequence[str] = (), size: tuple[int, int] = (1280, 720), scale: float = 1.0, **more: Any) -> VirtualDesktop:
        desk = VirtualDesktop(size, scale, urls, **more)
        opened.append(desk)
        desk.start()
        return desk

    yield start
    for desk in reversed(opened):
        desk.close()
