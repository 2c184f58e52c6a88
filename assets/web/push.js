// Lets the reader be told in this browser. Without it the page offers nothing
// of the kind, and nothing else is missing.
"use strict";
(() => {
  const box = document.getElementById("push");
  if (!box || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  const { key, address, worker } = box.dataset;
  const button = box.querySelector("button");
  const said = box.querySelector("[role=status]");

  const encoded = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const decoded = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  // One browser has one subscription for all orders of this address; each page
  // remembers whether it is told of its own.
  const name = "push " + address;
  const told = () => localStorage.getItem(name) === "on";
  const show = (words) => {
    button.textContent = told() ? box.dataset.stop : box.dataset.start;
    button.setAttribute("aria-pressed", String(told()));
    said.textContent = words || "";
    box.hidden = false;
  };
  const send = async (subscription, on) => {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams({
      on: on ? "1" : "0", endpoint: subscription.endpoint,
      p256dh: encoded(subscription.getKey("p256dh")), auth: encoded(subscription.getKey("auth")),
    }) });
    if (!answer.ok) throw new Error(String(answer.status));
  };
  // One that was made for another key of the centre can be written to no more.
  const ours = (subscription) => {
    const made = subscription?.options?.applicationServerKey;
    return !made || encoded(made) === key.replace(/=+$/, "");
  };
  const begin = async () => {
    if (await Notification.requestPermission() !== "granted") return box.dataset.refused;
    await navigator.serviceWorker.register(worker, { scope: "/o/" });
    const { pushManager } = await navigator.serviceWorker.ready;
    let subscription = await pushManager.getSubscription();
    if (!ours(subscription)) {
      await subscription.unsubscribe();
      subscription = null;
    }
    subscription ||= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: decoded(key) });
    await send(subscription, true);
    localStorage.setItem(name, "on");
    return box.dataset.done;
  };
  const end = async () => {
    const registration = await navigator.serviceWorker.getRegistration("/o/");
    const subscription = await registration?.pushManager.getSubscription();
    if (subscription) await send(subscription, false);
    localStorage.removeItem(name);
    return box.dataset.ended;
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      show(await (told() ? end() : begin()));
    } catch {
      show(box.dataset.failed);
    }
    button.disabled = false;
  });
  if (told() && Notification.permission !== "granted") localStorage.removeItem(name);
  show();
  // Browsers change their address, and the centre forgets one that was gone: the
  // page says again where this browser is, whenever it is opened.
  if (told()) {
    button.disabled = true;
    begin().catch(() => {}).finally(() => { button.disabled = false; });
  }
})();
