import type { GeoJSONSource, LayerSpecification, Map as MapLibre, ExpressionSpecification } from "maplibre-gl";
import type { OverlayConfig } from "./config";
import type { Deep } from "./deep";
import { shade, type Palette } from "./palette";
import { FONT } from "./style";

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

/** A live layer on the map: read when shown, read again on its rhythm or when the map moves. */
export class Overlay {
  readonly #map: MapLibre;
  readonly #config: OverlayConfig;
  readonly #source: string;
  #timer = 0;
  #shown = false;
  #deep: Deep | null = null;
  #url: string;

  constructor(map: MapLibre, config: OverlayConfig) {
    this.#map = map;
    this.#config = config;
    this.#source = `live-${config.id}`;
    this.#url = config.url;
    // The page may ask for another hour, another mode (see `behaviours/refreshes.ts`).
    document.addEventListener("beffroi:overlay", (event) => {
      const { id, url } = (event as CustomEvent<{ id?: string; url?: string }>).detail;
      if (id !== config.id || !url) return;
      this.#url = url;
      void this.#read();
    });
  }

  get isShown(): boolean {
    return this.#shown;
  }

  /** Show it; also after the style of the map was changed, which forgets all. */
  async show(colours: Palette): Promise<void> {
    this.#shown = true;
    if (!this.#map.getSource(this.#source)) {
      this.#map.addSource(this.#source, { type: "geojson", data: EMPTY });
      for (const layer of overlayLayers(this.#config, this.#source, colours)) this.#map.addLayer(layer);
      if (this.#config.byBox) this.#map.on("moveend", this.#read);
      if (this.#config.deep) {
        const { Deep } = await import("./deep");
        this.#deep ??= new Deep(this.#map, `${this.#source}-deep`);
        this.#deep.marks = new Map(this.#config.marks.map(([value, , colour]) => [value, shade(colour, colours.dark)]));
        if (this.#map.getSource(this.#source) && !this.#map.getLayer(this.#deep.id)) this.#map.addLayer(this.#deep);
      }
    }
    if (this.#config.refreshS && !this.#timer) this.#timer = window.setInterval(this.#read, this.#config.refreshS * 1000);
    await this.#read();
  }

  hide(): void {
    this.#shown = false;
    window.clearInterval(this.#timer);
    this.#timer = 0;
    this.#map.off("moveend", this.#read);
    if (this.#deep && this.#map.getLayer(this.#deep.id)) this.#map.removeLayer(this.#deep.id);
    for (const { id } of overlayLayers(this.#config, this.#source)) if (this.#map.getLayer(id)) this.#map.removeLayer(id);
    if (this.#map.getSource(this.#source)) this.#map.removeSource(this.#source);
  }

  readonly #read = async (): Promise<void> => {
    if (!this.#shown || document.hidden) return;
    const url = new URL(this.#url, location.href);
    if (this.#config.byBox) url.searchParams.set("bbox", this.#map.getBounds().toArray().flat().join(","));
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) return;
    const data = (await response.json()) as GeoJSON.FeatureCollection;
    // The layer may have been switched off meanwhile.
    this.#map.getSource<GeoJSONSource>(this.#source)?.setData(data);
    this.#deep?.fill(data, this.#config.property);
  };
}

/** The colour of a thing that has its own (`colour`, and `colour_dark` for dark maps), else that of its mark. */
function colourOf(config: OverlayConfig, dark: boolean): ExpressionSpecification {
  const own = ["get", dark ? "colour_dark" : "colour"];
  return ["coalesce", own, markColour(config, dark)] as unknown as ExpressionSpecification;
}

function markColour(config: OverlayConfig, dark: boolean): ExpressionSpecification | string {
  const other = config.marks.find(([value]) => value === "") ?? config.marks[0];
  const fallback = shade(other?.[2] ?? "#4a5568", dark);
  const named = config.marks.filter(([value]) => value !== "");
  if (!config.property || !named.length) return fallback;
  const pairs = named.flatMap(([value, , colour]) => [value, shade(colour, dark)]);
  return ["match", ["to-string", ["get", config.property]], ...pairs, fallback] as unknown as ExpressionSpecification;
}

/**
 * Volumes where a thing has a `height_m`, areas, lines, points, and the `title` of each once near. A `hollow` thing is
 * not known as the others are: an empty disc, a dashed line. A `size` makes a disc larger or smaller than usual.
 */
function overlayLayers(config: OverlayConfig, source: string, colours?: Palette): LayerSpecification[] {
  const colour = colourOf(config, colours?.dark ?? false);
  const only = (kind: string): ExpressionSpecification => ["==", ["geometry-type"], kind];
  const halo = colours?.halo ?? "#ffffff";
  const hollow: ExpressionSpecification = ["has", "hollow"];
  const size: ExpressionSpecification = ["to-number", ["get", "size"], 1];
  const width: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 11, 2, 18, config.deep ? 3 : 8];
  return [
    { id: `${source}-area`, type: "fill", source, filter: only("Polygon"), paint: { "fill-color": colour, "fill-opacity": ["case", ["has", "label"], 0.6, 0.35] } },
    {
      id: `${source}-volume`,
      type: "fill-extrusion",
      source,
      filter: ["all", only("Polygon"), ["has", "height_m"]],
      paint: {
        "fill-extrusion-color": colour,
        "fill-extrusion-height": ["to-number", ["get", "height_m"], 0],
        "fill-extrusion-base": ["to-number", ["get", "base_m"], 0],
        "fill-extrusion-opacity": 0.8,
      },
    },
    { id: `${source}-edge`, type: "line", source, filter: only("Polygon"), paint: { "line-color": colour, "line-width": 2 } },
    {
      id: `${source}-line`,
      type: "line",
      source,
      filter: ["all", only("LineString"), ["!", hollow]],
      layout: { "line-cap": "round", "line-join": "round" },
      // What is drawn below the ground leaves only its trace on it.
      paint: {
        "line-color": colour,
        "line-width": width,
        "line-opacity": config.deep ? ["interpolate", ["linear"], ["zoom"], 15, 0.9, 17, 0.3] : 1,
      },
    },
    {
      id: `${source}-dashed`,
      type: "line",
      source,
      filter: ["all", only("LineString"), hollow],
      paint: { "line-color": colour, "line-width": ["interpolate", ["linear"], ["zoom"], 11, ["*", 2, size], 18, ["*", 5, size]], "line-dasharray": [2, 1.6] },
    },
    {
      id: `${source}-point`,
      type: "circle",
      source,
      filter: only("Point"),
      paint: {
        "circle-color": ["case", hollow, halo, colour],
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, ["*", 4, size], 18, ["*", 11, size]],
        "circle-stroke-color": ["case", hollow, colour, halo],
        "circle-stroke-width": 2,
      },
    },
    {
      id: `${source}-title`,
      type: "symbol",
      source,
      // What has a label of its own is told by it; a title waits until one is near.
      filter: ["any", ["has", "label"], [">=", ["zoom"], config.deep ? 18.5 : 15.5]],
      layout: {
        "text-field": ["to-string", ["coalesce", ["get", "label"], ["get", "title"], ""]],
        "text-font": [FONT],
        "text-size": 13,
        "text-anchor": "top",
        "text-offset": [0, 0.9],
        "text-max-width": 14,
      },
      paint: { "text-color": colours?.text ?? "#000000", "text-halo-color": halo, "text-halo-width": 1.6 },
    },
  ];
}
