import { LngLatBounds, Marker, type LngLatBoundsLike, type Map as MapLibre } from "maplibre-gl";
import { announce, drawBase, drawNames, isCalm, locate, openMap, raiseGround } from "./base";
import { readConfig, say, type MapConfig } from "./config";
import { palette } from "./palette";
import { slopeLines, spotAt, type Way } from "./slopes";
import { bindTools } from "./tools";

interface RouteConfig extends MapConfig {
  /** Address of the routes as GeoJSON; empty before a search. */
  route: string;
  /** The map opens in relief. */
  raised: boolean;
}

/** Something that stands on the quickest way, and that the way found goes round. */
interface Barrier {
  said: string;
  lon: number;
  lat: number;
}

interface Answer extends GeoJSON.FeatureCollection<GeoJSON.LineString> {
  features: Way[];
  why?: { same_as_quickest: boolean; avoided: Barrier[] };
  no_route?: { farthest: Way | null; barriers: Barrier[] };
}

const RAISED_DEG = 55;

type End = "de" | "vers";
const ENDS: readonly End[] = ["de", "vers"];
const KEPT = "beffroi.itineraire";

/** The map of the page of routes: shows the ways found, fills in both places of the form. */
class RouteMap {
  readonly #element: HTMLElement;
  readonly #config: RouteConfig;
  readonly #map: MapLibre;
  readonly #fields = new Map<End, HTMLInputElement>();
  readonly #pins = new Map<End, Marker>();
  #next: End = "de";
  #raised = false;

