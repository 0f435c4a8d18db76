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
    if (!page.getElementById("summary")) return location.assign(form.action); // signed out
    for (const id of ["summary", "script"]) {
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    return undefined;
  });
})();
