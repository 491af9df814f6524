import type { Map as MapLibre } from "maplibre-gl";
import { isCalm } from "./base";

const TILT_DEG = 50;

/** Bind the buttons around a map; `more` adds those that only this map has. */
export function bindTools(map: MapLibre, frame: HTMLElement, more: Record<string, () => void>): void {
  const tools = frame.querySelector<HTMLElement>(".map-tools");
  if (!tools) return;
  tools.hidden = false;
  const animate = !isCalm();
  const acts: Record<string, () => void> = {
    in: () => map.zoomIn({ animate }),
    out: () => map.zoomOut({ animate }),
    north: () => map.easeTo({ bearing: 0, animate }),
    tilt: () => map.easeTo({ pitch: map.getPitch() > 5 ? 0 : TILT_DEG, animate }),
    ...more,
  };
  for (const button of tools.querySelectorAll<HTMLButtonElement>("[data-act]")) {
    button.addEventListener("click", () => acts[button.dataset["act"] ?? ""]?.());
  }
  const needle = tools.querySelector<SVGElement>('[data-act="north"] svg');
  const turn = (): void => needle?.style.setProperty("rotate", `${-map.getBearing()}deg`);
  const tilt = (): void => {
    tools.querySelector('[data-act="tilt"]')?.setAttribute("aria-pressed", String(map.getPitch() > 5));
  };
  map.on("rotate", turn);
  map.on("pitchend", tilt);
  turn();
  tilt();
}
