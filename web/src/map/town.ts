import { Map as MapLibre, setWorkerUrl, type LngLatBoundsLike, type MapGeoJSONFeature, type PointLike } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { readTiles, type BaseConfig, type LayerConfig, type MapConfig, type TileJson } from "./config";
import { palette, shade } from "./palette";
import { readPlace, writePlace } from "./permalink";
import { SheetPanel } from "./sheet";
import { baseLayers, dataLayers, emptyStyle, knowsHeights, namesLayer } from "./style";

setWorkerUrl(workerUrl);

const REACH_PX = 6;
const TILT_DEG = 50;

/** Say something where a screen reader hears it and the eye sees it. */
export function announce(element: HTMLElement, text: string, quiet = false): void {
  const status = element.parentElement?.querySelector<HTMLElement>(".map-status");
  if (!status) return;
  status.textContent = text;
  status.toggleAttribute("data-quiet", quiet);
}

/** One map on a page: the base, the data layers, the controls around it. */
export class TownMap {
  readonly #element: HTMLElement;
  readonly #config: MapConfig;
  readonly #map: MapLibre;
  readonly #sheet: SheetPanel;
  readonly #isTown: boolean;
  readonly #shown = new Map<string, string[]>();
  readonly #calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  constructor(element: HTMLElement, config: MapConfig) {
    this.#element = element;
    this.#config = config;
    this.#isTown = "town" in element.dataset;
    const place = this.#isTown ? readPlace(location.hash) : {};
    const colours = palette();
    this.#map = new MapLibre({
      container: element,
      style: emptyStyle(colours, config.font),
      bounds: config.bbox as LngLatBoundsLike,
      fitBoundsOptions: { padding: 24, pitch: place.pitch ?? 0 },
      maxPitch: 60,
      attributionControl: false,
      locale: {
        "Map.Title": config.words.map,
        "CooperativeGesturesHandler.WindowsHelpText": config.words.wheel,
        "CooperativeGesturesHandler.MacHelpText": config.words.wheelMac,
        "CooperativeGesturesHandler.MobileHelpText": config.words.fingers,
      },
      fadeDuration: this.#calm ? 0 : 200,
      // A single finger scrolls the page on a dataset's page; the town's map takes the screen.
      cooperativeGestures: !this.#isTown,
    });
    if (place.lon !== undefined && place.lat !== undefined) {
      this.#map.jumpTo({
        center: [place.lon, place.lat],
        zoom: place.zoom ?? 15,
        bearing: place.bearing ?? 0,
        pitch: place.pitch ?? 0,
      });
    } else if (config.pitch) {
      const { zoom, center } = this.#opening();
      this.#map.jumpTo({ zoom, center, pitch: config.pitch, bearing: -18 });
    }
    this.#sheet = new SheetPanel(config.words);
  }

  /** The middle of the town, near enough for its buildings to stand. */
  #opening(): { zoom: number; center: [number, number] } {
    const [west, south, east, north] = this.#config.bbox;
    return { zoom: Math.max(this.#map.getZoom() + 0.6, 14.2), center: [(west + east) / 2, (south + north) / 2] };
  }

  start(): void {
    this.#map.once("load", () => void this.#fill());
    this.#map.on("click", (event) => void this.#open(event.point));
    this.#map.on("moveend", () => this.#remember());
    this.#map.on("pitchend", () => this.#reflectTilt());
    this.#bindTools();
    this.#bindPanel();
  }

  async #fill(): Promise<void> {
    const wanted = new Set(this.#isTown ? readPlace(location.hash).layers : []);
    const reads = this.#config.base.map(async (base) => ({ base, tiles: await readTiles(base.tiles) }));
    // Asked for together, drawn in their order: buildings stand on streets, names on all.
    for (const { base, tiles } of await Promise.all(reads)) if (tiles) this.#addBase(base, tiles);
    this.#addNames();
    this.#raiseNames();
    for (const layer of this.#config.layers) if (layer.shown || wanted.has(layer.id)) await this.#show(layer);
    this.#map.once("idle", () => {
      this.#element.dataset["ready"] = "yes";
      announce(this.#element, this.#config.words.ready, true);
    });
    this.#map.triggerRepaint();
  }

  #addSource(id: string, tiles: TileJson): void {
    if (this.#map.getSource(id)) return;
    const absolute = tiles.tiles.map((url) => new URL(url, location.href).href);
    // MapLibre fills in {z}/{x}/{y} itself: they must not be escaped.
    const open = absolute.map((url) => url.replaceAll("%7B", "{").replaceAll("%7D", "}"));
    this.#map.addSource(id, { type: "vector", tiles: open, minzoom: tiles.minzoom, maxzoom: tiles.maxzoom });
  }

  #addBase(base: BaseConfig, tiles: TileJson): void {
    this.#addSource(`base-${base.id}`, tiles);
    const layers = baseLayers(base, tiles, palette());
    if (base.role === "buildings" && !knowsHeights(tiles)) {
      for (const note of document.querySelectorAll<HTMLElement>("[data-note=heights]")) note.hidden = false;
    }
    for (const layer of layers) this.#map.addLayer(layer);
    this.#shown.set(`base:${base.id}`, [
      ...(this.#shown.get(`base:${base.id}`) ?? []),
      ...layers.map((layer) => layer.id),
    ]);
  }

  #addNames(): void {
    if (!this.#config.names.length) return;
    const features = this.#config.names.map(([name, lon, lat]) => ({
      type: "Feature" as const,
      properties: { name },
      geometry: { type: "Point" as const, coordinates: [lon, lat] },
    }));
    this.#map.addSource("names", { type: "geojson", data: { type: "FeatureCollection", features } });
    this.#map.addLayer(namesLayer(palette()));
  }

  #raiseNames(): void {
    for (const layer of this.#map.getStyle().layers) if (layer.id.endsWith("-names")) this.#map.moveLayer(layer.id);
  }

  async #show(layer: LayerConfig): Promise<void> {
    const drawn = this.#shown.get(layer.id);
    if (drawn) {
      for (const id of drawn) this.#map.setLayoutProperty(id, "visibility", "visible");
    } else {
      const tiles = await readTiles(layer.tiles);
      if (!tiles) {
        announce(this.#element, this.#config.words.baking);
        return;
      }
      this.#addSource(`data-${layer.id}`, tiles);
      const layers = dataLayers(layer, tiles, palette());
      for (const one of layers) this.#map.addLayer(one);
      this.#shown.set(layer.id, layers.map((one) => one.id));
    }
    this.#reflectLayer(layer.id, true);
  }

  #hide(key: string): void {
    for (const id of this.#shown.get(key) ?? []) this.#map.setLayoutProperty(id, "visibility", "none");
  }

  #bindPanel(): void {
    if (!this.#isTown) return;
    for (const box of document.querySelectorAll<HTMLInputElement>("[data-layer]")) {
      const layer = this.#config.layers.find((one) => one.id === box.dataset["layer"]);
      if (!layer) continue;
      box.checked = false;
      const swatch = box.parentElement?.querySelector(".swatch-dot > *");
      swatch?.setAttribute(swatch.hasAttribute("stroke") ? "stroke" : "fill", shade(layer.colour));
      box.addEventListener("change", () => {
        if (box.checked) void this.#show(layer).then(() => this.#remember());
        else {
          this.#hide(layer.id);
          this.#reflectLayer(layer.id, false);
          this.#remember();
        }
      });
    }
    for (const box of document.querySelectorAll<HTMLInputElement>("[data-base]")) {
      const key = `base:${box.dataset["base"] ?? ""}`;
      box.addEventListener("change", () => {
        for (const id of this.#shown.get(key) ?? [])
          this.#map.setLayoutProperty(id, "visibility", box.checked ? "visible" : "none");
      });
    }
    for (const range of document.querySelectorAll<HTMLInputElement>("[data-opacity]")) {
      range.addEventListener("input", () => this.#fade(range.dataset["opacity"] ?? "", Number(range.value) / 100));
    }
    for (const print of document.querySelectorAll<HTMLElement>('[data-act="print"]')) {
      print.hidden = false;
      print.addEventListener("click", () => window.print());
    }
  }

  #reflectLayer(id: string, on: boolean): void {
    const box = document.querySelector<HTMLInputElement>(`[data-layer="${CSS.escape(id)}"]`);
    if (!box) return;
    box.checked = on;
    const opacity = box.closest(".layer")?.querySelector<HTMLElement>(".opacity");
    if (opacity) opacity.hidden = !on;
  }

  #fade(id: string, share: number): void {
    const properties = { "-area": "fill-opacity", "-edge": "line-opacity", "-line": "line-opacity", "-point": "circle-opacity" } as const;
    for (const drawn of this.#shown.get(id) ?? []) {
      for (const [suffix, property] of Object.entries(properties)) {
        if (!drawn.endsWith(suffix)) continue;
        this.#map.setPaintProperty(drawn, property as (typeof properties)[keyof typeof properties], suffix === "-area" ? share * 0.35 : share);
      }
    }
  }

  #bindTools(): void {
    const frame = this.#element.parentElement;
    const tools = frame?.querySelector<HTMLElement>(".map-tools");
    if (!tools) return;
    tools.hidden = false;
    const acts: Record<string, () => void> = {
      in: () => this.#map.zoomIn({ animate: !this.#calm }),
      out: () => this.#map.zoomOut({ animate: !this.#calm }),
      north: () => this.#map.easeTo({ bearing: 0, animate: !this.#calm }),
      tilt: () => this.#map.easeTo({ pitch: this.#map.getPitch() > 5 ? 0 : TILT_DEG, animate: !this.#calm }),
      locate: () => this.#locate(),
    };
    for (const button of tools.querySelectorAll<HTMLButtonElement>("[data-act]")) {
      button.addEventListener("click", () => acts[button.dataset["act"] ?? ""]?.());
    }
    const needle = tools.querySelector<SVGElement>('[data-act="north"] svg');
    this.#map.on("rotate", () => needle?.style.setProperty("rotate", `${-this.#map.getBearing()}deg`));
    needle?.style.setProperty("rotate", `${-this.#map.getBearing()}deg`);
    this.#reflectTilt();
  }

  #reflectTilt(): void {
    const button = this.#element.parentElement?.querySelector('[data-act="tilt"]');
    button?.setAttribute("aria-pressed", String(this.#map.getPitch() > 5));
  }

  #locate(): void {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        this.#map.jumpTo({ center: [coords.longitude, coords.latitude], zoom: 16.5 });
        announce(this.#element, this.#config.words.located);
      },
      () => announce(this.#element, this.#config.words.notLocated),
      { timeout: 10_000, maximumAge: 60_000 },
    );
  }

  #remember(): void {
    if (!this.#isTown || this.#element.dataset["ready"] !== "yes") return;
    const { lng, lat } = this.#map.getCenter();
    const layers = this.#config.layers
      .map((one) => one.id)
      .filter((id) => (this.#shown.get(id) ?? []).some((drawn) => this.#map.getLayoutProperty(drawn, "visibility") !== "none"));
    const place = { lon: lng, lat, zoom: this.#map.getZoom(), bearing: this.#map.getBearing(), pitch: this.#map.getPitch(), layers };
    history.replaceState(null, "", writePlace(place));
  }

  /** Find what is under a point, data layers before the base, and read its sheet. */
  async #open(point: { x: number; y: number }): Promise<void> {
    const box: [PointLike, PointLike] = [
      [point.x - REACH_PX, point.y - REACH_PX],
      [point.x + REACH_PX, point.y + REACH_PX],
    ];
    const found = this.#map.queryRenderedFeatures(box).filter((feature) => feature.properties["_id"] !== undefined);
    const ranked = [...found].sort((a, b) => this.#rank(a) - this.#rank(b));
    const layers = new Map([...this.#config.base, ...this.#config.layers].map((one) => [one.id, one]));
    for (const feature of ranked) {
      const layer = layers.get(feature.source.replace(/^(?:data|base)-/, ""));
      if (layer) {
        await this.#sheet.open(`${layer.page}fiche/${encodeURIComponent(String(feature.properties["_id"]))}/`);
        return;
      }
    }
    if (this.#isTown) announce(this.#element, this.#config.words.nothing);
  }

  #rank(feature: MapGeoJSONFeature): number {
    const kind = feature.geometry.type.replace("Multi", "");
    return (feature.source.startsWith("data-") ? 0 : 10) + ["Point", "LineString", "Polygon"].indexOf(kind);
  }
}
