"""What can stop a step. Each says what was seen, the likely cause and what to do; none is an invitation to try harder."""

from __future__ import annotations

from anchors.sighting import Sighting
from vision.frame import Frame


class StepError(Exception):
    """A step was not done. `frame` is what was seen."""

    outcome = "failed"

    def __init__(self, message: str, *, frame: Frame | None = None, sighting: Sighting | None = None) -> None:
        super().__init__(message)
        self.frame = frame
        self.sighting = sighting


class NotSeenError(StepError):
    """What was waited for did not come before its deadline."""

    outcome = "timeout"


class DoubtfulError(StepError):
    """Something was seen, but the witnesses do not agree or a check failed; nothing was pressed."""

    outcome = "contradicted"


class MovedError(StepError):
    """The target changed between look and act; the step looks again."""

    outcome = "moved"


class ClientBusyError(StepError):
    """The client answered with its own «system busy» dialog, which was dismissed."""

    outcome = "busy"


class LostPressError(StepError):
    """A press evidently did not arrive: its dialog stayed open and was cancelled."""

    outcome = "lost"


class SessionExpiredError(StepError):
    """The client ended the log-in; the flow logs in again and looks where it stands."""

    outcome = "session expired"


class BusinessError(Exception):
    """The business itself says no (wrong password, no such order): never retried by itself."""
