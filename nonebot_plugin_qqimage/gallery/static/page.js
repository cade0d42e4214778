"use strict";
(() => {
  // Logging in: the secret is in the fragment, which no server and no log ever sees.
  const login = document.getElementById("login");
  if (login) {
    const secret = location.hash.slice(1);
    history.replaceState(null, "", location.pathname + location.search);
    if (secret) {
      login.elements.token.value = secret;
      login.querySelector("button").disabled = false;
      login.querySelector("button").focus();
    }
  }

  // The selection: how many, and all of those that are shown.
  const picks = () => [...document.querySelectorAll('input[name="sha"][type="checkbox"]')];
  const selection = document.getElementById("selection");
  const tell = () => {
    if (!selection) return;
    const count = picks().filter((each) => each.checked).length;
    const said = selection.querySelector(".count");
    said.textContent = count ? said.dataset.some + count : said.dataset.none;
    selection.classList.toggle("any", count > 0);
  };
  document.addEventListener("change", tell);
  document.addEventListener("htmx:load", tell);
  window.addEventListener("pageshow", tell);
  document.getElementById("all")?.addEventListener("click", () => {
    const every = picks();
    const check = !every.every((each) => each.checked);
    for (const each of every) each.checked = check;
    tell();
  });

  // Back where one was, with the filters and the place on the page.
  document.addEventListener("click", (event) => {
    const back = event.target.closest?.("[data-back]");
    if (back && document.referrer.startsWith(location.origin + location.pathname) && history.length > 1) {
      event.preventDefault();
      history.back();
    }
  });

  // The keyboard: arrows walk through the pictures, x selects one, / goes to the filter.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches?.("input:not([type=checkbox]), select, textarea")) return;
    const links = [...document.querySelectorAll(".tiles a.open")];
    if (event.key === "/") {
      const filters = document.querySelector(".filters");
      if (!filters) return;
      event.preventDefault();
      filters.open = true;
      filters.querySelector("input[name=chat]").focus();
      return;
    }
    if (!links.length) return;
    const at = links.indexOf(document.activeElement?.closest?.(".tile")?.querySelector("a.open"));
    if (event.key === "x" && at >= 0) {
      const box = links[at].closest(".tile").querySelector("input");
      box.checked = !box.checked;
      tell();
      return;
    }
    const wide = links.filter((each) => each.offsetTop === links[0].offsetTop).length || 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide }[event.key];
    if (!step) return;
    const next = links[at < 0 ? 0 : at + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });
})();
