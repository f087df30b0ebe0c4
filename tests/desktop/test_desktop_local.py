"""Eyes and hands on a real page: what the page itself reports is the truth."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from desktop.base import Aborted, NoDisplayError, ResolutionChangedError, TextNotTakenError
from desktop.health import is_black
from desktop.local import LocalDesktop
from desktop.virtual import VirtualDesktop
from tests.support.hand import Hand
from tests.support.pages import Pages, wait_for

PAGE = """<body style="margin:0;background:#fff">
<textarea id="t" style="position:fixed;left:20px;top:20px;width:600px;height:200px;caret-color:transparent"></textarea>
<div style="position:fixed;left:700px;top:300px;width:40px;height:30px;background:rgb(10,200,30)"></div>
<div style="position:absolute;top:3000px">.</div>
<script>
const t = document.getElementById('t');
let keys = [], clicks = [];
addEventListener('keydown', e => { keys.push(e.key + ':' + e.shiftKey + e.ctrlKey); report({keys}); });
addEventListener('mousedown', e => { clicks.push([e.clientX, e.clientY, e.button]); report({clicks}); });
addEventListener('mouseup', e => report({up: [e.clientX, e.clientY, e.button]}));
addEventListener('scroll', e => report({scroll: scrollY}));
addEventListener('contextmenu', e => e.preventDefault());
setInterval(() => report({text: t.value}), 40);
</script>"""
FIELD = (300, 100)


@pytest.fixture(scope="module")
def desk(pages: Pages) -> Iterator[VirtualDesktop]:
    with VirtualDesktop((1280, 720), urls=[pages.put("/local", PAGE)]) as virtual:
        yield virtual


@pytest.fixture
def desktop(desk: VirtualDesktop) -> Iterator[LocalDesktop]:
    desk.desktop.clear_touch()
    yield desk.desktop
    desk.desktop.resume()


def click(desktop: LocalDesktop, x: int, y: int) -> None:
    desktop.move(x, y)
    desktop.button_down()
    desktop.button_up()


def empty_field(desktop: LocalDesktop, pages: Pages) -> None:
    click(desktop, *FIELD)
    desktop.key_down("ctrl")
    desktop.key_down("a")
    desktop.key_up("a")
    desktop.key_up("ctrl")
    desktop.key_down("delete")
    desktop.key_up("delete")
    pages.reports.clear()
    assert wait_for(lambda: pages.last("text") == "")


def test_frame_shows_the_page_in_bgr_without_the_pointer(desktop: LocalDesktop) -> None:
    desktop.move(710, 310)
    frame = desktop.grab()
    assert frame.size == (1280, 720)
    assert frame.image.flags["C_CONTIGUOUS"]
    patch = frame.image[300:330, 700:740]
    assert (patch == (30, 200, 10)).all(), "the green box must be of one colour: no pointer in the picture, BGR order"


def test_clicks_arrive_at_the_pixel(desktop: LocalDesktop, pages: Pages) -> None:
    click(desktop, 711, 317)
    assert wait_for(lambda: (pages.last("clicks") or [None])[-1] == [711, 317, 0])
    desktop.button_down("right")
    desktop.button_up("right")
    assert wait_for(lambda: pages.last("up") == [711, 317, 2])
    assert desktop.pointer() == (711, 317)


def test_the_wheel_turns_down_and_up(desktop: LocalDesktop, pages: Pages) -> None:
    desktop.move(900, 500)
    pages.reports.clear()
    desktop.scroll(3)
    assert wait_for(lambda: (pages.last("scroll") or 0) > 50)
    desktop.scroll(-10)
    assert wait_for(lambda: pages.last("scroll") == 0)


def test_keys_have_names_and_unknown_names_are_refused(desktop: LocalDesktop, pages: Pages) -> None:
    pages.reports.clear()
    for key in ("shift", "f8"):
        desktop.key_down(key)
    for key in ("f8", "shift"):
        desktop.key_up(key)
    assert wait_for(lambda: "F8:truefalse" in (pages.last("keys") or []))
    with pytest.raises(ValueError, match="no key named 'hyperdrive'"):
        desktop.key_down("hyperdrive")


@pytest.mark.parametrize("secret", [False, True], ids=["pasted", "native"])
def test_every_character_arrives_in_order(desktop: LocalDesktop, pages: Pages, secret: bool) -> None:
    chance = random.Random(7)
    texts = [
        "复电 reconnect 100%：户号3301234567，台区«东湖»",
        "Aa{}[]<>|\\~`\"'€ß^_@#$&*()=+;:?/.,-",
        "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(120)),
        "aA" * 60 + "龘𠮷",
    ]
    for text in texts:
        empty_field(desktop, pages)
        desktop.type_text(text, secret=secret)
        assert wait_for(lambda text=text: pages.last("text") == text), (pages.last("text"), text)
    assert not desktop.touched(), "the robot's own typing must not count as a person's"


def test_capital_letters_arrive_with_caps_lock_on(desktop: LocalDesktop, pages: Pages, desk: VirtualDesktop) -> None:
    empty_field(desktop, pages)
    hand = Hand(desk.display)
    hand.key("Caps_Lock")
    try:
        desktop.type_text("aB复c", secret=True)
        assert wait_for(lambda: pages.last("text") == "aB复c"), pages.last("text")
    finally:
        hand.key("Caps_Lock")
        hand.close()


def clipboard(display: str) -> str:
    command = ["xclip", "-display", display, "-selection", "clipboard", "-o"]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout


def test_the_clipboard_of_the_person_comes_back(desktop: LocalDesktop, pages: Pages, desk: VirtualDesktop) -> None:
    subprocess.run(
        ["xclip", "-display", desk.display, "-selection", "clipboard", "-i"],
        input="某人复制的内容",
        text=True,
        timeout=5,
        check=True,
    )
    empty_field(desktop, pages)
    desktop.type_text("粘贴的文字")
    assert wait_for(lambda: pages.last("text") == "粘贴的文字")
    assert wait_for(lambda: clipboard(desk.display) == "某人复制的内容")


def test_a_secret_is_never_on_the_clipboard(desktop: LocalDesktop, pages: Pages, desk: VirtualDesktop) -> None:
    seen: set[str] = set()
    stop = threading.Event()

    def spy() -> None:
        while not stop.is_set():
            seen.add(clipboard(desk.display))

    watcher = threading.Thread(target=spy)
    empty_field(desktop, pages)
    watcher.start()
    desktop.type_text("口令Pa55", secret=True)
    assert wait_for(lambda: pages.last("text") == "口令Pa55")
    stop.set()
    watcher.join()
    assert not any("Pa55" in text for text in seen)


def test_a_thousand_inputs_of_the_robot_are_not_a_person(desktop: LocalDesktop) -> None:
    chance = random.Random(3)
    for _ in range(130):
        click(desktop, chance.randrange(1, 1279), chance.randrange(230, 719))
        desktop.scroll(chance.choice((-1, 1)))
        desktop.key_down("shift")
        desktop.key_down("end")
        desktop.key_up("end")
        desktop.key_up("shift")
        assert not desktop.touched()
    assert not wait_for(desktop.touched, 0.3)


@pytest.mark.parametrize("what", ["move", "key"])
def test_a_person_is_noticed_within_50_ms(desktop: LocalDesktop, desk: VirtualDesktop, what: str) -> None:
    click(desktop, 600, 400)
    hand = Hand(desk.display)
    assert not desktop.touched()
    hand.move(610, 400) if what == "move" else hand.key("F9")
    start = time.monotonic()
    assert wait_for(desktop.touched, 1)
    assert time.monotonic() - start < 0.05
    desktop.clear_touch()
    assert not desktop.touched()
    hand.close()


def test_stop_key_releases_everything_within_200_ms(desktop: LocalDesktop, desk: VirtualDesktop, pages: Pages) -> None:
    hand = Hand(desk.display)
    desktop.move(700, 500)
    desktop.button_down()
    desktop.key_down("shift")
    desktop.key_down("ctrl")
    desktop.key_down("x")
    assert wait_for(lambda: hand.state()[1])
    hand.down("Control_L", "Shift_L", "q")
    start = time.monotonic()
    hand.up("Control_L", "Shift_L", "q")
    assert wait_for(lambda: hand.state() == (set(), False), 1), hand.state()
    assert time.monotonic() - start < 0.2
    with pytest.raises(Aborted):
        desktop.move(1, 1)
    with pytest.raises(Aborted):
        desktop.clock.sleep(10)
    desktop.resume()
    pages.reports.clear()
    assert wait_for(lambda: pages.last("text") is not None), "the stop key must not close the browser"
    hand.close()


def test_stop_ends_a_long_typing_in_the_middle(desktop: LocalDesktop, desk: VirtualDesktop, pages: Pages) -> None:
    empty_field(desktop, pages)
    hand = Hand(desk.display)
    stopper = threading.Timer(0.15, lambda: hand.key("Control_L", "Shift_L", "q"))
    stopper.start()
    with pytest.raises(Aborted):
        for _ in range(1000):
            desktop.type_text("0123456789" * 10, secret=True)
    assert wait_for(lambda: hand.state() == (set(), False))
    hand.close()


def test_throwing_the_mouse_into_the_corner_stops(desktop: LocalDesktop, desk: VirtualDesktop) -> None:
    desktop.move(0, 0)
    desktop.move(50, 50)  # the robot's own way to the corner is no stop
    hand = Hand(desk.display)
    hand.move(0, 0)
    with pytest.raises(Aborted):
        desktop.move(80, 80)
    hand.move(90, 90)
    hand.close()


def test_pasting_where_nothing_takes_it_says_so() -> None:
    with VirtualDesktop((640, 480)) as empty:
        with pytest.raises(TextNotTakenError, match="nothing was typed"):
            empty.desktop.type_text("无人接收")
        assert is_black(empty.desktop.grab()) is False


def test_changed_resolution_and_lost_display_are_named() -> None:
    with VirtualDesktop((640, 480)) as small:
        hand = Hand(small.display)
        hand.resize(600, 400)
        hand.close()
        with pytest.raises(ResolutionChangedError, match="640×480 at the start, 600×400 now"):
            small.desktop.grab()
    with pytest.raises(NoDisplayError, match=":4711"):
        LocalDesktop(":4711")


def test_native_scale_is_read_from_the_x_resources() -> None:
    with VirtualDesktop((640, 480)) as small:
        resources = "Xft.antialias:\t1\nXft.dpi:\t144\n"
        from Xlib import Xatom
        from Xlib.display import Display

        x = Display(small.display)
        x.screen().root.change_property(Xatom.RESOURCE_MANAGER, Xatom.STRING, 8, resources.encode())
        x.sync()
        with LocalDesktop(small.display, watch=False) as other:
            assert other.scale == 1.5
        x.close()


def test_two_grabs_of_a_still_page_are_equal(desktop: LocalDesktop) -> None:
    desktop.move(1270, 700)
    assert wait_for(lambda: np.array_equal(desktop.grab().image, desktop.grab().image))
