import type { Map as MapLibre, MapGeoJSONFeature, PointLike } from "maplibre-gl";
import { addTiles, announce, drawBase, drawNames, drawSlopes, locate, openMap, raiseGround } from "./base";
import { readConfig, readTiles, type KnownTiles, type LayerConfig, type MapConfig, type OverlayConfig } from "./config";
import { Edits } from "./edits";
import { Overlay } from "./overlays";
import { palette, shade, styleOfPage, type Palette, type StyleName } from "./palette";
import { bindPanel } from "./panel";
import { readPlace, writePlace, type Place } from "./permalink";
import { showScale } from "./scale";
import { iconLayer } from "./look";
import { SheetPanel, type Found } from "./sheet";
import { areaOpacity, dataLayers, GIVES_WAY, nameField, tintsOf } from "./style";
import { sync } from "./sync";
import { bindTools } from "./tools";
import type { Volumes } from "./volumes";

const REACH_PX = 6;
const MOST_FOUND = 12;
/** Once the map rests so long, its address is written: in the middle of a journey, that would slow it. */
const REST_MS = 200;
const OPACITIES = { fill: "fill-opacity", line: "line-opacity", circle: "circle-opacity" } as const;

/** A data layer as this map shows it. */
interface Shown {
  config: LayerConfig;
  tiles: KnownTiles | null;
  drawn: string[];
  opacity: number;
  on: boolean;
}

/** One map on a page: the base, the data layers, the live ones, the controls around it. */
export class TownMap {
  readonly element: HTMLElement;
  readonly config: MapConfig;
  readonly map: MapLibre;
  /** The map of the whole town, whose address says what it shows; else a small map within a page. */
  readonly isTown: boolean;
  readonly overlays: Map<string, Overlay>;
  /** Kept once all that was on at first is drawn. */
  readonly ready: Promise<void>;
  #tellReady: () => void = () => undefined;
  readonly #sheet: SheetPanel;
  readonly #edits: Edits | null;
  readonly #layers: Map<string, Shown>;
  #base = new Map<string, string[]>();
  readonly #hiddenBase: Set<string>;
  #style: StyleName;
  #raised: boolean;
  #busy = false;
  /** How often all was drawn: what an earlier drawing left for later is dropped. */
  #drawings = 0;
  #volumes: Volumes | null = null;

  constructor(element: HTMLElement, config: MapConfig) {
    this.element = element;
    this.config = config;
    this.isTown = "town" in element.dataset;
    const place = this.isTown ? readPlace(location.hash) : {};
    this.#style = place.style ?? styleOfPage();
    this.#raised = place.raised ?? false;
    this.#hiddenBase = new Set(place.hidden);
    this.map = openMap(element, config, palette(this.#style), {
      fitBoundsOptions: { padding: 24 },
      // A single finger scrolls the page on a dataset's page; the town's map takes the screen.
      cooperativeGestures: !this.isTown,
    });
    this.overlays = new Map((config.overlays ?? []).map((one) => [one.id, new Overlay(this.map, one)]));
    const opacities = new Map(place.layers ?? []);
    this.#layers = new Map(
      config.layers.map((one) => [
        one.id,
        { config: one, tiles: null, drawn: [], opacity: opacities.get(one.id) ?? 1, on: place.layers ? opacities.has(one.id) : one.shown },
      ]),
    );
    const tiles = [...config.layers, ...config.base].map((one): [string, string] => [one.id, one.tiles]);
    this.#edits = config.edits ? new Edits(this.map, config.edits, new Map(tiles)) : null;
    this.ready = new Promise((tell) => (this.#tellReady = tell));
    this.#look(place);
    this.#sheet = new SheetPanel(config.words);
  }

  #look(place: Partial<Place>): void {
    if (place.lon !== undefined && place.lat !== undefined) {
      const { lon, lat, zoom = 15, bearing = 0, pitch = 0 } = place;
      this.map.jumpTo({ center: [lon, lat], zoom, bearing, pitch });
    } else if (this.config.pitch) {
      // The middle of the town, near enough for its buildings to stand.
      const [west, south, east, north] = this.config.bbox;
      const zoom = Math.max(this.map.getZoom() + 0.6, 14.2);
      this.map.jumpTo({ zoom, center: [(west + east) / 2, (south + north) / 2], pitch: this.config.pitch, bearing: -18 });
    }
  }

