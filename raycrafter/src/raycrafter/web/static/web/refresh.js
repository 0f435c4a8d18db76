// Keeps a page up to date: fetches it every few seconds and swaps the parts that differ. A part is an element with an id
// and data-part. With data-key it is swapped when the key differs, and parts inside of it are looked at by themselves.
// The page decides how long: <main data-live>.
"use strict";
(() => {
  const PAUSE = 4000; // milliseconds
  const main = document.getElementById("main");
  const next = () => setTimeout(refresh, PAUSE);

  // A reader who is on something in a part, or marks its text, is not disturbed.
  function inUse(part) {
    const selection = document.getSelection();
    return part.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(part, true));
  }

  function differs(old, fresh) {
    return "key" in old.dataset ? old.dataset.key !== fresh.dataset.key : old.outerHTML !== fresh.outerHTML;
  }

  function swap(old, fresh) {
    const scrolled = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    if (old.getAttribute("role") === "status") {
      old.textContent = fresh.textContent; // an element that stays is read aloud, a new one is not
    } else {
      old.replaceWith(fresh);
      fresh.querySelectorAll(".scroll").forEach((box, index) => { box.scrollLeft = scrolled[index] || 0; });
    }
  }

  async function refresh() {
    if (document.hidden) return next();
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
      if (answer.type === "opaqueredirect") {
        document.getElementById("signed-out").hidden = false;
        return undefined;
      }
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        let waits = false;
        for (const old of main.querySelectorAll("[data-part]")) {
          const fresh = page.getElementById(old.id);
          if (!old.isConnected || !fresh || !differs(old, fresh)) continue;
          if (inUse(old)) waits = true;
          else swap(old, document.adoptNode(fresh));
        }
        document.title = page.title;
        if (!waits && !("live" in page.getElementById("main").dataset)) return undefined;
      }
    } catch {
      // no network for the moment
    }
    return next();
  }

  if ("live" in main.dataset) next();
})();
