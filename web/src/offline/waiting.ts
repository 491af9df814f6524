/** On every page: if something waits on this device, send it now and whenever the network comes back. */
const MARK = "beffroi-outbox";

/** Remember, cheaply, that something waits: a page that has nothing to send reads nothing more than this. */
export function somethingWaits(waits: boolean): void {
  if (waits) localStorage.setItem(MARK, "1");
  else localStorage.removeItem(MARK);
  if (waits) void askForSync();
}

export function sendWhatWaits(): void {
  addEventListener("online", () => void flush());
  void flush();
}

async function flush(): Promise<void> {
  if (!localStorage.getItem(MARK)) return;
  const { deliverAll, parcels } = await import("./outbox");
  await deliverAll((parcel) => document.dispatchEvent(new CustomEvent("beffroi:outbox", { detail: parcel.key })));
  somethingWaits((await parcels()).some((one) => one.state === "waiting" || one.state === "sending"));
}

/** Where the browser knows Background Sync, the worker sends even with every page closed. */
async function askForSync(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = (await navigator.serviceWorker.getRegistration()) as
    | (ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } })
    | undefined;
  await registration?.sync?.register("outbox").catch(() => {});
}
