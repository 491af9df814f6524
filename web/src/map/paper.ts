import { palette, shade } from "./palette";
import { scaleOf } from "./scale";
import { tintsOf } from "./style";
import type { TownMap } from "./town";

/** Lay out the map on a page: title, picture, scale, north, legend of what is shown, sources and date. */
export function layOut(town: TownMap): void {
  const paper = document.querySelector<HTMLElement>("[data-paper]");
  if (!paper || town.element.dataset["ready"] !== "yes") return;
  const { words, language, base } = town.config;
  const sources = [...new Set(base.map((one) => one.source))].join(" · ");
  const day = new Date().toLocaleDateString(language, { dateStyle: "long" });
  paper.hidden = false;
  paper.replaceChildren(
    line("h1", document.title),
    figure(town),
    ...measured(town),
    legend(town),
    line("p", `${words["baseSource"] ?? ""} ${sources}`),
    line("p", `${words["printed"] ?? ""} ${day}. ${location.href}`),
  );
}

export function putAway(): void {
  const paper = document.querySelector<HTMLElement>("[data-paper]");
  if (paper) paper.hidden = true;
}

/** The picture with what it is read by: a length, told to be that of the middle where the map leans, and the north. */
function figure({ map, config: { words, language } }: TownMap): HTMLElement {
  const { text, widthPx } = scaleOf(map, language);
  const leans = map.getPitch() > 5 ? ` (${words["scaleMiddle"] ?? ""})` : "";
  const scale = line("p", `${words["scale"] ?? ""} ${text}${leans}`);
  scale.className = "map-paper-scale";
  scale.style.setProperty("--scale", `${(100 * widthPx) / map.getContainer().clientWidth}%`);
  const north = line("p", words["north"] ?? "");
  north.className = "map-paper-north";
  north.prepend(arrow(map.getBearing()));
  const element = document.createElement("figure");
  element.className = "map-paper-figure";
  element.append(picture(map), scale, north);
  return element;
}

function legend(town: TownMap): HTMLElement {
  const { paint } = town.config;
  const { dark } = palette(town.style);
  const told: [colour: string, text: string][] = [
    ...town.shownLayers.map((one): [string, string] => [shade(one.colour, dark), `${one.title} (${one.source})`]),
    ...town.shownLive.flatMap(({ title, marks }) =>
      marks.map(([, label, colour]): [string, string] => [shade(colour, dark), `${title} : ${label}`]),
    ),
    ...(paint ? tintsOf(paint, dark).map((colour, rank): [string, string] => [colour, `${paint.title} : ${paint.tints[rank]?.[0] ?? ""}`]) : []),
  ];
  const list = document.createElement("ul");
  for (const [colour, text] of told) {
    const item = document.createElement("li");
    item.append(mark(colour), text);
    list.append(item);
  }
  return list;
}

/** What was measured is drawn on the picture: its length goes with it. */
function measured({ element }: TownMap): HTMLElement[] {
  const frame = element.parentElement;
  const text = frame?.querySelector('[data-act="measure"][aria-pressed="true"]') ? frame.querySelector(".map-status")?.textContent : "";
  return text ? [line("p", text)] : [];
}

function line(name: "h1" | "p", text: string): HTMLElement {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function mark(colour: string): HTMLCanvasElement {
  return drawn(24, (brush) => {
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 24, 24);
  });
}

function arrow(bearing: number): HTMLCanvasElement {
  return drawn(64, (brush) => {
    brush.translate(32, 32);
    brush.rotate((-bearing * Math.PI) / 180);
    brush.fill(new Path2D("M0 -28 L14 26 L0 14 L-14 26 Z"));
  });
}

function drawn(side: number, draw: (brush: CanvasRenderingContext2D) => void): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const brush = canvas.getContext("2d");
  if (brush) draw(brush);
  return canvas;
}

/** What the map shows now, as a still picture: a WebGL canvas prints empty. */
function picture(map: TownMap["map"]): HTMLCanvasElement {
  const shown = map.getCanvas();
  const canvas = Object.assign(document.createElement("canvas"), { width: shown.width, height: shown.height });
  canvas.className = "map-paper-picture";
  map.redraw();
  canvas.getContext("2d")?.drawImage(shown, 0, 0);
  return canvas;
}
