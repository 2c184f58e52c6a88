// Shows what the centre sends to this browser, also while no page is open.
"use strict";
const here = (address) => {
  const at = new URL(address, self.location.origin);
  return at.origin === self.location.origin ? at : new URL("/", self.location.origin);
};

// Browsers want something to be shown for whatever comes, also for what cannot
// be read.
const read = (data) => {
  try {
    return data.json() || {};
  } catch {
    return {};
  }
};

self.addEventListener("push", (event) => {
  const m = read(event.data);
  const tag = m.tag || "flawmark";
  event.waitUntil(self.registration.showNotification(m.title || "Flawmark", {
    body: m.body || "", tag, lang: m.lang || "", renotify: true, data: { url: here(m.url || "/").href },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const at = here(event.notification.data.url);
  event.waitUntil(self.clients.matchAll({ type: "window" }).then((open) => {
    const page = open.find((one) => new URL(one.url).pathname === at.pathname);
    return page ? page.focus() : self.clients.openWindow(at.href);
  }));
});
