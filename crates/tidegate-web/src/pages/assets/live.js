// Brings what is marked as live up to date. Without it a page is as old as its last load.
"use strict";
(() => {
  const every = Number(document.currentScript.dataset.every) * 1000;
  const refresh = async () => {
    // Nobody looks, or somebody is about to choose something.
    if (document.hidden || document.querySelector("[data-live] :focus")) { return; }
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Tidegate-Live": "1" } });
    if (!answer.ok || answer.redirected) { return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (now && now.innerHTML !== old.innerHTML) { old.replaceWith(document.adoptNode(now)); }
    }
    if (fresh.title) { document.title = fresh.title; }
  };
  setInterval(() => refresh().catch(() => { /* the next time */ }), every);
})();
