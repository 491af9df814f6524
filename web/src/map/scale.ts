import type { Map as MapLibre } from "maplibre-gl";
import { lengthM, written } from "./geodesy";

const WIDEST_PX = 120;

/** A round length and how wide it is at the middle of the map. */
export function scaleOf(map: MapLibre, language: string): { text: string; widthPx: number } {
  const middle = map.project(map.getCenter());
  const [from, to] = [middle.x - 50, middle.x + 50].map((x) => map.unproject([x, middle.y]).toArray());
  const metresPerPx = from && to ? lengthM([from, to]) / 100 : 1;
  const power = 10 ** Math.floor(Math.log10(metresPerPx * WIDEST_PX));
  const metres = ([5, 2, 1].find((one) => one * power <= metresPerPx * WIDEST_PX) ?? 1) * power;
  return { text: written(metres, "length", language), widthPx: metres / metresPerPx };
}

/** Draw the scale in a corner of the map, true at its middle, each time the map rests: writing it lays the page out. */
export function showScale(map: MapLibre, element: HTMLElement, language: string): void {
  const bar = element.parentElement?.querySelector<HTMLElement>("[data-scale]");
  if (!bar) return;
  bar.hidden = false;
  const show = (): void => {
    const { text, widthPx } = scaleOf(map, language);
    bar.textContent = text;
    bar.style.setProperty("width", `${widthPx}px`);
  };
  map.on("moveend", show);
  show();
}
