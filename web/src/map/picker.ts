import { Marker, type Map as MapLibre } from "maplibre-gl";
import { announce, drawBase, drawNames, locate, openMap } from "./base";
import { readConfig, say, type MapConfig } from "./config";
import { arrowStep } from "./keys";
import { palette } from "./palette";
import { bindTools } from "./tools";
import { Zone } from "./zone";

interface PickerConfig extends MapConfig {
  /** Slugs of the datasets whose things may be chosen. */
  objects: string[];
  /** Address that answers what is near a point. */
  near: string;
}

interface NearThing {
  key: string;
  said: string;
  lon: number;
  lat: number;
}

const SETTLED_MS = 400;
/** A map that fills in the place fields of a form; whatever it does, the fields can be written by hand. */
export class PlacePicker {
  readonly #root: HTMLElement;
  readonly #element: HTMLElement;
  readonly #config: PickerConfig;
  readonly #map: MapLibre;
  readonly #pin: Marker;
  readonly #lon: HTMLInputElement;
  readonly #lat: HTMLInputElement;
  readonly #object: HTMLInputElement | null;
  readonly #zone: Zone | null;
  #settling = 0;

  constructor(root: HTMLElement) {
    const field = (name: string): HTMLInputElement | null => root.querySelector(`[data-place=${name}] input`);
    const [lon, lat] = [field("lon"), field("lat")];
    const element = root.querySelector<HTMLElement>(".map");
    if (!lon || !lat || !element) throw new Error("the place fields are missing");
    this.#root = root;
    this.#element = element;
    this.#config = readConfig<PickerConfig>(root, "pick");
    this.#lon = lon;
    this.#lat = lat;
    this.#object = field("object");
    root.querySelector<HTMLElement>("[data-place-map]")?.removeAttribute("hidden");
    this.#map = openMap(element, this.#config, palette(), { cooperativeGestures: true, fitBoundsOptions: { padding: 12 } });
    // A place is chosen closer than the whole town is seen.
    this.#map.jumpTo({ zoom: this.#map.getZoom() + 1.2 });
    this.#pin = new Marker({ element: this.#pinElement(), draggable: true, anchor: "bottom" });
    const corners = root.querySelector<HTMLTextAreaElement>("[data-place=zone] textarea");
    this.#zone = corners ? new Zone(this.#map, element, corners, root, this.#config) : null;
    this.#bind();
  }

  #pinElement(): HTMLElement {
    const pin = document.createElement("button");
    pin.type = "button";
    pin.className = "map-pin";
    pin.setAttribute("aria-label", this.#config.words["pin"] ?? "");
    pin.addEventListener("keydown", (event) => {
      const step = arrowStep(event);
      if (!step) return;
      const at = this.#map.project(this.#pin.getLngLat());
      const to = this.#map.unproject([at.x + step[0], at.y + step[1]]);
      this.#set(to.lng, to.lat);
    });
    return pin;
  }

