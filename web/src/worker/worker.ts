/**
 * The service worker: the pages' own things at hand, the pages already read without network, and nothing else.
 *
 * `/sw.js` is this file behind one line that the server writes (`faces/shell/offline.py`): what to keep, in which
 * version. A new version waits: it takes over when a reader asks (message "take-over") or when no page is open, so that
 * nobody's form is lost. What waits on the device (`offline/outbox`) is sent from here too, when the network comes back.
 */
import { deliverAll } from "../offline/outbox";
import { answerOfPage, keepPages } from "./pages";
import { open, renew, show } from "./push";
import { answerOfThing, keepShell } from "./shell";

declare const self: ServiceWorkerGlobalScope & { beffroi: { version: string; shell: string[]; offline: string; icon: string } };

const { version, shell, offline, icon } = self.beffroi;

self.addEventListener("install", (event) => event.waitUntil(keepShell(version, shell)));

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith("shell-") && name !== `shell-${version}`))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") void self.skipWaiting();
  else if (Array.isArray(event.data?.keep)) event.waitUntil(keepPages(event.data.keep as string[]));
});

/** Background Sync, where the browser knows it: what waits is sent with every page closed; a refusal asks for another try. */
self.addEventListener("sync", (event) => {
  const { tag, waitUntil } = event as ExtendableEvent & { tag: string };
  if (tag === "outbox") waitUntil.call(event, deliverAll().then((left) => (left ? Promise.reject(new Error("some still waits")) : undefined)));
});

self.addEventListener("push", (event) => event.waitUntil(show(self.registration, event.data, icon)));
self.addEventListener("notificationclick", (event) => event.waitUntil(open(self.clients, event.notification)));
self.addEventListener("pushsubscriptionchange", (event) => (event as ExtendableEvent).waitUntil(renew(self.registration, event as ExtendableEvent)));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(answerOfPage(event, offline));
  else if (request.method !== "GET") return;
  else if (pathname.startsWith("/static/") || pathname.startsWith("/apparence/")) {
    event.respondWith(answerOfThing(event, version));
  }
});
