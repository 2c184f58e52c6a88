// Keeps an open page up to date. The page is complete without it.
//
// The server tells over server-sent events which state the page should show.
// Where that differs from what it shows, the page's changing parts are fetched
// and only those that differ are replaced, so that focus, scroll position, open
// sections and what is being typed stay as they are.
"use strict";
(() => {
  const main = document.getElementById("main");
  const stale = document.getElementById("stale");
  const announce = document.getElementById("announce");
  if (!main || !main.dataset.events) return;

  const shown = () => document.getElementById("state")?.dataset.state || "";
  const regions = (root) => [...root.querySelectorAll("[data-live]")];
  // A region is remembered as the server wrote it: the browser changes open
  // sections and fields, which must not look like news.
  const written = new Map(regions(document).map((r) => [r.id, r.innerHTML]));
  const statuses = (root) => new Map([...root.querySelectorAll(".pill")].map((pill) => {
    const home = pill.closest("[data-item], tr, [data-live]");
    const name = home?.querySelector("h1, h2, a strong")?.textContent.trim() || "";
    return [home?.dataset.item || home?.dataset.case || home?.id, name + ": " + pill.textContent.trim()];
  }));

  // The sentence about the last step is for this look at the page only.
  const address = new URL(location.href);
  if (address.searchParams.has("notice")) {
    address.searchParams.delete("notice");
    address.searchParams.delete("case");
    history.replaceState(null, "", address);
  }

  const remember = (root) => {
    const kept = { open: [], fields: new Map(), scroll: new Map(), focus: null };
    for (const d of root.querySelectorAll("details[id]")) if (d.open) kept.open.push(d.id);
    for (const f of root.querySelectorAll("input[id], textarea[id], select[id]")) {
      if (f.type === "file") continue; // only its reader can fill it
      if (f.tagName === "SELECT") {
        if (![...f.options].every((o) => o.selected === o.defaultSelected)) kept.fields.set(f.id, f.value);
      } else if (f.type === "checkbox") {
        if (f.checked !== f.defaultChecked) kept.fields.set(f.id, f.checked);
      } else if (f.value !== f.defaultValue) kept.fields.set(f.id, f.value);
    }
    for (const s of root.querySelectorAll(".strip")) kept.scroll.set(s.closest("[data-live]")?.id, s.scrollLeft);
    const active = document.activeElement;
    if (active && active.id && root.contains(active)) {
      kept.focus = { id: active.id, start: active.selectionStart, end: active.selectionEnd };
    }
    return kept;
  };

  const restore = (root, kept) => {
    for (const id of kept.open) {
      const d = document.getElementById(id);
      if (d && root.contains(d)) d.open = true;
    }
    for (const [id, value] of kept.fields) {
      const f = document.getElementById(id);
      if (!f || !root.contains(f)) continue;
      if (f.type === "checkbox") f.checked = value;
      else f.value = value;
    }
    for (const s of root.querySelectorAll(".strip")) {
      const at = kept.scroll.get(s.closest("[data-live]")?.id);
      if (at) s.scrollLeft = at;
    }
    const f = kept.focus && document.getElementById(kept.focus.id);
    if (f && f !== document.activeElement) {
      f.focus({ preventScroll: true });
      if (typeof kept.focus.start === "number" && f.setSelectionRange) f.setSelectionRange(kept.focus.start, kept.focus.end);
    }
  };

  const swap = (text) => {
    const next = new DOMParser().parseFromString(text, "text/html");
    const before = statuses(main);
    const now = regions(main);
    const then = regions(next);
    if (now.map((r) => r.id).join() !== then.map((r) => r.id).join()) {
      const kept = remember(main);
      main.replaceChildren(...next.body.childNodes);
      written.clear();
      for (const r of regions(main)) written.set(r.id, r.innerHTML);
      restore(main, kept);
    } else {
      then.forEach((fresh, i) => {
        const old = now[i];
        for (const a of fresh.attributes) old.setAttribute(a.name, a.value);
        if (written.get(old.id) === fresh.innerHTML) return;
        written.set(old.id, fresh.innerHTML);
        const kept = remember(old);
        old.replaceChildren(...fresh.childNodes);
        restore(old, kept);
      });
      const state = document.getElementById("state");
      const freshState = next.getElementById("state");
      if (state && freshState) state.dataset.state = freshState.dataset.state;
    }
    const changed = [...statuses(main)].filter(([key, text]) => before.get(key) !== text).map(([, text]) => text);
    if (changed.length) announce.textContent = main.dataset.updated + ". " + changed.join(". ");
    tick();
  };

  let wanted = null;
  let fetching = false;
  const refresh = async () => {
    if (fetching) return;
    fetching = true;
    try {
      // What changes while a fetch is under way is fetched again after it.
      for (let tries = 0; wanted !== null && tries < 5; tries++) {
        wanted = null;
        const url = new URL(location.href);
        url.hash = "";
        url.searchParams.set("fragment", "1");
        const answer = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store" });
        if (answer.status === 403 || answer.status === 404) return location.reload();
        if (answer.ok) swap(await answer.text());
      }
    } catch {
      stale.hidden = false;
    } finally {
      fetching = false;
    }
  };

  // A line is dead without telling when a telephone has changed its network: the
  // server speaks every 20 seconds, and whoever hears nothing for longer dials anew.
  const silence = 50000;
  let quiet = 0;
  let source = null;
  let dial = 0;
  const heard = () => {
    clearTimeout(quiet);
    quiet = 0;
    clearTimeout(dial);
    dial = setTimeout(follow, silence);
    stale.hidden = true;
  };
  const follow = () => {
    source?.close();
    clearTimeout(dial);
    dial = setTimeout(follow, silence);
    const line = source = new EventSource(main.dataset.events);
    line.addEventListener("open", heard);
    line.addEventListener("state", (event) => {
      heard();
      if (event.data === shown()) return;
      wanted = event.data;
      refresh();
    });
    line.addEventListener("error", () => {
      if (!quiet) quiet = setTimeout(() => { stale.hidden = false; }, 5000);
      if (line.readyState === EventSource.CLOSED && line === source) {
        // It was refused and not lost: whoever may see the page no more, does not.
        wanted = "";
        refresh();
        clearTimeout(dial);
        dial = setTimeout(follow, 5000);
      }
    });
  };
  addEventListener("pagehide", () => { source?.close(); clearTimeout(dial); });

  const left = (until) => {
    const minutes = Math.max(0, Math.floor((Date.parse(until) - (Date.now() - skew)) / 60000));
    const h = Math.floor(minutes / 60);
    if (minutes < 60) return main.dataset.leftM.replace("{n}", minutes);
    if (minutes % 60 === 0 || minutes >= 72 * 60) return main.dataset.leftH.replace("{n}", h);
    return main.dataset.leftHm.replace("{h}", h).replace("{m}", minutes % 60);
  };
  // The reader's clock may be wrong: count from the server's.
  let skew = 0;
  const ended = new Set();
  const tick = () => {
    for (const c of main.querySelectorAll("[data-until]")) {
      const until = c.dataset.until;
      const text = left(until);
      if (c.textContent !== text) c.textContent = text;
      if (Date.parse(until) <= Date.now() - skew && !ended.has(until)) {
        ended.add(until);
        wanted = "";
        refresh();
      }
    }
  };
  const served = Date.parse(main.dataset.now || "");
  if (served) skew = Date.now() - served;
  setInterval(tick, 1000);

  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  // Where somebody is on a telephone, the line may be gone without anybody having
  // noticed. A form sent then would be lost with all that was written: whether the
  // centre answers is tried first.
  const answers = async () => {
    if (!navigator.onLine) return false;
    try {
      const answer = await fetch("/push-worker.js", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(10000) });
      return answer.status < 500;
    } catch {
      return false;
    }
  };
  const complain = (form, words) => {
    let said = form.querySelector(".not-sent");
    if (!said) {
      said = document.createElement("p");
      said.className = "notice problem not-sent";
      said.setAttribute("role", "alert");
      form.append(said);
    }
    said.hidden = !words;
    said.textContent = words;
  };
  // Photos that are too many or too large are told before they have travelled.
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type !== "file" || !field.dataset.most) return;
    const files = [...field.files];
    const large = files.some((one) => one.size > Number(field.dataset.bytes));
    const wrong = large ? field.dataset.large : files.length > Number(field.dataset.most) ? field.dataset.many : "";
    if (wrong) field.value = ""; // so that the same file can be chosen again
    complain(field.form, wrong);
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    // A second press of a button sends nothing: the first is on its way.
    if (form.dataset.sent) {
      if (form.dataset.sent !== "now") event.preventDefault();
      form.dataset.sent = "gone";
      return;
    }
    form.dataset.sent = "1";
    if (!main.dataset.offline || form.method !== "post") return;
    event.preventDefault();
    if (await answers()) {
      form.dataset.sent = "now";
      form.requestSubmit(event.submitter);
    } else {
      delete form.dataset.sent;
      complain(form, main.dataset.offline);
    }
  });
  follow();
})();
