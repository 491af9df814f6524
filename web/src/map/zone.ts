import { Marker, type GeoJSONSource, type Map as MapLibre } from "maplibre-gl";
import { announce } from "./base";
import { say, type MapConfig } from "./config";
import { areaM2, written, type Corner } from "./geodesy";
import { arrowStep } from "./keys";
import { palette } from "./palette";

/** A polygon drawn on the map and written in a text field, one corner a line: latitude, then longitude. */
export class Zone {
  readonly #map: MapLibre;
  readonly #element: HTMLElement;
  readonly #field: HTMLTextAreaElement;
  readonly #config: MapConfig;
  readonly #toggle: HTMLButtonElement | null;
  #corners: Corner[] = [];
  #marks: Marker[] = [];

  constructor(map: MapLibre, element: HTMLElement, field: HTMLTextAreaElement, root: HTMLElement, config: MapConfig) {
    this.#map = map;
    this.#element = element;
    this.#field = field;
    this.#config = config;
    const button = (act: string): HTMLButtonElement | null => root.querySelector(`[data-zone=${act}]`);
    this.#toggle = button("draw");
    const bar = root.querySelector<HTMLElement>("[data-zone-bar]");
    if (bar) bar.hidden = false;
    this.#toggle?.addEventListener("click", () => this.#toggle?.setAttribute("aria-pressed", String(!this.isDrawing)));
    button("corner")?.addEventListener("click", () => {
      const { lng, lat } = this.#map.getCenter();
      this.add(lng, lat);
    });
    button("undo")?.addEventListener("click", () => this.#change(this.#corners.slice(0, -1)));
    button("clear")?.addEventListener("click", () => this.#change([]));
    field.addEventListener("change", () => this.#read());
  }

  get isDrawing(): boolean {
    return this.#toggle?.getAttribute("aria-pressed") === "true";
  }

  add(lon: number, lat: number): void {
    this.#change([...this.#corners, [lon, lat]]);
  }

  /** Add what draws the zone to a map that has loaded, with the zone the field holds already. */
  draw(): void {
    const { chosen } = palette();
    this.#map.addSource("zone", { type: "geojson", data: this.#shape() });
    this.#map.addLayer({ id: "zone-area", type: "fill", source: "zone", paint: { "fill-color": chosen, "fill-opacity": 0.25 } });
    this.#map.addLayer({ id: "zone-edge", type: "line", source: "zone", paint: { "line-color": chosen, "line-width": 2.5 } });
    this.#read();
  }

  #read(): void {
    const lines = this.#field.value.split("\n").map((line) => line.match(/-?\d{1,3}(?:[.,]\d+)?/g) ?? []);
    const numbers = lines.filter((found) => found.length === 2).map((found) => found.map((text) => Number(text.replace(",", "."))));
    this.#corners = numbers.map(([lat, lon]): Corner => [lon ?? 0, lat ?? 0]);
    this.#show();
  }

  #change(corners: Corner[]): void {
    this.#corners = corners;
    this.#field.value = corners.map(([lon, lat]) => `${lat.toFixed(6)} ${lon.toFixed(6)}`).join("\n");
    this.#show();
    const size = corners.length > 2 ? written(areaM2(corners), "area", this.#config.language) : "–";
    announce(this.#element, say(this.#config.words, "zoned", { n: String(corners.length), area: size }));
  }

  #show(): void {
    this.#map.getSource<GeoJSONSource>("zone")?.setData(this.#shape());
    for (const mark of this.#marks) mark.remove();
    this.#marks = this.#corners.map((corner, index) => this.#mark(corner, index));
  }

  #mark(corner: Corner, index: number): Marker {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "map-corner";
    handle.setAttribute("aria-label", say(this.#config.words, "corner", { n: String(index + 1) }));
    const mark = new Marker({ element: handle, draggable: true }).setLngLat(corner).addTo(this.#map);
    const move = (): void => {
      const { lng, lat } = mark.getLngLat();
      this.#change(this.#corners.map((one, at): Corner => (at === index ? [lng, lat] : one)));
      this.#marks[index]?.getElement().focus();
    };
    mark.on("dragend", move);
    handle.addEventListener("keydown", (event) => {
      const step = arrowStep(event);
      if (!step) return;
      const at = this.#map.project(mark.getLngLat());
      mark.setLngLat(this.#map.unproject([at.x + step[0], at.y + step[1]]));
      move();
    });
    return mark;
  }

  #shape(): GeoJSON.Feature {
    const ring = this.#corners[0] ? [...this.#corners, this.#corners[0]] : [];
    const geometry: GeoJSON.Geometry =
      ring.length > 3 ? { type: "Polygon", coordinates: [ring] } : { type: "LineString", coordinates: ring };
    return { type: "Feature", properties: {}, geometry };
  }
}
