/** What the server says of the map, in the `data-map` attribute (see `faces/portal/mapping.py`). */
export interface LayerConfig {
  id: string;
  title: string;
  /** Address of the TileJSON of the version shown. */
  tiles: string;
  geometry: string;
  colour: string;
  /** Address of the dataset's page; its sheets are under `fiche/`. */
  page: string;
  shown: boolean;
}

export type BaseRole = "limit" | "fields" | "green" | "water" | "waterways" | "streets" | "rails" | "buildings" | "districts";

export interface BaseConfig extends LayerConfig {
  role: BaseRole;
}

export interface Words {
  loading: string;
  ready: string;
  failed: string;
  reading: string;
  unreadable: string;
  nothing: string;
  located: string;
  notLocated: string;
  baking: string;
  wheel: string;
  wheelMac: string;
  fingers: string;
  map: string;
}

export interface MapConfig {
  font: string;
  bbox: [west: number, south: number, east: number, north: number];
  pitch: number;
  base: BaseConfig[];
  layers: LayerConfig[];
  /** Names of districts, each with the point it is written at: tiles would repeat them on every piece. */
  names: [name: string, lon: number, lat: number][];
  words: Words;
}

export function readConfig(element: HTMLElement): MapConfig {
  return JSON.parse(element.dataset["map"] ?? "{}") as MapConfig;
}

/** The part of a TileJSON that is used here. `fields` names the attributes that tiles carry. */
export interface TileJson {
  tiles: string[];
  minzoom: number;
  maxzoom: number;
  vector_layers: { id: string; fields: Record<string, string> }[];
}

/** Read a TileJSON; null while the tiles of the version are being baked, or when there are none. */
export async function readTiles(url: string): Promise<TileJson | null> {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) return null;
  const tiles = (await response.json()) as TileJson;
  return tiles.tiles?.length && tiles.vector_layers?.length ? tiles : null;
}
