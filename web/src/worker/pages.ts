import { keep } from "./shell";

const PAGES = "pages";
const MOST_PAGES = 80;

/**
 * Answer a page: the network's, kept for later when the server marks it as everyone's (`X-Beffroi-Keep`). Without
 * network, the page as it was read, marked with its date for the banner (`Server-Timing: kept`), else the offline page.
 */
export async function answerOfPage(event: FetchEvent, offline: string): Promise<Response> {
  const address = event.request.url.split("#", 1)[0] ?? "";
  try {
    const fresh = await fetch(event.request);
    if (event.request.method === "GET" && fresh.ok && fresh.headers.has("X-Beffroi-Keep")) {
      event.waitUntil(keep(PAGES, address, fresh.clone(), MOST_PAGES));
    }
    return fresh;
  } catch {
    // A form sent: the offline page answers, and the draft of the form stays (see behaviours/drafts.ts).
    if (event.request.method !== "GET") return offlinePage(offline);
    const kept = (await caches.match(address, { ignoreVary: true, cacheName: PAGES })) ?? (await caches.match(address, { ignoreVary: true }));
    return kept ? dated(kept) : offlinePage(offline);
  }
}

/** Keep pages that were read before this worker was there to see them. */
export async function keepPages(addresses: string[]): Promise<void> {
  for (const address of addresses) {
    const fresh = await fetch(address).catch(() => null);
    if (fresh?.ok && fresh.headers.has("X-Beffroi-Keep")) await keep(PAGES, address.split("#", 1)[0] ?? "", fresh, MOST_PAGES);
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
