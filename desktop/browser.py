"""How a browser is started so that its pixels are the same every time, and how a PC's own browser is opened."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

FONT = "WenQuanYi Micro Hei"
"""Debian's fonts-wqy-microhei. One font is pinned because template pixels depend on it."""

_FLAGS = (
    "--test-type",  # no bar about --no-sandbox
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-session-crashed-bubble",
    "--hide-crash-restore-bubble",
    "--disable-infobars",
    "--disable-translate",
    "--disable-notifications",
    "--disable-popup-blocking",
    "--disable-save-password-bubble",
    "--disable-features=Translate,TranslateUI,MediaRouter,OptimizationHints,GlobalMediaControls,PasswordManagerOnboarding,AutofillServerCommunication",
    "--password-store=basic",
    "--use-mock-keychain",
    "--disable-smooth-scrolling",
    "--force-color-profile=srgb",
    "--font-render-hinting=slight",
    "--disable-lcd-text",
    "--ozone-platform=x11",
)


def chromium_arguments(
    urls: Sequence[str], profile: Path, size: tuple[int, int], scale: float, *, executable: str = "chromium"
) -> list[str]:
    """The command line of a kiosk browser with one tab for each of ``urls``."""
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        executable,
        "--kiosk",
        *sandbox,
        *_FLAGS,
        f"--user-data-dir={profile}",
        "--lang=zh-CN",
        f"--force-device-scale-factor={scale:g}",
        "--window-position=0,0",
        f"--window-size={round(size[0] / scale)},{round(size[1] / scale)}",
        *urls,
    ]


def write_profile(profile: Path, downloads: Path) -> None:
    """A new browser profile that asks nothing: no password or translation bubbles, downloads without a question."""
    preferences = {
        "intl": {"accept_languages": "zh-CN,zh", "selected_languages": "zh-CN,zh"},
        "credentials_enable_service": False,
        "credentials_enable_autosignin": False,
        "profile": {
            "password_manager_enabled": False,
            "password_manager_leak_detection": False,
            "default_content_setting_values": {"notifications": 2, "clipboard": 1},
        },
        "autofill": {"enabled": False, "profile_enabled": False, "credit_card_enabled": False},
        "translate": {"enabled": False},
        "browser": {"check_default_browser": False, "has_seen_welcome_page": True},
        "session": {"restore_on_startup": 5},
        "download": {"prompt_for_download": False, "default_directory": str(downloads), "directory_upgrade": True},
        "download_bubble": {"partial_view_enabled": False},
        "safebrowsing": {"enabled": False},
        "search": {"suggest_enabled": False},
        "webkit": {
            "webprefs": {
                "fonts": {
                    family: {"Zyyy": FONT, "Hans": FONT} for family in ("standard", "sansserif", "serif", "cursive", "fantasy")
                }
            }
        },
    }
    default = profile / "Default"
    default.mkdir(parents=True, exist_ok=True)
    (default / "Preferences").write_text(json.dumps(preferences, ensure_ascii=False), "utf-8")
    (profile / "Local State").write_text(json.dumps({"browser": {"enabled_labs_experiments": []}}), "utf-8")
    (profile / "First Run").touch()


def write_font_configuration(path: Path, font: str = FONT) -> None:
    """A fontconfig file that pins the default fonts and how glyphs are drawn: gray, slight hinting, no sub-pixels."""
    aliases = "\n".join(
        f'  <match target="pattern"><test name="family"><string>{family}</string></test>'
        f'<edit name="family" mode="prepend" binding="strong"><string>{font}</string></edit></match>'
        for family in ("sans-serif", "serif", "system-ui", "Microsoft YaHei", "微软雅黑", "SimSun", "宋体", "PingFang SC")
    )
    path.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        "  <dir>/usr/share/fonts</dir>\n  <dir>/usr/local/share/fonts</dir>\n"
        f"  <cachedir>{path.parent / 'fontcache'}</cachedir>\n  <cachedir>/var/cache/fontconfig</cachedir>\n{aliases}\n"
        '  <match target="font"><edit name="antialias" mode="assign"><bool>true</bool></edit>'
        '<edit name="hinting" mode="assign"><bool>true</bool></edit>'
        '<edit name="hintstyle" mode="assign"><const>hintslight</const></edit>'
        '<edit name="autohint" mode="assign"><bool>false</bool></edit>'
        '<edit name="embeddedbitmap" mode="assign"><bool>false</bool></edit>'
        '<edit name="rgba" mode="assign"><const>none</const></edit></match>\n</fontconfig>\n',
        "utf-8",
    )


def find_browser() -> str | None:
    """A Chromium-like browser of this PC that knows ``--kiosk``; None when there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge", "chrome"):
        found = shutil.which(name)
        if found:
            return found
    if sys.platform == "win32":
        for root in ("ProgramFiles(x86)", "ProgramFiles", "LocalAppData"):
            for tail in (r"Microsoft\Edge\Application\msedge.exe", r"Google\Chrome\Application\chrome.exe"):
                path = Path(os.environ.get(root, "")) / tail
                if path.is_file():
                    return str(path)
    return None


class OwnBrowser:
    """A browser that was opened on the PC's own screen. ``close`` ends it where we started its process."""

    def __init__(self, process: subprocess.Popen[bytes] | None, profile: Path | None) -> None:
        self._process = process
        self._profile = profile

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
        if self._profile is not None:
            shutil.rmtree(self._profile, ignore_errors=True)


def open_browser(urls: Sequence[str], kiosk: bool = True, profile: Path | None = None, scale: float | None = None) -> OwnBrowser:
    """Open ``urls`` as tabs on the PC's own screen: full-screen where a Chromium-like browser is found, else the default browser.

    ``profile`` must be a new folder of its own, or the browser that is already open would take the pages; it is removed by
    ``close``. The page is not loaded yet when this returns: wait for what should be seen.
    """
    executable = find_browser()
    if executable is None or profile is None:
        for url in urls:
            webbrowser.open_new_tab(url)
        return OwnBrowser(None, None)
    write_profile(profile, Path.home() / "Downloads")
    arguments = [executable, "--no-first-run", "--no-default-browser-check", f"--user-data-dir={profile}", "--lang=zh-CN"]
    if kiosk:
        arguments.append("--kiosk")
        if "edge" in executable.lower():
            arguments.append("--edge-kiosk-type=fullscreen")
    if scale is not None:
        arguments.append(f"--force-device-scale-factor={scale:g}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments += ["--no-sandbox", "--test-type"]
    process = subprocess.Popen(
        [*arguments, *urls], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return OwnBrowser(process, profile)
