// Shows the script of a new job without sending the scene; without this file the button sends the form.
"use strict";
(() => {
  const form = document.getElementById("new-job");
  const summary = document.getElementById("summary");

  // The answer's parts, or what went wrong; the form stays as it is filled in.
  async function look(body) {
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" });
    if (answer.type === "opaqueredirect") return location.assign(form.action); // signed out
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.getElementById("summary")) throw new Error(`the server answered ${answer.status}`);
    for (const id of ["summary", "script"]) {
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    return undefined;
  }

  form.addEventListener("submit", async (event) => {
    if (event.submitter?.name !== "preview") return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    body.delete("scene");
    try {
      await look(body);
    } catch (error) {
      const words = document.createElement("strong");
      words.className = "bad";
      words.textContent = `The script cannot be shown (${error.message}). Try again; the form is as you left it.`;
      summary.replaceChildren(words);
      document.getElementById("script").replaceChildren();
    }
  });
})();
