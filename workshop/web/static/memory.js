// What a person has made on a page, which the browser keeps for this tab: to load it again, or to look at another page
// meanwhile, loses nothing.

// `made()` is asked when the page is left; null keeps what was kept before. Storage may be full, or not allowed: then
// nothing is kept.
export function keepFor(place, made) {
  addEventListener("pagehide", () => {
    const now = made();
    try {
      if (now) sessionStorage.setItem(place, JSON.stringify(now));
    } catch {}
  });
}

// What was kept; null for nothing.
export function keptFor(place) {
  try {
    return JSON.parse(sessionStorage.getItem(place));
  } catch {
    return null;
  }
}
