/**
 * What waits on this device to be sent: kept in IndexedDB before the first try, sent once however often it is tried.
 *
 * Each sending bears a key made here; the server answers a key it knows with what it already received. The same code runs
 * in a page and in the service worker.
 */
/** "lost" is never kept: it did not leave, and this device has no room for it; only the page that is open still has it. */
export type State = "waiting" | "sending" | "sent" | "refused" | "other" | "lost";

export interface Parcel {
  key: string;
  at: number;
  title: string;
  fields: [string, string][];
  photos: Blob[];
  receive: string;
  token: string;
  /** Where what was refused is mended; without it, the form of reports. */
  mend?: string;
  /** Nothing is kept of it once it is sent. */
  discreet?: boolean;
  /** The account it was written under, as the server seals it ("": none); sent under another only if one says so. */
  by?: string;
  /** Who is signed in where it was last tried, once it is somebody else. */
  now?: { who: string; name: string };
  state: State;
  number?: string;
  url?: string;
  why?: string;
  where?: string;
  step?: string;
}

interface Answer {
  number?: string;
  url?: string;
  title?: string;
  remedy?: string;
  where?: string;
  step?: string;
  challenge?: string;
}

const STORE = "parcels";
const CHANNEL = "beffroi-outbox";
const MOST_SENT = 30;
const MOST_TRIES = 3;
/** Answers that say nothing of the parcel itself: it is tried again later. */
const LATER = new Set([401, 403, 404, 408, 425, 429]);

export async function keep(parcel: Parcel): Promise<void> {
  await done((store) => store.put(parcel));
  announce();
}

export async function forget(key: string): Promise<void> {
  await done((store) => store.delete(key));
  announce();
}

/** Call `tell` after every change, whichever tab, or the worker, made it. */
export function whenChanged(tell: () => void): void {
  if ("BroadcastChannel" in globalThis) new BroadcastChannel(CHANNEL).addEventListener("message", tell);
}

function announce(): void {
  if (!("BroadcastChannel" in globalThis)) return;
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(null);
  channel.close();
}

export async function parcel(key: string): Promise<Parcel | undefined> {
  return (await done((store) => store.get(key))) as Parcel | undefined;
}

/** Everything kept, the last first. */
export async function parcels(): Promise<Parcel[]> {
  const all = (await done((store) => store.getAll())) as Parcel[];
  return all.sort((a, b) => b.at - a.at);
}

/** Send what waits, one after the other; two tabs, or a tab and the worker, never do it at once. Say whether some still waits. */
export async function deliverAll(): Promise<boolean> {
  return alone(async () => {
    await takeBack();
    if (!navigator.onLine) return (await parcels()).some(unsent);
    for (const one of (await parcels()).filter(unsent).reverse()) await attempt(one);
    await prune();
    return (await parcels()).some(unsent);
  });
}

/** One at a time sends: what is found being sent was left so by a page that closed on the way, and waits again. */
async function takeBack(): Promise<void> {
  for (const one of await parcels()) if (one.state === "sending") await keep({ ...one, state: "waiting" });
}

export function unsent(one: Parcel): boolean {
  return one.state === "waiting" || one.state === "sending" || one.state === "other";
}

export interface Pass {
  token: string;
  who?: string;
  name?: string;
}

/** Ask for the mark of a sending, and under whom it would be sent. */
export async function asked(token: string, signal: AbortSignal | null = null): Promise<Pass> {
  return (await (await fetch(token, { cache: "no-store", credentials: "same-origin", signal })).json()) as Pass;
}

/** Send one parcel now and return it as it then is. */
export async function deliver(key: string, thinking: () => void = () => {}): Promise<Parcel> {
  return alone(async () => {
    const one = await parcel(key);
    if (!one) throw new Error(`no parcel ${key}`);
    return one.state === "sent" ? one : attempt(one, thinking);
  });
}

/** Keep a parcel and send it; where this device can keep nothing (no room, storage refused), send it all the same, once. */
export async function keepAndDeliver(one: Parcel, waits: () => void, thinking: () => void = () => {}): Promise<Parcel> {
  const kept = await keep(one).then(
    () => true,
    () => false,
  );
  if (!kept) {
    const tried = await tryOnce(one, thinking).catch(() => one);
    return tried.state === "waiting" ? { ...tried, state: "lost" } : tried;
  }
  waits();
  return deliver(one.key, thinking);
}

async function attempt(one: Parcel, thinking: () => void = () => {}): Promise<Parcel> {
  // What was written under another account stays said so while one asks again: its button must not go from under a finger.
  if (one.state !== "other") await keep({ ...one, state: "sending" });
  const tried = await tryOnce(one, thinking).catch(() => ({ ...one, state: one.state === "other" ? one.state : ("waiting" as State) }));
  await (tried.discreet && tried.state === "sent" ? forget(tried.key) : keep(tried));
  return tried;
}

async function tryOnce(one: Parcel, thinking: () => void): Promise<Parcel> {
  let proof = "";
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { token, who, name = "" } = await asked(one.token);
    if (one.by !== undefined && who !== undefined && one.by !== who) return { ...one, now: { who, name }, state: "other" };
    const response = await fetch(one.receive, {
      method: "POST",
      body: packed(one, proof),
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRFToken": token },
    });
    const answer = (await response.json()) as Answer;
    if (response.status === 201 && answer.number && answer.url) {
      const { why: _why, where: _where, step: _step, now: _now, ...rest } = one;
      return { ...rest, photos: [], fields: [], state: "sent", number: answer.number, url: answer.url };
    }
    if (response.status === 428 && answer.challenge) {
      thinking();
      proof = await solved(answer.challenge);
      continue;
    }
    if (response.status >= 500 || LATER.has(response.status)) break;
    const why = [answer.title, answer.remedy].filter(Boolean).join(" : ");
    return { ...one, state: "refused", why, where: answer.where ?? "", step: answer.step ?? "where" };
  }
  return { ...one, state: "waiting" };
}

function packed(one: Parcel, proof: string): FormData {
  const body = new FormData();
  for (const [name, value] of one.fields) body.append(name, value);
  body.set("key", one.key);
  if (proof) body.set("proof", proof);
  one.photos.forEach((photo, index) => body.append("photo", photo, `photo-${index + 1}.jpg`));
  return body;
}

/** Find the number whose digest begins with as many zero bits as the challenge says. */
async function solved(challenge: string): Promise<string> {
  const bits = Number(challenge.split(".")[1]);
  const encoder = new TextEncoder();
  for (let number = 0; ; number++) {
    const proof = `${challenge}:${number}`;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(proof)));
    if (zeroBits(digest) >= bits) return proof;
  }
}

function zeroBits(digest: Uint8Array): number {
  let bits = 0;
  for (const byte of digest) {
    if (byte) return bits + Math.clz32(byte) - 24;
    bits += 8;
  }
  return bits;
}

/** A key no other sending has: 128 random bits. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function prune(): Promise<void> {
  const old = (await parcels()).filter((one) => one.state === "sent").slice(MOST_SENT);
  for (const one of old) await forget(one.key);
}

function alone<T>(work: () => Promise<T>): Promise<T> {
  return "locks" in navigator ? (navigator.locks.request("outbox", work) as Promise<T>) : work();
}

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("beffroi-outbox", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "key" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/** Do one thing in the store and return once it is durable. */
async function done(act: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const base = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = base.transaction(STORE, "readwrite", { durability: "strict" });
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    base.close();
  }
}
