// Keys of the worklist. Everything they do can be done without them.
"use strict";
(() => {
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
