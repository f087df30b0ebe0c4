"""The protocol between the robot and a screen with mouse and keyboard."""

from __future__ import annotations

from typing import Literal, Protocol

from vision.frame import Frame, Point

Button = Literal["left", "right", "middle"]


class DesktopError(Exception):
    """The screen cannot be seen or worked. The message says what was seen, the likely cause and what to do."""


class NoDisplayError(DesktopError):
    """There is no display to grab, or it went away."""


class BlackScreenError(DesktopError):
    """The screen is there but shows nothing: locked, session closed, display asleep."""


class ResolutionChangedError(DesktopError):
    """The screen has another size than when the run started."""


class DesktopBusyError(DesktopError):
    """Another robot works this desktop."""


class TextNotTakenError(DesktopError):
    """Nothing picked up the text that was pasted; it is known that nothing was typed."""


class Aborted(BaseException):
    """Ctrl+Shift+Q or a stop request: the run ends here, with keys and buttons up."""


class Clock(Protocol):
    """Time as the robot sees it; a rehearsal has a virtual one."""

    def now(self) -> float:
        """Seconds, monotonic, from an arbitrary start."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass. Raises :class:`Aborted` at once when the run is stopped meanwhile."""
        ...


class Desktop(Protocol):
    """One screen, one pointer, one keyboard. Physical pixels everywhere; (0, 0) is the top left of the frame.

    What a desktop guarantees: calls come from one thread at a time; every input call checks the abort flag immediately
    before the event leaves and raises :class:`Aborted` instead of sending it; ``release_all`` may be called at any time,
    from any thread, also twice.
    """

    clock: Clock

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in physical pixels."""
        ...

    @property
    def scale(self) -> float:
        """Display scale reported by the system: 1.0, 1.25, 1.5 …"""
        ...

    def grab(self) -> Frame:
        """The screen now, without the pointer. Raises :class:`NoDisplayError`."""
        ...

    def pointer(self) -> Point:
        """Where the pointer is."""
        ...

    def move(self, x: int, y: int) -> None:
        """Put the pointer there at once."""
        ...

    def button_down(self, button: Button = "left") -> None: ...

    def button_up(self, button: Button = "left") -> None: ...

    def scroll(self, notches: int, horizontal: bool = False) -> None:
        """Turn the wheel; positive is down or right."""
        ...

    def key_down(self, key: str) -> None:
        """Press a key by name: ``a``, ``1``, ``enter``, ``tab``, ``esc``, ``ctrl``, ``shift``, ``alt``, ``f5``, ``pagedown`` …"""
        ...

    def key_up(self, key: str) -> None: ...

    def type_text(self, text: str, *, secret: bool = False) -> None:
        """Put ``text`` where the keyboard focus is, exactly, Chinese too. A secret never touches the clipboard."""
        ...

    def touched(self) -> bool:
        """Whether a person moved the mouse or pressed a key since the last call of :meth:`clear_touch`."""
        ...

    def clear_touch(self) -> None: ...

    def abort(self) -> None:
        """Ask for a stop from any thread: the next input or sleep raises :class:`Aborted`; keys and buttons go up."""
        ...

    def release_all(self) -> None:
        """Every key and button that this desktop pressed goes up."""
        ...

    def close(self) -> None:
        """Release everything and let go of the screen."""
        ...
