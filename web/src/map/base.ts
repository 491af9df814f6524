import { Map as MapLibre, setWorkerUrl, type LngLatBoundsLike, type MapOptions, type RasterDEMSourceSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { BaseRole, KnownTiles, MapConfig, TerrainConfig } from "./config";
import type { Palette } from "./palette";
import { baseLayers, baseNames, emptyStyle, hatchColours, hatchOf, namesLayer } from "./style";

setWorkerUrl(workerUrl);

const MOST_PIXELS = 2;

export const isCalm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Say something where a screen reader hears it and the eye sees it. */
export function announce(element: HTMLElement, text: string, quiet = false): void {
  const status = element.parentElement?.querySelector<HTMLElement>(".map-status");
  if (!status) return;
  status.textContent = text;
  status.toggleAttribute("data-quiet", quiet);
}

/** Make an empty map on the ground colour, with the manners every map here has. */
export function openMap(element: HTMLElement, config: MapConfig, colours: Palette, options: Partial<MapOptions>): MapLibre {
  const { words } = config;
  return new MapLibre({
    container: element,
    style: emptyStyle(colours, config.font),
    bounds: config.bbox as LngLatBoundsLike,
    maxPitch: 70,
    attributionControl: false,
    locale: {
      "Map.Title": words["map"] ?? "",
      "CooperativeGesturesHandler.WindowsHelpText": words["wheel"] ?? "",
      "CooperativeGesturesHandler.MacHelpText": words["wheelMac"] ?? "",
      "CooperativeGesturesHandler.MobileHelpText": words["fingers"] ?? "",
    },
    fadeDuration: isCalm() ? 0 : 200,
    // Beyond twice, the eye sees no difference and a phone draws twice as many pixels.
    pixelRatio: Math.min(window.devicePixelRatio, MOST_PIXELS),
    ...options,
  });
}

export function addTiles(map: MapLibre, id: string, tiles: KnownTiles, named = false): void {
  if (map.getSource(id)) return;
  // MapLibre fills in {z}/{x}/{y} itself: they must not be escaped.
  const open = new URL(tiles.url, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  const { min: minzoom, max: maxzoom, bounds } = tiles;
  map.addSource(id, { type: "vector", tiles: [open], minzoom, maxzoom, ...(bounds ? { bounds } : {}), ...(named ? { promoteId: "_id" } : {}) });
}

/** A thin line over a whole town asks for no finer tiles, to the nearest two metres: it would only multiply them. */
const FINEST: Partial<Record<BaseRole, number>> = { limit: 13, districts: 12 };

const TERRAIN = "terrain";
/** Slopes are shaded over the land and under all that lies on it. */
const OVER_SLOPES = ["base-water", "base-waterways", "base-streets-edge", "base-rails", "base-limit", "base-buildings"];

/** Shade the slopes, where the relief is known and the style shows it. */
export function drawSlopes(map: MapLibre, config: MapConfig, colours: Palette): void {
  if (!config.terrain || !colours.slopes) return;
  const over = OVER_SLOPES.find((id) => map.getLayer(id));
  map.addSource("slopes", demSource(config.terrain));
  map.addLayer(
    {
      id: "slopes",
      type: "hillshade",
      source: "slopes",
      paint: {
        "hillshade-shadow-color": colours.slopeShade,
        "hillshade-highlight-color": colours.slopeLight,
        "hillshade-accent-color": colours.slopeShade,
        "hillshade-exaggeration": colours.slopes,
      },
    },
    over,
  );
}

/** Raise the ground to its heights, or lay it flat. Slopes are shaded from tiles of their own: sharing would blur them. */
export function raiseGround(map: MapLibre, config: MapConfig, on: boolean): void {
  if (!config.terrain) return;
  if (!on) {
    map.setTerrain(null);
    return;
  }
  if (!map.getSource(TERRAIN)) map.addSource(TERRAIN, demSource(config.terrain));
  map.setTerrain({ source: TERRAIN, exaggeration: 1 });
}

function demSource({ url, min, max, bbox }: TerrainConfig): RasterDEMSourceSpecification {
  const tiles = [new URL(url, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}")];
  return { type: "raster-dem", tiles, minzoom: min, maxzoom: max, bounds: bbox, tileSize: 256, encoding: "mapbox" };
}

const HATCH_PX = 16;

/** Give the map a pattern: white stripes across a colour, that meet from one tile of it to the next. */
function addHatch(map: MapLibre, colour: string): void {
  if (map.hasImage(hatchOf(colour))) return;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = HATCH_PX;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.fillStyle = colour;
  pen.fillRect(0, 0, HATCH_PX, HATCH_PX);
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = 4;
  for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
    pen.beginPath();
    pen.moveTo(shift - 2, HATCH_PX + 2);
    pen.lineTo(shift + HATCH_PX + 2, -2);
    pen.stroke();
  }
  map.addImage(hatchOf(colour), pen.getImageData(0, 0, HATCH_PX, HATCH_PX));
}

/** Draw the base map, from the bottom up, its names aside; return the layers drawn for each dataset. */
export function drawBase(map: MapLibre, config: MapConfig, colours: Palette): Map<string, string[]> {
  const drawn = new Map<string, string[]>();
  for (const colour of hatchColours(config.paint, colours.dark)) addHatch(map, colour);
  for (const base of config.base) {
    // Blocks are told apart one by one where some give way to real roofs.
    const someGiveWay = base.role === "buildings" && (config.volumes ?? []).length > 0;
    const max = Math.min(base.known.max, FINEST[base.role] ?? Infinity);
    addTiles(map, `base-${base.id}`, { ...base.known, max }, someGiveWay);
    const layers = baseLayers(base, colours, someGiveWay, config.paint);
    for (const layer of layers) map.addLayer(layer);
    drawn.set(base.id, [...(drawn.get(base.id) ?? []), ...layers.map((layer) => layer.id)]);
  }
  return drawn;
}

/** Write the names of streets and districts over all that is drawn: letters cost more than lines, a first view does without. */
export function drawNames(map: MapLibre, config: MapConfig, colours: Palette): void {
  for (const base of config.base) for (const layer of baseNames(base, colours)) map.addLayer(layer);
  if (config.names.length) {
    const features = config.names.map(([name, lon, lat]) => ({
      type: "Feature" as const,
      properties: { name },
      geometry: { type: "Point" as const, coordinates: [lon, lat] },
    }));
    map.addSource("names", { type: "geojson", data: { type: "FeatureCollection", features } });
    map.addLayer(namesLayer(colours));
  }
}

/** Go where the device is, and say that its position is neither sent nor kept. */
export function locate(element: HTMLElement, config: MapConfig, then: (lon: number, lat: number) => void): void {
  const refused = (): void => announce(element, config.words["notLocated"] ?? "");
  if (!("geolocation" in navigator)) return refused();
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      then(coords.longitude, coords.latitude);
      announce(element, config.words["located"] ?? "");
    },
    refused,
    { timeout: 10_000, maximumAge: 60_000, enableHighAccuracy: true },
  );
}
