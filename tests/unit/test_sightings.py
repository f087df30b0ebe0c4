"""What a sighting tells people and reports: every witness, every candidate, and the reason in words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from anchors.sighting import Absent, Ambiguous, Contradicted, Evidence, Found, Sighting, Suspect, Witness, explain
from vision.frame import Box, Frame, Point

RIGHT = Suspect(Box(10, 10, 40, 20), (Witness("text", True, 0.99, 0.8, "「复电」"), Witness("picture", True, 0.97, 0.45)))
WRONG = Suspect(Box(100, 10, 40, 20), (Witness("text", False, 0.99, 0.8, "「停电」"),), contradicted=True)
WEAK = Suspect(Box(200, 60, 40, 20), (Witness("text", False, 0.4, 0.8, "「复申」"),))


def evidence(*suspects: Suspect, title: str = "复电") -> Evidence:
    return Evidence("reconnect_button", title, suspects, None, "tolerant", 12.3456, 7.0)


def test_a_suspect_is_accepted_only_when_every_witness_agrees_and_none_contradicts() -> None:
    assert RIGHT.accepted and not WRONG.accepted and not WEAK.accepted
    assert not Suspect(RIGHT.box, RIGHT.witnesses, contradicted=True).accepted
    assert not Suspect(RIGHT.box, ()).accepted, "nobody spoke for it"
    assert RIGHT.witness("picture") is RIGHT.witnesses[1] and RIGHT.witness("state") is None


@pytest.mark.parametrize(
    ("sighting", "zh", "en"),
    [
        (Found(RIGHT.box, Point(30, 20), evidence(RIGHT)), ["找到「复电」"], ["found"]),
        (Absent(WEAK, evidence(WEAK)), ["没有看到「复电」", "「复申」", "请查看截图"], ["is not seen", "「复申」"]),
        (Absent(None, evidence()), ["没有看到「复电」", "被遮挡"], ["may not be open"]),
        (Ambiguous((RIGHT, RIGHT), evidence(RIGHT, RIGHT)), ["2 处", "未点击", "标定"], ["2 places", "not clicked"]),
        (Contradicted(evidence(WRONG), "该处的文字是「停电」"), ["停电", "未点击", "核对"], ["contradicts", "Not clicked"]),
    ],
    ids=["found", "absent", "absent, nothing near", "ambiguous", "contradicted"],
)
def test_a_sighting_says_what_was_seen_and_what_to_do(sighting: Sighting, zh: list[str], en: list[str]) -> None:
    assert all(part in explain(sighting) for part in zh)
    assert all(part in explain(sighting, "en") for part in en)
    assert "相似度" not in explain(sighting), "nobody is told to lower a level"


def test_an_anchor_without_a_title_is_called_by_its_name() -> None:
    assert "reconnect_button" in explain(Absent(None, evidence(title="")))


def test_evidence_is_ready_for_a_report() -> None:
    document = json.loads(json.dumps(evidence(RIGHT, WRONG).to_json(), ensure_ascii=False))
    assert [s["accepted"] for s in document["suspects"]] == [True, False] and document["suspects"][1]["contradicted"]
    assert document["suspects"][0]["witnesses"][0] == {
        "name": "text",
        "ok": True,
        "score": 0.99,
        "level": 0.8,
        "detail": "「复电」",
    }
    assert document["milliseconds"] == 12.346 and document["path"] == "tolerant" and document["region"] is None


def test_drawn_evidence_shows_each_candidate_in_its_colour_and_leaves_the_frame_alone() -> None:
    frame = Frame(np.full((120, 300, 3), 255, np.uint8), 0.0)
    drawn = evidence(RIGHT, WRONG, WEAK).draw(frame, RIGHT.box)

    def corner(box: Box) -> str:
        blue, green, red = (int(v) for v in drawn[box.y, box.x + 5])
        return "green" if green > max(blue, red) else "orange" if green > 100 else "red"

    assert [corner(s.box) for s in (RIGHT, WEAK, WRONG)] == ["green", "orange", "red"]
    assert int(frame.image.min()) == 255 and (drawn[90:] == 255).all()
