interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

/** Where the browser lets a page offer it, a button installs the application; elsewhere the page says how. */
export function offerInstalling(root: ParentNode): void {
  const place = root.querySelector<HTMLElement>("[data-install]");
  if (!place) return;
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    place.hidden = false;
    place.querySelector("button")?.addEventListener("click", () => void (event as InstallPrompt).prompt(), { once: true });
  });
  addEventListener("appinstalled", () => (place.hidden = true));
}
