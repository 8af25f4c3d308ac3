"""What bars people with a screen reader, a keyboard, weak eyes or a phone, as axe-core finds it on a page."""

from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "web" / "vendor" / "axe.min.js"

#: How a page looks: its colours, and its width in pixels.
LOOKS = [("light", 1100), ("dark", 1100), ("light", 360), ("dark", 360)]


def faults(page: Any) -> list[str]:
    """What axe-core finds, as `rule (impact): element`."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{rule['id']} ({rule['impact']}): {node['target']}" for rule in found for node in rule["nodes"]]


def look_at(page: Any) -> dict[str, list[str]]:
    """The faults in every look that has some."""
    seen = {}
    for colours, width in LOOKS:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        seen[f"{colours}, {width}"] = faults(page)
    return {look: found for look, found in seen.items() if found}
