"""Looks at a page in two windows and two themes: takes pictures, and says what is wrong with what it sees."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Page

WINDOWS = {"wide": (1440, 900), "narrow": (420, 900)}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GRAVE = ("serious", "critical")

_TALLEST = 6000
_SETTLES_MS = 400
_COMES_TO_REST_MS = 2_000
_LOOKS = 4
_HEIGHT = """() => Math.max(
  ...[...document.querySelectorAll("[data-testid=stMain], [role=dialog]")].map((part) => part.scrollHeight + 120))"""
_OUTSIDE = """() => {
  const scrolls = (part) => ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(part).overflowX);
  const isOutside = (part) => {
    const box = part.getBoundingClientRect();
    if (box.width < 2 || box.right <= innerWidth + 1 || !part.checkVisibility()) return false;
    for (let around = part.parentElement; around && around.dataset.testid !== "stMain"; around = around.parentElement)
      if (scrolls(around)) return false;
    return true;
  };
  return [...document.querySelectorAll("[data-testid=stMain] *, [role=dialog] *")].filter(isOutside)
    .slice(0, 3).map((part) => part.outerHTML.slice(0, 160));
}"""
_UNREADABLE = """() => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = ([red, green, blue, alpha], below) =>
    [red, green, blue].map((value, at) => value * alpha + below[at] * (1 - alpha));
  const light = (colour) => colour
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const contrast = (part) => {
    const around = [];
    for (let each = part; each; each = each.parentElement) around.unshift(getComputedStyle(each));
    let behind = [255, 255, 255], opacity = 1;
    for (const style of around) {
      if (style.backgroundImage !== "none") return Infinity;
      opacity *= style.opacity;
      const [red, green, blue, alpha] = rgba(style.backgroundColor);
      behind = over([red, green, blue, alpha * opacity], behind);
    }
    const [red, green, blue, alpha] = rgba(around.at(-1).color);
    const ratio = (light(over([red, green, blue, alpha * opacity], behind)) + 0.05) / (light(behind) + 0.05);
    return Math.max(ratio, 1 / ratio);
  };
  const wanted = (part) => {
    const { fontSize, fontWeight } = getComputedStyle(part);
    return parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && fontWeight >= 700) ? 3 : 4.5;
  };
  const leftOut = ":disabled, [aria-disabled=true], [inert], [data-stale=true], [data-testid=stIconMaterial], svg";
  const isSeen = (part) => {
    const box = part.getBoundingClientRect();
    return box.width > 2 && box.height > 2 && part.checkVisibility({ opacityProperty: true, visibilityProperty: true })
      && !part.closest(leftOut);
  };
  const holdsText = (part) =>
    part.value?.trim?.() || [...part.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  return [...document.querySelectorAll("[data-testid=stMain] *, [role=dialog] *, [data-baseweb=popover] *")]
    .filter((part) => holdsText(part) && isSeen(part) && contrast(part) < wanted(part) - 0.01)
    .map((part) => `${contrast(part).toFixed(2)} to 1: ${part.outerHTML.slice(0, 160)}`);
}"""


def violations(page: Page) -> list[str]:
    """Return what axe calls serious or critical on a page as it is now, and what cannot be read on it.

    What Streamlit dims while it draws the page anew comes back: only what several looks find is wrong.
    """
    found = _seen(page)
    for _ in range(_LOOKS):
        if found:
            page.wait_for_timeout(_COMES_TO_REST_MS)
            again = _seen(page)
            found = [one for one in found if one in again]
    return found


def _seen(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    grave = [
        f"{each['id']}: {node['html'][:200]}" for each in found if each["impact"] in GRAVE for node in each["nodes"]
    ]
    return grave + unreadable(page)


def unreadable(page: Page) -> list[str]:
    """Return the texts that stand out from what is behind them by less than WCAG's 4.5 to 1, large ones 3 to 1.

    axe passes over what a dialog shows below the edge of the window, and whatever something else lies upon in part.
    """
    found: list[str] = page.evaluate(_UNREADABLE)
    return [f"contrast of {one}" for one in found]


class Camera:
    """Looks at one page after another.

    Args:
        page: The browser's.
        folder: Where the pictures go: `NAME-WINDOW-THEME.png`.

    Attributes:
        faults: What was wrong so far: rules of axe, what stands outside the window, errors of scripts and of the app.
    """

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.faults: list[str] = []
        self._thrown: list[str] = []
        page.on("pageerror", lambda error: self._thrown.append(str(error)))
        page.on("dialog", lambda dialog: self._thrown.append(f"a dialog opened: {dialog.message}"))

    def look(self, name: str) -> None:
        """Take a picture of the page as it is now in each window and theme, and note what is wrong."""
        for window, (width, height) in WINDOWS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self._settle()
            self.faults += [f"{name}-{window}: outside the window: {part}" for part in self.page.evaluate(_OUTSIDE)]
            tall = min(_TALLEST, max(height, self.page.evaluate(_HEIGHT)))
            self.page.set_viewport_size({"width": width, "height": tall})
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme)
                self._settle()
                self.page.screenshot(path=self.folder / f"{name}-{window}-{theme}.png")
                if window == "wide":  # the rules are about colours, names and roles, which are the same in both
                    self.faults += [f"{name}-{theme}: {one}" for one in violations(self.page)]
        self.page.emulate_media(color_scheme=THEMES[0])
        width, height = WINDOWS["wide"]
        self.page.set_viewport_size({"width": width, "height": height})
        self.faults += [f"{name}: {one}" for one in self._thrown]
        self._thrown.clear()
        if self.page.get_by_test_id("stException").count():
            self.faults.append(f"{name}: {self.page.get_by_test_id('stException').first.inner_text()}")

    def _settle(self) -> None:
        """Wait until the page is at rest; one that follows a job never is for long."""
        from playwright.sync_api import TimeoutError as NeverAtRest

        with suppress(NeverAtRest):
            self.page.wait_for_selector("[data-test-script-state=notRunning]", timeout=_COMES_TO_REST_MS)
            self.page.wait_for_selector("[data-testid=stSkeleton]", state="detached", timeout=_COMES_TO_REST_MS)
        self.page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollTo(0, 0)")
        self.page.wait_for_timeout(_SETTLES_MS)
