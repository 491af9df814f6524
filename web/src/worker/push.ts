/** What a notification holds, deciphered by the browser: one sentence and the page of this site where the rest is read. */
interface Told {
  title: string;
  body: string;
  path: string;
  tag: string;
  lang: string;
}

/** Show what was sent; a later news of the same request takes the place of the earlier one. */
export async function show(registration: ServiceWorkerRegistration, data: PushMessageData | null, icon: string): Promise<void> {
  const { title, body, path, tag, lang } = data?.json() as Told;
  await registration.showNotification(title, { body, tag, lang, icon, data: { path } });
}

/** Open the page it speaks of: the tab that shows it already, else a new one. Never another site. */
export async function open(clients: Clients, notification: Notification): Promise<void> {
  notification.close();
  const url = new URL((notification.data as { path?: string } | null)?.path ?? "/", self.location.origin);
  if (url.origin !== self.location.origin) return;
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const shown = pages.find((one) => one.url.split("#", 1)[0] === url.href);
  if (shown) await shown.focus();
  else await clients.openWindow(url.href);
}

interface Changed extends ExtendableEvent {
  oldSubscription?: PushSubscription | null;
  newSubscription?: PushSubscription | null;
}

/** The relay gave the device another address: the town is told, by the former one, which only they know. */
export async function renew(registration: ServiceWorkerRegistration, event: Changed): Promise<void> {
  const old = event.oldSubscription;
  if (!old) return;
  const made = event.newSubscription ?? (await registration.pushManager.subscribe(old.options));
  const { endpoint = "", keys = {} } = made.toJSON();
  const body = new URLSearchParams({ old: old.endpoint, endpoint, p256dh: keys["p256dh"] ?? "", auth: keys["auth"] ?? "" });
  await fetch("/application/appareil/suite/", { method: "POST", body });
}
