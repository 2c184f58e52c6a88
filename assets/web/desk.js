// Keys of the worklist, and choosing many of its cases. Everything that they do
// can be done without them.
"use strict";
(() => {
  document.documentElement.classList.add("scripts");
  const rows = () => [...document.querySelectorAll(".worklist tbody tr")];
  let current = "";

  const mark = (row) => {
    current = row.dataset.case;
    for (const r of rows()) r.classList.toggle("current", r === row);
    row.querySelector(".cell-item a")?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((r) => r.dataset.case === current || r.contains(document.activeElement));
    mark(all[Math.min(all.length - 1, Math.max(0, at + by))] ?? all[0]);
  };
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: () => rows().find((r) => r.dataset.case === current)?.querySelector("input[type=checkbox]")?.click(),
    Enter: () => rows().find((r) => r.dataset.case === current)?.querySelector(".cell-item a")?.click(),
    "/": () => document.querySelector('[data-key="/"]')?.select(),
    "?": () => {
      const help = document.querySelector('[data-key="?"]');
      if (!help) return;
      help.open = !help.open;
      if (help.open) help.querySelector("summary").focus();
    },
  };
  // Choosing: all on the page, or with Shift all since the last one.
  const boxes = () => [...document.querySelectorAll('.worklist tbody input[name="case"]')];
  let last = "";
  const count = () => {
    const button = document.getElementById("bulk");
    if (!button) return;
    const all = boxes();
    const n = all.filter((b) => b.checked).length;
    const words = n === 0 ? button.dataset.none : n === 1 ? button.dataset.single : button.dataset.many.replace("{n}", n);
    if (button.textContent !== words) button.textContent = words;
    button.classList.toggle("primary", n > 0);
    const every = document.getElementById("pick-all");
    if (!every) return;
    every.checked = n > 0 && n === all.length;
    every.indeterminate = n > 0 && n < all.length;
  };
  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") for (const b of boxes()) b.checked = event.target.checked;
    if (event.target.name === "case") last = event.target.id;
    count();
  });
  document.addEventListener("click", (event) => {
    if (!event.shiftKey || event.target.name !== "case") return;
    const all = boxes();
    const [from, to] = [all.findIndex((b) => b.id === last), all.indexOf(event.target)].sort((a, b) => a - b);
    if (from >= 0) for (const b of all.slice(from, to + 1)) b.checked = event.target.checked;
  });
  // A list that was brought up to date keeps its row, and its button its count.
  new MutationObserver(() => {
    for (const r of rows()) r.classList.toggle("current", r.dataset.case === current);
    count();
  }).observe(document.getElementById("main"), { childList: true, subtree: true });
  addEventListener("pageshow", count); // boxes stay chosen on the way back

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "Enter" && event.target.matches("a, button, summary")) return; // its own
    const act = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
