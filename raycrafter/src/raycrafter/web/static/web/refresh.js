// Replaces the changing part of a job's page every few seconds; stops when the job is over or the reader is signed out.
"use strict";
(() => {
  const box = document.getElementById("progress");
  const PAUSE = 4000; // milliseconds
  const next = () => setTimeout(refresh, PAUSE);

  async function refresh() {
    // A reader who is on a link in there, or marks text, is not disturbed; nor is a hidden page refreshed.
    const selected = !document.getSelection().isCollapsed;
    if (document.hidden || selected || (box.contains(document.activeElement) && document.activeElement !== box)) {
      return next();
    }
    try {
      const answer = await fetch(box.dataset.url, { credentials: "same-origin", redirect: "manual" });
      if (answer.type === "opaqueredirect") return undefined;
      if (answer.ok) {
        const scrolled = [...box.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
        box.innerHTML = await answer.text();
        box.querySelectorAll(".scroll").forEach((part, index) => { part.scrollLeft = scrolled[index] || 0; });
        if (box.querySelector("[data-final]")) return location.reload();
      }
    } catch {
      // no network for the moment
    }
    return next();
  }

  if (!box.hasAttribute("data-final")) next();
})();
