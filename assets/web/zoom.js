// Looks closely at a photo: zooms into the original tile by tile, goes from flaw
// to flaw, and compares with the listing's photo at the same zoom. Without this
// script the page shows the photo with its marks at either of two sizes.
"use strict";
(() => {
  const root = document.getElementById("viewer");
  const full = root?.dataset.full;
  if (!root || !full || !window.OpenSeadragon) return;
  const words = root.dataset;
  const panes = root.querySelector(".panes");
  const [main, other] = panes.querySelectorAll(".deep");
  const strip = root.querySelector(".strip");
  const sheet = strip.querySelector(".sheet");
  const photo = sheet.querySelector("img");
  const tools = root.querySelector(".zoom-tools");
  const announce = document.getElementById("announce");
  const width = Number(photo.getAttribute("width")) || 0;
  const height = Number(photo.getAttribute("height")) || 0;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // The viewer would add a style of its own, which the page's policy forbids,
  // unless it finds it: the rule is in our style sheet.
  const styled = document.createElementNS("urn:flawmark", "style");
  styled.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(styled);

  const places = (words.places || "").split(";").filter(Boolean).map((text) => {
    const [n, x, y, w, h] = text.split(" ").map(Number);
    return { n, x, y, w, h };
  });

  const open = (element, tileSources) => OpenSeadragon({
    element, tileSources, drawer: "canvas", showNavigationControl: false, autoResize: true,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    gestureSettingsTouch: { flickEnabled: !calm },
    maxZoomPixelRatio: 4, visibilityRatio: 0.5, animationTime: calm ? 0 : 0.4, springStiffness: 9,
    crossOriginPolicy: false, keyboardNavEnabled: true,
  });

  // A preview stands in until the centre has developed the original.
  const info = async () => {
    const answer = await fetch(words.iiif + "/info.json", { headers: { Accept: "application/json" }, cache: "no-cache" });
    if (!answer.ok) throw new Error("info.json: " + answer.status);
    const data = await answer.json();
    data.id = location.origin + words.iiif; // wherever the page was opened from
    return { data, later: Number(answer.headers.get("Retry-After")) || 0 };
  };

  let viewer = null;
  let listing = null;
  let leader = null;
  let current = -1;

  const follow = (from, to) => {
    if (!from || !to || leader !== from || !to.world.getItemCount()) return;
    const a = from.viewport, b = to.viewport;
    const zoom = (a.getZoom(true) / a.getHomeZoom()) * b.getHomeZoom();
    const off = a.getCenter(true).minus(a.getHomeBounds().getCenter()).times(a.getZoom(true) / zoom);
    b.zoomTo(zoom, null, true);
    b.panTo(b.getHomeBounds().getCenter().plus(off), true);
  };
  const link = (one, two) => {
    for (const event of ["canvas-press", "canvas-scroll", "canvas-key", "canvas-pinch"]) one.addHandler(event, () => { leader = one; });
    one.addHandler("viewport-change", () => follow(one, two()));
  };

  const go = (index) => {
    if (!places.length || !viewer || !width) return;
    current = (index + places.length) % places.length;
    const p = places[current];
    leader = viewer;
    // What is around the flaw is seen, too, and never more than the photo.
    const w = Math.min(width, Math.max(p.w, width * 0.05) * 2.2), h = Math.min(height, Math.max(p.h, width * 0.05) * 2.2);
    const at = (middle, part, whole) => Math.min(Math.max(middle - part / 2, 0), whole - part);
    const box = new OpenSeadragon.Rect(at(p.x + p.w / 2, w, width) / width, at(p.y + p.h / 2, h, height) / width, w / width, h / width);
    viewer.viewport.fitBounds(box, calm);
    announce.textContent = words.flawAt.replace("{n}", p.n).replace("{m}", places.length);
    for (const li of document.querySelectorAll(".viewer-flaws .flaw")) {
      if (Number(li.dataset.flaw) === p.n) li.setAttribute("aria-current", "true");
      else li.removeAttribute("aria-current");
    }
  };

  const compare = () => {
    const button = tools.querySelector('[data-do="compare"]');
    if (!button) return;
    const on = other.hidden;
    other.hidden = !on;
    panes.classList.toggle("two", on);
    button.setAttribute("aria-pressed", String(on));
    if (on && !listing) {
      listing = open(other, { type: "image", url: words.listing, buildPyramid: false });
      listing.addHandler("open", () => follow(viewer, listing));
      name(listing, words.listingAlt);
      link(listing, () => viewer);
      listing.addHandler("canvas-key", keys);
    }
    leader = viewer;
    requestAnimationFrame(() => requestAnimationFrame(() => { viewer.viewport.goHome(true); follow(viewer, listing); }));
  };

  const zoom = (factor) => {
    leader = viewer;
    viewer.viewport.zoomBy(factor, null, calm);
    viewer.viewport.applyConstraints(calm);
  };
  const act = {
    in: () => zoom(1.5), out: () => zoom(1 / 1.5),
    home: () => { leader = viewer; viewer.viewport.goHome(calm); },
    native: () => { leader = viewer; viewer.viewport.zoomTo(viewer.viewport.imageToViewportZoom(1 / devicePixelRatio), null, calm); },
    next: () => go(current + 1), previous: () => go(current < 0 ? places.length - 1 : current - 1), compare,
  };
  const marks = document.getElementById("marks-full");
  const pressed = { n: act.next, p: act.previous, c: compare, m: () => { marks.checked = !marks.checked; } };
  const keys = (event) => {
    const key = event.originalEvent.key.toLowerCase();
    if (event.originalEvent.ctrlKey || event.originalEvent.metaKey || event.originalEvent.altKey) return;
    if ("rfwasd".includes(key)) event.preventDefaultAction = true; // a photo stays upright
    if (pressed[key]) {
      event.preventDefaultAction = true;
      pressed[key]();
    }
  };
  const name = (v, alt) => {
    v.canvas.setAttribute("role", "application");
    v.canvas.setAttribute("aria-label", words.label + ": " + alt);
    v.canvas.setAttribute("aria-describedby", "zoom-keys");
  };

  const show = () => {
    strip.hidden = true;
    root.classList.add("zooming");
    tools.hidden = false;
    document.getElementById("zoom-keys").hidden = false;
    const overlays = sheet.querySelectorAll(".overlay");
    if (overlays.length && width) {
      const layer = document.createElement("div");
      layer.className = "deep-marks";
      layer.append(...overlays);
      viewer.addOverlay({ element: layer, location: new OpenSeadragon.Rect(0, 0, 1, height / width) });
    }
    for (const li of document.querySelectorAll(".viewer-flaws .flaw")) {
      const at = places.findIndex((p) => p.n === Number(li.dataset.flaw));
      if (at < 0) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet show-flaw";
      button.textContent = words.show.replace("{n}", places[at].n);
      button.addEventListener("click", () => { go(at); root.scrollIntoView({ block: "start" }); });
      li.lastElementChild.append(button);
    }
  };

  // An address may name the flaw that is to be seen: "#flaw-2".
  const named = () => {
    const n = Number(/^#flaw-(\d+)$/.exec(location.hash)?.[1]);
    const at = places.findIndex((p) => p.n === n);
    if (at < 0) return;
    go(at);
    root.scrollIntoView({ block: "start" });
    viewer.canvas.focus({ preventScroll: true }); // N, P, M and C work at once
  };

  const sharpen = async (seconds, tries) => {
    if (tries <= 0) return;
    await new Promise((done) => setTimeout(done, seconds * 1000));
    try {
      const { data, later } = await info();
      if (later) return sharpen(Math.min(2 * later, 10), tries - 1);
      viewer.addTiledImage({ tileSource: data, index: 0, replace: true });
      root.dataset.sharp = "true";
    } catch {
      return sharpen(5, tries - 1);
    }
  };

  const begin = async () => {
    let source = { type: "image", url: full, buildPyramid: false };
    let later = 0;
    if (words.iiif) {
      const known = await info();
      source = known.data;
      later = known.later;
    }
    panes.hidden = false;
    viewer = open(main, source);
    leader = viewer;
    name(viewer, photo.alt);
    link(viewer, () => (other.hidden ? null : listing));
    viewer.addHandler("canvas-key", keys);
    viewer.addOnceHandler("open", show);
    viewer.addOnceHandler("open", named);
    addEventListener("hashchange", named);
    viewer.addOnceHandler("open-failed", () => { panes.hidden = true; });
    if (later) sharpen(later, 60);
    else root.dataset.sharp = "true";
  };
  tools.addEventListener("click", (event) => act[event.target.closest("[data-do]")?.dataset.do]?.());
  begin().catch(() => { panes.hidden = true; });
})();
