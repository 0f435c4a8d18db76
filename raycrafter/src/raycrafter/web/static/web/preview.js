// Shows the script of a new job without sending the scene; without this file the button sends the form.
"use strict";
(() => {
  const form = document.getElementById("new-job");
  form.addEventListener("submit", async (event) => {
    if (event.submitter?.name !== "preview") return;
    event.preventDefault();
    const data = new FormData(form, event.submitter);
    data.delete("scene");
    const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("preview");
    if (!fresh) return location.assign(form.action); // signed out
    document.getElementById("preview").replaceChildren(...fresh.childNodes);
  });
})();