  #bind(): void {
    this.#map.once("load", () => {
      drawBase(this.#map, this.#config, palette());
      drawNames(this.#map, this.#config, palette());
      this.#zone?.draw();
      this.#map.once("idle", () => (this.#element.dataset["ready"] = "yes"));
      this.#map.triggerRepaint();
    });
    this.#map.on("click", ({ lngLat, originalEvent }) => {
      if ((originalEvent.target as HTMLElement).closest("button")) return;
      if (this.#zone?.isDrawing) this.#zone.add(lngLat.lng, lngLat.lat);
      else this.#set(lngLat.lng, lngLat.lat);
    });
    this.#pin.on("dragend", () => {
      const { lng, lat } = this.#pin.getLngLat();
      this.#set(lng, lat);
    });
    for (const field of [this.#lon, this.#lat]) field.addEventListener("change", () => this.#readFields(true));
    this.#root.closest("form")?.addEventListener("beffroi:place", (event) => {
      const { lon, lat } = (event as CustomEvent<{ lon: number; lat: number }>).detail;
      this.#goTo(lon, lat);
    });
    this.#root.closest("form")?.addEventListener("address", (event) => {
      const { label, lon, lat } = (event as CustomEvent<{ label: string; lon: string; lat: string }>).detail;
      if (label && lon && lat) this.#goTo(Number(lon), Number(lat));
    });
    bindTools(this.#map, this.#element.parentElement ?? this.#element, {
      locate: () => locate(this.#element, this.#config, (lon, lat) => this.#goTo(lon, lat)),
      drop: () => {
        const { lng, lat } = this.#map.getCenter();
        this.#set(lng, lat);
      },
    });
    this.#readFields(true);
  }

  #put(lon: number, lat: number): void {
    this.#pin.setLngLat([lon, lat]);
    // Put in place once: again would take the focus from it.
    if (!this.#pin.getElement().isConnected) this.#pin.addTo(this.#map);
  }

  #goTo(lon: number, lat: number): void {
    this.#map.jumpTo({ center: [lon, lat], zoom: Math.max(this.#map.getZoom(), 17) });
    this.#set(lon, lat);
  }

  /** Put the pin where the fields say; nothing moves while they cannot be read. */
  #readFields(go: boolean): void {
    const [lon, lat] = [this.#lon, this.#lat].map((field) => Number(field.value.trim().replace(",", ".") || Number.NaN));
    if (lon === undefined || lat === undefined || !(Math.abs(lon) <= 180 && Math.abs(lat) <= 85)) return;
    this.#put(lon, lat);
    if (go) this.#map.jumpTo({ center: [lon, lat], zoom: Math.max(this.#map.getZoom(), 17) });
    this.#settle(lon, lat);
  }

  #set(lon: number, lat: number, object = ""): void {
    this.#lon.value = lon.toFixed(6);
    this.#lat.value = lat.toFixed(6);
    if (this.#object) this.#object.value = object;
    this.#put(lon, lat);
    if (!object) this.#settle(lon, lat);
  }

  /** Once the pin rests, say where it is and what is near. */
  #settle(lon: number, lat: number): void {
    window.clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => void this.#tell(lon, lat), SETTLED_MS);
  }

  async #tell(lon: number, lat: number): Promise<void> {
    const { words, objects, near, language } = this.#config;
    const at = { lon: this.#lon.value, lat: this.#lat.value };
    const degrees = (value: number): string => value.toLocaleString(language, { maximumFractionDigits: 5 });
    announce(this.#element, say(words, "pinned", { lat: degrees(lat), lon: degrees(lon) }));
    if (!objects.length) return;
    const query = new URLSearchParams({ lon: lon.toFixed(7), lat: lat.toFixed(7), jeux: objects.join(",") });
    const response = await fetch(`${near}?${query}`, { credentials: "same-origin" }).catch(() => null);
    // The pin may have been moved on, or the network be away: nothing near is offered.
    if (!response?.ok || this.#lon.value !== at.lon || this.#lat.value !== at.lat) return;
    this.#offer(((await response.json()) as { things: NearThing[] }).things, [lon, lat]);
  }

  /** Offer the things nearby as choices of a list; choosing one moves the pin to it. */
  #offer(things: NearThing[], at: [number, number]): void {
    const holder = this.#root.querySelector<HTMLElement>("[data-near]");
    const list = holder?.querySelector<HTMLElement>("[data-near-list]");
    if (!holder || !list) return;
    const none = { key: "", said: this.#config.words["noObject"] ?? "", lon: at[0], lat: at[1] };
    const chosen = this.#object?.value ?? "";
    holder.hidden = !things.length;
    list.replaceChildren(
      ...[...things, none].map((thing, index) => {
        const line = document.createElement("div");
        line.className = "choice";
        const radio = document.createElement("input");
        Object.assign(radio, { type: "radio", name: "place-near", id: `place-near-${index}`, checked: thing.key === chosen });
        const label = document.createElement("label");
        Object.assign(label, { htmlFor: radio.id, textContent: thing.said });
        radio.addEventListener("change", () => this.#set(thing.lon, thing.lat, thing.key));
        line.append(radio, label);
        return line;
      }),
    );
  }
}

/** Show the map of a place field; without it (no WebGL, an old device) the fields are still there. */
export function showPicker(root: HTMLElement): void {
  try {
    new PlacePicker(root);
  } catch {
    root.querySelector<HTMLElement>("[data-place-map]")?.setAttribute("hidden", "");
  }
}
