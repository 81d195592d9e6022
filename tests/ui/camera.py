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


def violations(page: Page) -> list[str]:
    """Return what axe finds on a page as it is now, as far as it calls it serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}" for each in found if each["impact"] in GRAVE for node in each["nodes"]
    ]


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
