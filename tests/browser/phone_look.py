"""How the phone page is judged: big targets, nothing off the glass, readable in the sun, in one language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

SIZES = ((360, 640), (390, 844))
# Text and its ground in the sun; large type is not let off.
LEAST_CONTRAST = 7.0
LEAST_TARGET_PX = 48

SMALL_TARGETS = """least => [...document.querySelectorAll('button, a[href], textarea, select, label.chip')]
  .filter((e) => !e.closest('.maplibregl-ctrl'))
  .map((e) => [(e.textContent || e.ariaLabel || '').trim(), e.getBoundingClientRect()])
  .filter(([, r]) => r.width > 0 && r.height > 0 && (r.width < least || r.height < least))
  .map(([name, r]) => `${name} ${Math.round(r.width)}x${Math.round(r.height)}`)"""

OFF_THE_GLASS = """() => [...document.querySelectorAll('.field-page button, .sheet p, .sheet h2, .strip span')]
  .filter((e) => e.getClientRects().length && !e.closest('.maplibregl-ctrl'))
  .filter((e) => { const r = e.getBoundingClientRect(); return r.left < -1 || r.right > innerWidth + 1; })
  .map((e) => e.textContent.trim())"""

# Each text on the page against the nearest ground that is painted behind it.
FAINT_TEXTS = """least => {
  const channel = (v) => { const s = v / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll('.bar *, .strip, .strip *, .sheet *, .bottom *, .panel *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.disabled || e.closest(':disabled')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) found.push(`${e.textContent.trim().slice(0, 30)} ${ratio.toFixed(1)}`);
  }
  return found;
}"""

CHOOSE = """([key, value]) => {
  const before = localStorage.getItem(key);
  localStorage.setItem(key, value);
  dispatchEvent(new StorageEvent('storage', { key, oldValue: before, newValue: value, storageArea: localStorage }));
}"""


def choose(page: Page, *, theme: str | None = None, locale: str | None = None) -> None:
    """As another tab of the page would: the choice is kept in the browser, and shown at once."""
    for key, value in (("gridmap.theme", theme), ("gridmap.locale", locale)):
        if value is not None:
            page.evaluate(CHOOSE, [key, value])


def is_fit(page: Page, least_target_px: float = LEAST_TARGET_PX) -> None:
    """Raises AssertionError with what is too small, too faint or off the glass."""
    assert page.evaluate(SMALL_TARGETS, least_target_px - 0.5) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing lies off the glass"
    assert page.evaluate(OFF_THE_GLASS) == []
    assert page.evaluate(FAINT_TEXTS, LEAST_CONTRAST) == []


def in_every_look(page: Page) -> Iterator[str]:
    """The page in both sizes, themes and languages, one after the other; yields a name for its picture."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            for locale in ("zh", "en"):
                choose(page, theme=theme, locale=locale)
                page.wait_for_function(
                    "([theme, lang]) => document.documentElement.dataset.theme === theme"
                    " && document.documentElement.lang.startsWith(lang)",
                    arg=[theme, locale],
                )
                page.wait_for_timeout(200)
                yield f"{width}-{theme}-{locale}"
    choose(page, theme="light", locale="zh")
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[-1], strict=True)))


def share_of_width(page: Page, box: Any) -> float:
    """How much of the glass a button takes from left to right."""
    assert box is not None
    return float(box["width"]) / float(page.evaluate("innerWidth"))
