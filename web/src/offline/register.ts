import { toast } from "../behaviours/toast";
import { typedAndNotKept } from "../behaviours/typing";

/** What the base page says for us, in the reader's language: `<meta name="beffroi-words" data-…>`. */
interface Words {
  kept: string;
  update: string;
  later: string;
  reload: string;
  install: string;
  add: string;
}

/** Install the service worker, tell of a new version, offer the application, say when a page is an old copy. */
export function goOffline(): void {
  const words = document.querySelector<HTMLElement>("meta[name=beffroi-words]")?.dataset as unknown as Words | undefined;
  if (!words || !("serviceWorker" in navigator)) return;
  tellKeptPage(words);
  offerInstall(words);
  addEventListener("load", () => void register(words));
}

async function register(words: Words): Promise<void> {
  const hadOne = navigator.serviceWorker.controller !== null;
  if (!hadOne) navigator.serviceWorker.addEventListener("controllerchange", keepThisPage, { once: true });
  const registration = await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" }).catch(() => null);
  if (!registration) return;
  if (registration.waiting && hadOne) offerUpdate(registration, words);
  const follow = (coming: ServiceWorker | null): void =>
    coming?.addEventListener("statechange", () => {
      if (coming.state === "installed" && navigator.serviceWorker.controller) offerUpdate(registration, words);
    });
  // It may have been found before this page could listen.
  follow(registration.installing);
  registration.addEventListener("updatefound", () => follow(registration.installing));
}

/** On the first visit, this page and the home page came before the service worker: it reads them now. */
function keepThisPage(): void {
  navigator.serviceWorker.controller?.postMessage({ keep: [new URL("/", location.href).href, location.href] });
}

let offered = false;

/**
 * The new version waits until the reader agrees; only then is this page read again. Where what she typed is kept nowhere
 * (a report under way, a photograph), nothing is proposed: the page that follows the form will.
 */
function offerUpdate(registration: ServiceWorkerRegistration, words: Words): void {
  if (offered) return;
  offered = true;
  if (typedAndNotKept()) return void toast(words.later);
  const told = toast(words.update, {
    label: words.reload,
    run: () => {
      if (typedAndNotKept()) {
        told?.remove();
        toast(words.later);
      } else takeOver(registration);
    },
  });
}

function takeOver(registration: ServiceWorkerRegistration): void {
  // Another page may have agreed before this one.
  if (!registration.waiting) return location.reload();
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  registration.waiting.postMessage("take-over");
}

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

const NOT_NOW = "beffroi-install-hint";

/** Once, and on a second visit: whoever closes the hint does not see it again. */
function offerInstall(words: Words): void {
  addEventListener("beforeinstallprompt", (event) => {
    const visits = Number(localStorage.getItem(NOT_NOW) ?? "0") + 1;
    localStorage.setItem(NOT_NOW, String(visits));
    if (visits !== 2) return;
    event.preventDefault();
    toast(words.install, { label: words.add, run: () => void (event as InstallPrompt).prompt() });
  });
}

function tellKeptPage(words: Words): void {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const kept = navigation?.serverTiming.find((one) => one.name === "kept");
  if (!kept) return;
  const day = new Date(kept.description);
  const said = Number.isNaN(day.valueOf()) ? "" : day.toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  const banner = document.createElement("p");
  banner.className = "kept";
  banner.setAttribute("role", "status");
  banner.textContent = words.kept.replace("{day}", said);
  document.getElementById("contenu")?.prepend(banner);
}