  constructor(element: HTMLElement) {
    this.#element = element;
    this.#config = readConfig<RouteConfig>(element, "route");
    for (const end of ENDS) {
      const field = document.querySelector<HTMLInputElement>(`[data-end=${end}] input[type=text]`);
      if (!field) continue;
      this.#fields.set(end, field);
      field.addEventListener("focus", () => (this.#next = end));
      field.addEventListener("change", () => this.#pin(end));
      field.closest(`[data-end=${end}]`)?.addEventListener("address", () => this.#pin(end));
    }
    if (this.#fields.get("de")?.value && !this.#fields.get("vers")?.value) this.#next = "vers";
    this.#map = openMap(element, this.#config, palette(), { cooperativeGestures: true, fitBoundsOptions: { padding: 16 } });
  }

  start(): void {
    this.#map.once("load", () => void this.#fill());
    this.#map.on("click", ({ lngLat }) => this.#take(lngLat.lng, lngLat.lat));
    bindTools(this.#map, this.#element.parentElement ?? this.#element, {
      locate: () =>
        locate(this.#element, this.#config, (lon, lat) => {
          this.#next = "de";
          this.#take(lon, lat);
          this.#map.jumpTo({ center: [lon, lat], zoom: 16 });
        }),
      relief: () => this.#raise(!this.#raised),
      drop: () => {
        const { lng, lat } = this.#map.getCenter();
        this.#take(lng, lat);
      },
    });
  }

  /** Stand the ground up to its heights, the ways lying on it, or lay it flat. */
  #raise(on: boolean, animate = !isCalm()): void {
    this.#raised = on;
    raiseGround(this.#map, this.#config, on);
    // Houses that stand would hide the way behind them.
    for (const { id, type } of this.#map.getStyle().layers)
      if (type === "fill-extrusion") this.#map.setPaintProperty(id, "fill-extrusion-opacity", on ? 0.35 : 1);
    this.#map.easeTo({ pitch: on ? RAISED_DEG : 0, animate });
    this.#element.parentElement?.querySelector('[data-act="relief"]')?.setAttribute("aria-pressed", String(on));
  }

  async #fill(): Promise<void> {
    const colours = palette();
    drawBase(this.#map, this.#config, colours);
    drawNames(this.#map, this.#config, colours);
    for (const end of ENDS) this.#pin(end);
    // Before the ways: framing them is a flight that another movement would cut short.
    if (this.#config.raised && this.#config.terrain) this.#raise(true, false);
    if (this.#config.route) await this.#draw();
    this.#map.once("idle", () => (this.#element.dataset["ready"] = "yes"));
    this.#map.triggerRepaint();
  }

  async #draw(): Promise<void> {
    const answer = await fetch(this.#config.route, { credentials: "same-origin" });
    if (!answer.ok) return;
    const found = (await answer.json()) as Answer;
    const partial = found.no_route?.farthest;
    const features = partial ? [partial] : [...found.features].reverse();
    this.#map.addSource("route", { type: "geojson", data: { type: "FeatureCollection", features } });
    const style = getComputedStyle(this.#element);
    const best = style.getPropertyValue("--route").trim() || "#1d4f91";
    const other = style.getPropertyValue("--route-other").trim() || "#6b7a90";
    const layout = { "line-cap": "round", "line-join": "round" } as const;
    this.#map.addLayer({ id: "route-edge", type: "line", source: "route", layout, paint: { "line-color": "#ffffff", "line-width": 9 } });
    this.#map.addLayer({
      id: "route",
      type: "line",
      source: "route",
      layout,
      paint: { "line-color": ["case", ["==", ["get", "rank"], 0], best, other], "line-width": ["case", ["==", ["get", "rank"], 0], 6, 4] },
    });
    const [first] = found.features;
    if (first?.properties.heights.length) this.#drawSlopes(first);
    this.#placeBarriers(found.no_route?.barriers ?? (found.why?.same_as_quickest ? [] : (found.why?.avoided ?? [])));
    const box = new LngLatBounds();
    for (const { geometry } of features) for (const [lon, lat] of geometry.coordinates) box.extend([lon ?? 0, lat ?? 0]);
    if (!box.isEmpty()) this.#map.fitBounds(box as LngLatBoundsLike, { padding: 40, animate: !isCalm(), maxZoom: 17 });
  }

  /** Colour the best way by its slopes, and follow it by the slider under the drawing of heights. */
  #drawSlopes(way: Way): void {
    this.#map.addSource("slopes-along", { type: "geojson", data: { type: "FeatureCollection", features: slopeLines(way) } });
    this.#map.addLayer({
      id: "slopes-along",
      type: "line",
      source: "slopes-along",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": ["get", "colour"], "line-width": 6 },
    });
    const holder = document.querySelector<HTMLElement>("[data-along]");
    const [slider, output] = [holder?.querySelector("input"), holder?.querySelector("output")];
    if (!holder || !slider || !output) return;
    holder.hidden = false;
    const sign = document.createElement("div");
    sign.className = "along-pin";
    const pin = new Marker({ element: sign });
    const cursor = document.querySelector<SVGLineElement>("[data-here]");
    const number = (value: number): string => value.toLocaleString(this.#config.language, { maximumFractionDigits: 0 });
    slider.addEventListener("input", () => {
      const share = Number(slider.value) / Number(slider.max);
      const { lon, lat, metres, height, slope } = spotAt(way, share);
      pin.setLngLat([lon, lat]).addTo(this.#map);
      const said = say(this.#config.words, "along", { metres: number(metres), height: number(height), slope: number(slope) });
      output.textContent = said;
      slider.setAttribute("aria-valuetext", said);
      const margin = Number(cursor?.dataset["here"] ?? 0);
      const x = String(margin + share * ((cursor?.ownerSVGElement?.viewBox.baseVal.width ?? 0) - 2 * margin));
      for (const end of ["x1", "x2"]) cursor?.setAttribute(end, x);
    });
  }

  /** Put on each barrier the number it has in the list of the page. */
  #placeBarriers(barriers: readonly Barrier[]): void {
    for (const [rank, { said, lon, lat }] of barriers.entries()) {
      const sign = document.createElement("div");
      sign.className = "barrier-pin";
      sign.textContent = String(rank + 1);
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", `${rank + 1} : ${said}`);
      sign.title = said;
      new Marker({ element: sign }).setLngLat([lon, lat]).addTo(this.#map);
    }
  }

  #take(lon: number, lat: number): void {
    const field = this.#fields.get(this.#next);
    if (!field) return;
    field.value = `${lon.toFixed(6)}, ${lat.toFixed(6)}`;
    this.#pin(this.#next);
    announce(this.#element, say(this.#config.words, this.#next === "de" ? "from" : "to"));
    this.#next = this.#next === "de" ? "vers" : "de";
  }

  /** Where the field says: the address chosen, else the two numbers the map wrote in it. */
  #place(end: End): [number, number] | null {
    const field = this.#fields.get(end);
    const part = (name: string): string => field?.parentElement?.querySelector<HTMLInputElement>(`[data-part=${name}]`)?.value ?? "";
    const text = field?.value.trim() ?? "";
    const chosen = text !== "" && part("label") === text;
    const [lon, lat] = (chosen ? [part("lon"), part("lat")] : text.split(/[,;]\s+|;/)).map((one) => Number(one.trim().replace(",", ".") || Number.NaN));
    if (lon === undefined || lat === undefined || !(Math.abs(lon) <= 180 && Math.abs(lat) <= 85)) return null;
    return [lon, lat];
  }

  #pin(end: End): void {
    const place = this.#place(end);
    if (!place) return;
    const [lon, lat] = place;
    const known = this.#pins.get(end);
    if (known) {
      known.setLngLat([lon, lat]);
      return;
    }
    const sign = document.createElement("div");
    sign.className = `route-pin ${end}`;
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", say(this.#config.words, end === "de" ? "start" : "goal"));
    this.#pins.set(end, new Marker({ element: sign }).setLngLat([lon, lat]).addTo(this.#map));
  }
}

/** A person's settings stay on her device: put back in an empty form, kept when she searches. */
function rememberSettings(form: HTMLFormElement): void {
  const names = ["profil", "pente", "ressaut", "escaliers", "documente"] as const;
  const fields = names.map((name) => form.elements.namedItem(name)).filter((field) => field instanceof HTMLElement) as (
    | HTMLInputElement
    | HTMLSelectElement
  )[];
  const read = (field: HTMLInputElement | HTMLSelectElement): string =>
    field instanceof HTMLInputElement && field.type === "checkbox" ? (field.checked ? "on" : "") : field.value;
  if (!new URLSearchParams(location.search).has("de")) {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Record<string, string>;
      for (const field of fields) {
        const value = kept[field.name];
        if (value === undefined) continue;
        if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = value === "on";
        else field.value = value;
      }
    } catch {
      // Storage is closed, or holds something else: the form opens as it is.
    }
  }
  form.addEventListener("submit", () => {
    try {
      localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(fields.map((field) => [field.name, read(field)]))));
    } catch {
      // Storage is closed: the search works all the same.
    }
  });
}

function bindPage(form: HTMLFormElement): void {
  const field = (end: End): HTMLInputElement | null => form.querySelector(`[data-end=${end}] input[type=text]`);
  const swap = form.querySelector<HTMLButtonElement>("[data-swap]");
  if (swap) {
    swap.hidden = false;
    swap.addEventListener("click", () => {
      const [from, to] = [field("de"), field("vers")];
      if (!from || !to) return;
      [from.value, to.value] = [to.value, from.value];
      for (const name of ["lon", "lat", "label"]) {
        const [a, b] = [from, to].map((one) => one.parentElement?.querySelector<HTMLInputElement>(`[data-part=${name}]`));
        if (a && b) [a.value, b.value] = [b.value, a.value];
      }
      for (const one of [from, to]) one.dispatchEvent(new Event("change"));
    });
  }
  for (const print of document.querySelectorAll<HTMLButtonElement>("[data-print]")) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  for (const share of document.querySelectorAll<HTMLButtonElement>("[data-share]")) {
    if (!("clipboard" in navigator)) continue;
    share.hidden = false;
    share.addEventListener("click", () => {
      void navigator.clipboard.writeText(location.href).then(() => (share.textContent = share.dataset["done"] ?? ""));
    });
  }
}

export function showRoutes(element: HTMLElement): void {
  const form = document.querySelector<HTMLFormElement>("[data-itinerary]");
  if (form) {
    rememberSettings(form);
    bindPage(form);
  }
  try {
    new RouteMap(element).start();
  } catch {
    announce(element, readConfig(element, "route").words["failed"] ?? "");
  }
}