  start(): void {
    const live = this.isTown ? readPlace(location.hash).live : undefined;
    this.map.once("load", () => void this.#fill(live ?? (this.config.overlays ?? []).filter((one) => one.shown).map((one) => one.id)));
    this.map.on("click", (event) => {
      if (!this.#busy) void this.#open(event.point);
    });
    let resting = 0;
    this.map.on("moveend", () => {
      window.clearTimeout(resting);
      resting = window.setTimeout(() => this.remember(), REST_MS);
    });
    bindTools(this.map, this.element.parentElement ?? this.element, {
      locate: () => locate(this.element, this.config, (lon, lat) => this.map.jumpTo({ center: [lon, lat], zoom: 16.5 })),
      measure: () => void this.#measure(),
      unmeasure: () => void import("./measure").then(({ dropCorner }) => dropCorner()),
      help: () => document.querySelector<HTMLDialogElement>("#aide-carte")?.showModal(),
    });
    this.map.once("load", () => this.#edits?.start());
    if ("sync" in this.element.dataset) sync(this.map);
    for (const mark of document.querySelectorAll("[data-shade]")) mark.setAttribute(mark.hasAttribute("stroke") ? "stroke" : "fill", shade(mark.getAttribute("data-shade") ?? ""));
    this.#paintLegend();
    if (!this.isTown) return;
    bindPanel(this);
    showScale(this.map, this.element, this.config.language);
    this.map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || this.#busy) return;
      event.preventDefault();
      void this.#open(this.map.project(this.map.getCenter()));
    });
  }

  /** Draw all that is on: at first, and again when the style has changed. */
  async #fill(live: string[]): Promise<void> {
    const colours = palette(this.#style);
    const drawing = ++this.#drawings;
    this.#base = drawBase(this.map, this.config, colours);
    for (const id of this.#hiddenBase) this.showBase(id, false);
    for (const layer of this.#layers.values()) {
      layer.drawn = [];
      if (layer.on) await this.showLayer(layer.config.id, true);
    }
    for (const id of live) await this.overlays.get(id)?.show(colours);
    if (this.#raised) raiseGround(this.map, this.config, true);
    this.map.once("idle", () => {
      if (drawing !== this.#drawings) return;
      this.element.dataset["view"] = "yes";
      this.#finish(colours, drawing);
    });
    this.map.triggerRepaint();
  }

  /** Draw what the first view does without: names, and the shade of slopes. */
  #finish(colours: Palette, drawing: number): void {
    drawNames(this.map, this.config, colours);
    drawSlopes(this.map, this.config, colours);
    this.map.once("idle", () => {
      if (drawing !== this.#drawings) return;
      void this.#standVolumes(colours, drawing);
      this.element.dataset["ready"] = "yes";
      this.#edits?.apply();
      this.#tellReady();
      announce(this.element, this.config.words["ready"] ?? "", true);
    });
    this.map.triggerRepaint();
  }

  /** Stand the real roofs among the blocks, once all else is there; their code is read where some are. */
  async #standVolumes(colours: Palette, drawing: number): Promise<void> {
    const sources = this.config.volumes ?? [];
    if (!sources.length) return;
    const { Volumes } = await import("./volumes");
    if (drawing !== this.#drawings) return;
    this.#volumes?.paint(colours);
    this.#volumes ??= new Volumes(this.map, sources, colours, (ids) => this.#giveWay(ids));
    const firstName = this.map.getStyle().layers.find(({ type }) => type === "symbol")?.id;
    if (!this.map.getLayer(this.#volumes.id)) this.map.addLayer(this.#volumes, firstName);
    const blocks = this.config.base.find(({ role }) => role === "buildings")?.id ?? "";
    this.#base.get(blocks)?.push(this.#volumes.id);
    if (this.#hiddenBase.has(blocks)) this.showBase(blocks, false);
    this.element.dataset["volumes"] = "yes";
  }

  #giveWay(ids: string[]): void {
    const blocks = this.config.base.find(({ role }) => role === "buildings");
    if (!blocks) return;
    for (const id of ids) this.map.setFeatureState({ source: `base-${blocks.id}`, sourceLayer: "data", id }, { [GIVES_WAY]: true });
  }

  /** Draw the legend of the buildings in the colours of the style the map has. */
  #paintLegend(): void {
    const { paint } = this.config;
    if (!paint) return;
    const tints = tintsOf(paint, palette(this.#style).dark);
    for (const mark of document.querySelectorAll<SVGElement>("[data-paint]")) mark.setAttribute("fill", tints[Number(mark.dataset["paint"])] ?? "");
  }

  get style(): StyleName {
    return this.#style;
  }

  get isRaised(): boolean {
    return this.#raised;
  }

  raise(on: boolean): void {
    this.#raised = on;
    raiseGround(this.map, this.config, on);
    this.remember();
  }

  restyle(style: StyleName): void {
    // All that is drawn is taken down: a measure ends, instead of going on unseen.
    if (this.#busy) void this.#measure();
    this.#style = style;
    this.#paintLegend();
    const live = this.#live();
    this.map.setTerrain(null);
    this.#edits?.forget();
    for (const id of live) this.overlays.get(id)?.hide();
    const { layers, sources } = this.map.getStyle();
    // A layer drawn by our own code is not told with the style.
    if (this.#volumes && this.map.getLayer(this.#volumes.id)) this.map.removeLayer(this.#volumes.id);
    for (const { id, type } of layers) if (type !== "background") this.map.removeLayer(id);
    for (const id of Object.keys(sources)) this.map.removeSource(id);
    this.map.setPaintProperty("ground", "background-color", palette(style).ground);
    void this.#fill(live).then(() => this.remember());
  }

  isOn(id: string): boolean {
    return this.#layers.get(id)?.on ?? false;
  }

  isBaseShown(id: string): boolean {
    return !this.#hiddenBase.has(id);
  }

  opacity(id: string): number {
    return this.#layers.get(id)?.opacity ?? 1;
  }

  /** The data layers that are on, as the legend of a printed page lists them. */
  get shownLayers(): LayerConfig[] {
    return [...this.#layers.values()].filter((layer) => layer.on).map((layer) => layer.config);
  }

  /** The live layers that are on, for the same legend. */
  get shownLive(): OverlayConfig[] {
    return this.config.overlays.filter(({ id }) => this.overlays.get(id)?.isShown);
  }

  /** Show or hide a data layer; its tiles are asked for the first time it is shown. */
  async showLayer(id: string, on: boolean): Promise<void> {
    const layer = this.#layers.get(id);
    if (!layer) return;
    layer.on = on;
    if (on && !layer.drawn.length) {
      layer.tiles ??= await readTiles(layer.config.tiles);
      if (!layer.tiles) {
        layer.on = false;
        announce(this.element, this.config.words["baking"] ?? "");
        return;
      }
      addTiles(this.map, `data-${id}`, layer.tiles);
      const icons = iconLayer(this.map, layer.config, { source: `data-${id}`, "source-layer": "data" });
      const drawn = [...dataLayers(layer.config, palette(this.#style)), ...(icons ? [icons] : [])];
      for (const one of drawn) if (!this.map.getLayer(one.id)) this.map.addLayer(one);
      layer.drawn = drawn.map((one) => one.id);
      this.fade(id, layer.opacity);
    }
    for (const drawn of layer.drawn) this.map.setLayoutProperty(drawn, "visibility", layer.on ? "visible" : "none");
    this.#edits?.apply();
  }

  async showLive(id: string, on: boolean): Promise<void> {
    const overlay = this.overlays.get(id);
    if (on) await overlay?.show(palette(this.#style));
    else overlay?.hide();
  }

  showBase(id: string, on: boolean): void {
    if (on) this.#hiddenBase.delete(id);
    else this.#hiddenBase.add(id);
    for (const drawn of this.#base.get(id) ?? []) this.map.setLayoutProperty(drawn, "visibility", on ? "visible" : "none");
    this.#edits?.apply();
  }

  fade(id: string, share: number): void {
    const layer = this.#layers.get(id);
    if (!layer) return;
    layer.opacity = share;
    for (const drawn of layer.drawn) {
      const type = this.map.getLayer(drawn)?.type;
      if (type !== "fill" && type !== "line" && type !== "circle") continue;
      this.map.setPaintProperty(drawn, OPACITIES[type], type === "fill" ? areaOpacity(layer.config, share) : share);
    }
  }

  #live(): string[] {
    return [...this.overlays].filter(([, overlay]) => overlay.isShown).map(([id]) => id);
  }

  /** Keep in the address what the map shows, and lead the list to the same place. */
  remember(): void {
    if (!this.isTown || this.element.dataset["ready"] !== "yes") return;
    const { lng, lat } = this.map.getCenter();
    const on = [...this.#layers.values()].filter((layer) => layer.on);
    const place: Place = {
      lon: lng,
      lat,
      zoom: this.map.getZoom(),
      bearing: this.map.getBearing(),
      pitch: this.map.getPitch(),
      layers: on.map((layer) => [layer.config.id, layer.opacity]),
      live: this.#live(),
      style: this.#style,
      raised: this.#raised,
      hidden: [...this.#hiddenBase],
    };
    const shownAtFirst = (ones: { id: string; shown: boolean }[]): string[] => ones.filter(({ shown }) => shown).map(({ id }) => id);
    const usual = { style: styleOfPage(), layers: shownAtFirst(this.config.layers), live: shownAtFirst(this.config.overlays) };
    history.replaceState(null, "", writePlace(place, usual));
    for (const field of document.querySelectorAll<HTMLTextAreaElement>("[data-embed]")) {
      const address = field.dataset["embed"] ?? "";
      field.value = field.value.replace(/src="[^"]*"/, `src="${address}${location.hash}"`);
    }
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-list]")) {
      const url = new URL(link.href);
      url.searchParams.set("bbox", this.map.getBounds().toArray().flat().map((one) => one.toFixed(5)).join(","));
      if (on[0]) url.searchParams.set("couche", on[0].config.id);
      else url.searchParams.delete("couche");
      link.href = url.href;
    }
  }

  async #measure(): Promise<void> {
    const button = this.element.parentElement?.querySelector('[data-act="measure"]');
    const { toggleMeasure } = await import("./measure");
    this.#busy = toggleMeasure(this.map, this.element, this.config, palette(this.#style));
    button?.setAttribute("aria-pressed", String(this.#busy));
    const undo = this.element.parentElement?.querySelector<HTMLElement>('[data-act="unmeasure"]');
    if (undo) undo.hidden = !this.#busy;
  }

  /** The page of all that is known where the map was touched. */
  #here(point: { x: number; y: number }): string {
    if (!this.config.here) return "";
    const { lng, lat } = this.map.unproject([point.x, point.y]);
    return `${this.config.here}?${new URLSearchParams({ lat: lat.toFixed(5), lon: lng.toFixed(5) })}`;
  }

  /** Find what is under a point, data before the base, and read its sheet; offer a choice among several. */
  async #open(point: { x: number; y: number }): Promise<void> {
    const box: [PointLike, PointLike] = [
      [point.x - REACH_PX, point.y - REACH_PX],
      [point.x + REACH_PX, point.y + REACH_PX],
    ];
    const rendered = this.map.queryRenderedFeatures(box);
    const data = this.#found(rendered.filter(({ source }) => !source.startsWith("base-")));
    const roof = this.#volumes?.under(point);
    const found = data.length ? data : roof ? [{ layer: "", name: "", url: roof }] : this.#found(rendered).slice(0, 1);
    const [first] = found;
    const here = this.#here(point);
    if (this.isTown) announce(this.element, first ? "" : (this.config.words["nothing"] ?? ""));
    if (found.length > 1) this.#sheet.offer(found, here);
    else if (first) await this.#sheet.open(first.url, here);
    else if (here) this.#sheet.leadOn(here);
  }

  /** The things drawn, points before lines before areas, each once. */
  #found(rendered: MapGeoJSONFeature[]): Found[] {
    const order = (feature: MapGeoJSONFeature): number =>
      ["Point", "LineString", "Polygon"].indexOf(feature.geometry.type.replace("Multi", ""));
    const found = new Map<string, Found>();
    for (const feature of [...rendered].sort((a, b) => order(a) - order(b))) {
      const one = feature.source.startsWith("live-") ? this.#liveThing(feature) : this.#thing(feature);
      if (one && !found.has(one.url)) found.set(one.url, one);
    }
    return [...found.values()].slice(0, MOST_FOUND);
  }

  #liveThing({ source, properties }: MapGeoJSONFeature): Found | null {
    const overlay = this.config.overlays.find((one) => `live-${one.id}` === source);
    if (!overlay || typeof properties["url"] !== "string") return null;
    return { layer: overlay.title, name: String(properties["title"] ?? ""), url: properties["url"] };
  }

  #thing({ source, properties }: MapGeoJSONFeature): Found | null {
    const id = source.replace(/^(?:data|base|edits)-/, "");
    const layer = this.#layers.get(id)?.config ?? this.config.base.find((one) => one.id === id);
    if (!layer || properties["_id"] === undefined) return null;
    const key = String(properties["_id"]);
    const named = nameField({ url: "", min: 0, max: 0, fields: Object.keys(properties) });
    const name = named ? String(properties[named]) : key;
    return { layer: layer.title, name, url: `${layer.page}fiche/${encodeURIComponent(key)}/${layer.suffix}` };
  }
}

/** Show a map, or say that this device cannot: the list says the same. */
export function showTown(element: HTMLElement): TownMap | null {
  const config = readConfig(element);
  announce(element, config.words["loading"] ?? "");
  try {
    const town = new TownMap(element, config);
    town.start();
    return town;
  } catch {
    announce(element, config.words["failed"] ?? "");
    return null;
  }
}
