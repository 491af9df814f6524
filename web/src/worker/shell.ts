const THINGS = "things";
const MOST_THINGS = 60;

/** Keep what every page needs, as everyone sees it, before this version may serve: all of it, or it is not installed. */
export async function keepShell(version: string, addresses: string[]): Promise<void> {
  const cache = await caches.open(`shell-${version}`);
  await cache.addAll(addresses.map((address) => new Request(address, { cache: "reload", credentials: "omit" })));
}

/** Answer a script, a style, a font or an icon: kept ones first, since their address changes with their content. */
export async function answerOfThing(event: FetchEvent, version: string): Promise<Response> {
  const kept = (await fromShell(event.request, version)) ?? (await caches.match(event.request, { cacheName: THINGS }));
  if (kept) return kept;
  const fresh = await fetch(event.request);
  if (fresh.ok && fresh.headers.get("Cache-Control")?.includes("immutable")) {
    const copy = fresh.clone();
    event.waitUntil(keep(THINGS, event.request, copy, MOST_THINGS));
  }
  return fresh;
}

async function fromShell(request: Request, version: string): Promise<Response | undefined> {
  return (await caches.open(`shell-${version}`)).match(request);
}

/** Keep an answer under its request; beyond `most`, the one kept longest ago goes. */
export async function keep(name: string, request: Request | string, answer: Response, most: number): Promise<void> {
  const cache = await caches.open(name);
  await cache.delete(request, { ignoreVary: true });
  await cache.put(request, answer);
  const all = await cache.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - most)).map((old) => cache.delete(old, { ignoreVary: true })));
}
