// Run in a page by test_browser.py. Returns what is wrong with it: "unsound" for assistive technology, "faint" for eyes.
() => {
// What assistive technology needs of any page; returns what is missing.
function unsound() {
  const wrong = [];
  const named = (e) => e.labels?.length || e.getAttribute("aria-label") || e.getAttribute("aria-labelledby");
  if (!document.documentElement.lang) wrong.push("no language");
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  if (!document.title) wrong.push("no title");
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea, progress"))
    if (!named(e)) wrong.push(`no label: ${e.outerHTML}`);
  for (const e of document.querySelectorAll("a, button"))
    if (!e.textContent.trim() && !e.querySelector("img[alt]:not([alt=''])")) wrong.push(`no words: ${e.outerHTML}`);
  for (const e of document.querySelectorAll("img:not([alt])")) wrong.push(`no alt: ${e.outerHTML}`);
  for (const name of ["aria-labelledby", "aria-describedby"])
    for (const e of document.querySelectorAll(`[${name}]`))
      for (const id of e.getAttribute(name).trim().split(/ +/))
        if (!document.getElementById(id)) wrong.push(`points nowhere: ${id}`);
  for (const e of document.querySelectorAll("section"))
    if (!named(e)) wrong.push(`section without a name: ${e.id}`);
  let last = 0;
  for (const e of document.querySelectorAll("h1, h2, h3")) {
    const level = Number(e.tagName[1]);
    if (level > last + 1) wrong.push(`heading jumps: ${e.textContent}`);
    last = level;
  }
  return wrong;
}

// The contrast of every element that has text of its own, as WCAG 2.2 defines it; returns how many, and those below 4.5.
function contrast() {
  const channel = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  let seen = 0;
  for (const element of document.body.querySelectorAll("*")) {
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    if (!element.getClientRects().length) continue;
    seen += 1;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${element.outerHTML.slice(0, 120)}: ${ratio.toFixed(2)}`);
  }
  return [seen, faint];
}

const [texts, faint] = contrast();
return { unsound: unsound(), texts, faint };
}
