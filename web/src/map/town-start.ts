import powerUrl from "./power.worker?worker&url";
import { onDemand } from "./demand";
import type { TownMap } from "./town";
import { onceIdle } from "./when";

type Control = HTMLInputElement | HTMLSelectElement;

/** Start the map of the town once the page is painted: its list and its controls are there first.
 *
 * A device that draws without a graphics processor, or whose reader spares data, shows the picture until it is asked:
 * the map would stop everything else for many seconds. A shared view, or a control of the map, asks for it.
 */
export function startTown(element: HTMLElement, button: HTMLButtonElement | null, open: () => Promise<TownMap | null>, read: () => void): void {
  let opened: Promise<TownMap | null> | null = null;
  const start = (): Promise<TownMap | null> => {
    if (button) button.hidden = true;
    return (opened ??= open());
  };
  const panel = document.querySelector<HTMLElement>(".map-panel");
  panel?.addEventListener("change", (event) => void replay(event, opened === null, start));
  if (!button || new URLSearchParams(location.hash.slice(1)).has("lat")) return onceIdle(() => void start());
  onceIdle(async () => {
    if (!sparesData() && (await drawsFast())) await start();
    else if (opened === null) onDemand(button, element, start, read);
  });
}

/** What is ticked before the map is there starts it, then is told to it. */
async function replay(event: Event, isEarly: boolean, start: () => Promise<TownMap | null>): Promise<void> {
  const control = event.target as Control;
  if (!isEarly || !Object.keys(control.dataset).some((name) => ["layer", "live", "base", "style", "terrain"].includes(name))) return;
  const [value, checked] = [control.value, control instanceof HTMLInputElement && control.checked];
  const town = await start();
  // The panel has just said what the map shows: what the reader chose stays in sight until it does, hers to change again.
  control.value = value;
  if (control instanceof HTMLInputElement) control.checked = checked;
  await town?.ready;
  control.dispatchEvent(new Event("change"));
}

function sparesData(): boolean {
  return (navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData ?? false;
}

function drawsFast(): Promise<boolean> {
  return new Promise((tell) => {
    const worker = new Worker(powerUrl, { type: "module" });
    const done = (able: boolean): void => {
      worker.terminate();
      tell(able);
    };
    worker.addEventListener("message", ({ data }: MessageEvent<boolean>) => done(data));
    worker.addEventListener("error", () => done(true));
  });
}
