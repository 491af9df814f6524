import { keep } from "./shell";

const PAGES = "pages";
const MOST_PAGES = 80;
/** What one reader takes along (`X-Beffroi-Keep: day`): kept apart, a day at most, gone when she signs out. */
const DAY = "day";
const MOST_OF_DAY = 4;
const DAY_MS = 16 * 3600 * 1000;
const SIGN_OUT = "/compte/logout/";

/**
 * Answer a page: the network's, kept for later when the server marks it as everyone's (`X-Beffroi-Keep`). Without
 * network, the page as it was read, marked with its date for the banner (`Server-Timing: kept`), else the offline page.
 */
export async function answerOfPage(event: FetchEvent, offline: string): Promise<Response> {
  const address = event.request.url.split("#", 1)[0] ?? "";
  if (event.request.method === "POST" && new URL(address).pathname === SIGN_OUT) await forgetReader();
  try {
    const fresh = await fetch(event.request);
    if (event.request.method === "GET") event.waitUntil(keepAsSaid(address, fresh, () => fresh.clone()));
    return fresh;
  } catch {
    // A form sent: the offline page answers, and the draft of the form stays (see behaviours/drafts.ts).
    if (event.request.method !== "GET") return offlinePage(offline);
    const taken = await ofTheDay(address);
    if (taken) return dated(taken);
    const kept = (await caches.match(address, { ignoreVary: true, cacheName: PAGES })) ?? (await caches.match(address, { ignoreVary: true }));
    return kept ? dated(kept) : offlinePage(offline);
  }
}

declare const self: ServiceWorkerGlobalScope;

/** Who signs out leaves nothing of hers: neither the pages of her day nor news of her requests on a screen. */
async function forgetReader(): Promise<void> {
  await caches.delete(DAY);
  const subscription = await self.registration.pushManager?.getSubscription().catch(() => null);
  await subscription?.unsubscribe().catch(() => false);
}

/** Keep a page where the server says; one taken along for the day that now answers otherwise is let go. */
function keepAsSaid(address: string, fresh: Response, copy: () => Response): Promise<unknown> {
  const said = fresh.ok && !fresh.redirected ? fresh.headers.get("X-Beffroi-Keep") : null;
  if (said === "day") return keep(DAY, address, copy(), MOST_OF_DAY);
  return said ? keep(PAGES, address, copy(), MOST_PAGES) : letGo(address);
}

async function letGo(address: string): Promise<void> {
  if (await caches.has(DAY)) await (await caches.open(DAY)).delete(address, { ignoreVary: true });
}

async function ofTheDay(address: string): Promise<Response | null> {
  if (!(await caches.has(DAY))) return null;
  const kept = await (await caches.open(DAY)).match(address, { ignoreVary: true });
  if (!kept) return null;
  if (Date.now() - Date.parse(kept.headers.get("Date") ?? "") < DAY_MS) return kept;
  await caches.delete(DAY);
  return null;
}

/** Keep pages that were read before this worker was there to see them. */
export async function keepPages(addresses: string[]): Promise<void> {
  for (const address of addresses) {
    const fresh = await fetch(address).catch(() => null);
    if (fresh) await keepAsSaid(address.split("#", 1)[0] ?? "", fresh, () => fresh);
  }
}

async function offlinePage(address: string): Promise<Response> {
  return (await caches.match(address, { ignoreVary: true })) ?? Response.error();
}

function dated(kept: Response): Response {
  const headers = new Headers(kept.headers);
  headers.set("Server-Timing", `kept;desc="${kept.headers.get("Date") ?? ""}"`);
  return new Response(kept.body, { status: kept.status, headers });
}
