const EVERY_MS = 1500;

/**
 * `[data-waits]`: work goes on behind this part of the page. It is asked for again until it is over, then the page is
 * opened anew; without JavaScript, its link does the same by hand.
 */
export function bindWaits(root: ParentNode): void {
  const part = root.querySelector<HTMLElement>("[data-waits]");
  if (!part) return;
  const ask = async (): Promise<void> => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-waits]");
      if (answer.ok && !found) return location.reload();
      const now = found?.querySelector("progress")?.value;
      const bar = part.querySelector("progress");
      if (bar && now !== undefined) bar.value = now;
    } catch {
      // The network is away for a moment: asked again later.
    }
    window.setTimeout(() => void ask(), EVERY_MS);
  };
  window.setTimeout(() => void ask(), EVERY_MS);
}
