/** On every page: if something waits on this device, send it now and whenever the network comes back. */
const MARK = "beffroi-outbox";
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;

let wait_ms = FIRST_WAIT_MS;
let again = 0;

/** Remember, cheaply, whether something waits: a page that has nothing to send reads nothing more than this. */
export function somethingWaits(waits: boolean): void {
  if (!waits) return localStorage.removeItem(MARK);
  localStorage.setItem(MARK, "1");
  tryLater();
  void askForSync();
}

export function sendWhatWaits(): void {
  addEventListener("online", () => {
    wait_ms = FIRST_WAIT_MS;
    void flush();
  });
  void flush();
}

async function flush(): Promise<void> {
  if (!localStorage.getItem(MARK)) return;
  const { deliverAll } = await import("./outbox");
  somethingWaits(await deliverAll());
}

/** The network may be back and the town's server not yet: what is left is tried again, less and less often. */
function tryLater(): void {
  if (again) return;
  again = window.setTimeout(() => {
    again = 0;
    wait_ms = Math.min(2 * wait_ms, LONGEST_WAIT_MS);
    void flush();
  }, wait_ms);
}

/** Where the browser knows Background Sync, the worker sends even with every page closed. */
async function askForSync(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = (await navigator.serviceWorker.getRegistration()) as
    | (ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } })
    | undefined;
  await registration?.sync?.register("outbox").catch(() => {});
}
