import type { FilterSpecification, GeoJSONSource, LayerSpecification, Map as MapLibre } from "maplibre-gl";

/** What was corrected since the tiles of a dataset were baked: see `faces/portal/laid.py`. */
interface Laid {
  version: string;
  hidden: string[];
  features: GeoJSON.Feature[];
}

const BUSY_MS = 700;
/** Once nobody has touched the page for a while, or on a device that saves data. */
const CALM_MS = 5_000;
const CALM_AFTER_MS = 600_000;
const DRAWN = /^(?:data|base)-(.+)$/;

/** Keeps a map true between two bakes: hides what was changed or removed, draws what was changed or added. */
export class Edits {
  readonly #map: MapLibre;
  readonly #url: string;
  /** The address of the tiles of each dataset: edits are laid over one version alone. */
  readonly #versions: ReadonlyMap<string, string>;
  readonly #filters = new Map<string, FilterSpecification | undefined>();
  #mark = "";
  #laid: Record<string, Laid> = {};
  #touched = Date.now();

  constructor(map: MapLibre, url: string, versions: ReadonlyMap<string, string>) {
    this.#map = map;
    this.#url = url;
    this.#versions = versions;
  }

  start(): void {
    for (const kind of ["pointerdown", "keydown", "wheel"] as const) {
      document.addEventListener(kind, () => (this.#touched = Date.now()), { passive: true });
    }
    void this.#ask();
  }

  async #ask(): Promise<void> {
    let answered = true;
    if (!document.hidden && navigator.onLine) answered = await this.#read();
    const saves = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData ?? false;
    const calm = !answered || saves || Date.now() - this.#touched > CALM_AFTER_MS;
    window.setTimeout(() => void this.#ask(), calm ? CALM_MS : BUSY_MS);
  }

  async #read(): Promise<boolean> {
    try {
      const response = await fetch(`${this.#url}?depuis=${this.#mark}`, { credentials: "same-origin" });
      if (response.status === 204) return true;
      if (!response.ok) return false;
      const told = (await response.json()) as { mark: string; layers: Record<string, Laid> };
      this.#mark = told.mark;
      this.#laid = told.layers;
      this.apply();
      return true;
    } catch {
      // The network went away: asked again later.
      return false;
    }
  }

  /** Lay what is known over what is drawn; again whenever a layer was drawn, hidden or shown. */
  apply(): void {
    for (const layer of this.#map.getStyle().layers) {
      const id = "source" in layer ? DRAWN.exec(layer.source)?.[1] : undefined;
      if (id !== undefined) this.#lay(layer, id, this.#current(id));
    }
  }

  #current(id: string): Laid | undefined {
    const laid = this.#laid[id];
    return laid && this.#versions.get(id)?.includes(laid.version) ? laid : undefined;
  }

  #lay(layer: LayerSpecification, id: string, laid: Laid | undefined): void {
    const source = `edits-${id}`;
    const copy = `${layer.id}-edits`;
    if (!laid && !this.#filters.has(layer.id)) return;
    const filter = "filter" in layer ? layer.filter : undefined;
    if (!this.#filters.has(layer.id)) this.#filters.set(layer.id, filter as FilterSpecification | undefined);
    const own = this.#filters.get(layer.id);
    const shown = ["!", ["in", ["to-string", ["get", "_id"]], ["literal", laid?.hidden ?? []]]];
    this.#map.setFilter(layer.id, (own ? ["all", own, shown] : shown) as unknown as FilterSpecification);
    const features = (laid?.features ?? []).map((one) => ({ ...one, properties: { ...one.properties, _id: String(one.id) } }));
    const data: GeoJSON.FeatureCollection = { type: "FeatureCollection", features };
    const held = this.#map.getSource<GeoJSONSource>(source);
    if (held) held.setData(data);
    else this.#map.addSource(source, { type: "geojson", data });
    if (!this.#map.getLayer(copy)) {
      const { "source-layer": _tiles, filter: _laid, minzoom: _low, ...like } = layer as LayerSpecification & Record<string, unknown>;
      this.#map.addLayer({ ...like, id: copy, source, ...(own ? { filter: own } : {}) } as LayerSpecification);
    }
    const visibility = (this.#map.getLayoutProperty(layer.id, "visibility") as "visible" | "none" | undefined) ?? "visible";
    this.#map.setLayoutProperty(copy, "visibility", visibility);
  }

  /** Forget what was drawn: the style of the map was changed. */
  forget(): void {
    this.#filters.clear();
  }
}
