import { palette, shade } from "./palette";
import { scaleOf } from "./scale";
import { tintsOf } from "./style";
import type { TownMap } from "./town";

/** Lay out the map on a page: title, picture, scale, legend of what is shown, sources and date; then print it. */
export function printMap(town: TownMap): void {
  const paper = document.querySelector<HTMLElement>("[data-paper]");
  if (!paper) return;
  const { words, language } = town.config;
  const { text, widthPx } = scaleOf(town.map, language);
  const scale = line("p", `${words["scale"] ?? ""} ${text}`);
  scale.className = "map-paper-scale";
  scale.style.setProperty("--scale", `${(100 * widthPx) / town.map.getContainer().clientWidth}%`);
  const legend = document.createElement("ul");
  for (const layer of town.shownLayers) {
    const item = document.createElement("li");
    item.append(mark(shade(layer.colour, palette(town.style).dark)), `${layer.title} (${layer.source})`);
    legend.append(item);
  }
  for (const [rank, colour] of town.config.paint ? tintsOf(town.config.paint, palette(town.style).dark).entries() : []) {
    const item = document.createElement("li");
    item.append(mark(colour), `${town.config.paint?.title ?? ""} : ${town.config.paint?.tints[rank]?.[0] ?? ""}`);
    legend.append(item);
  }
  const base = [...new Set(town.config.base.map((one) => one.source))].join(" · ");
  const day = new Date().toLocaleDateString(language, { dateStyle: "long" });
  paper.hidden = false;
  paper.replaceChildren(
    line("h1", document.title),
    picture(town),
    scale,
    legend,
    line("p", `${words["baseSource"] ?? ""} ${base}`),
    line("p", `${words["printed"] ?? ""} ${day}. ${location.href}`),
  );
  window.addEventListener("afterprint", () => (paper.hidden = true), { once: true });
  window.print();
}

function line(name: "h1" | "p", text: string): HTMLElement {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function mark(colour: string): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement("canvas"), { width: 24, height: 24 });
  const brush = canvas.getContext("2d");
  if (brush) {
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 24, 24);
  }
  return canvas;
}

/** What the map shows now, as a still picture: a WebGL canvas prints empty. */
function picture(town: TownMap): HTMLCanvasElement {
  const drawn = town.map.getCanvas();
  const canvas = Object.assign(document.createElement("canvas"), { width: drawn.width, height: drawn.height });
  canvas.className = "map-paper-picture";
  town.map.redraw();
  canvas.getContext("2d")?.drawImage(drawn, 0, 0);
  return canvas;
}
