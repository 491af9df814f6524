/** What the server says of the map, in the `data-map` attribute (see `faces/portal/mapping.py`). */
export interface LayerConfig {
  id: string;
  title: string;
  /** Address of the TileJSON of the version shown. */
  tiles: string;
  geometry: string;
  rows: number;
  colour: string;
  /** Address of the dataset's page; its sheets are under `fiche/`. */
  page: string;
  shown: boolean;
  /** Who made it and of when it is. */
  source: string;
  /** `?version=…` when an earlier version is shown, `?usage=…` when a service tells of it: for its sheets. */
  suffix: string;
  look?: LookConfig | null;
  /** What a service keeps of its things: comparisons of columns, then the ids of those kept. */
  where?: [column: string, comparison: string, value: string][];
  only?: string[] | null;
}

/** A class of the legend: a value, or all below a number, or all the others. Icons are drawing commands (24 × 24). */
export interface LookClass {
  value: string | null;
  below: number | null;
  colour: string;
  icon: string;
}

/** How a service draws the things of a dataset: see `faces/portal/layer_look.py`. */
export interface LookConfig {
  column: string;
  icon: string;
  /** The column that says how high an envelope stands, in metres; empty where things lie flat. */
  height: string;
  /** Only the edges of areas are drawn; what is inside is still found under a click. */
  outline: boolean;
  classes: LookClass[];
}

export type BaseRole = "limit" | "fields" | "green" | "water" | "waterways" | "streets" | "rails" | "buildings" | "districts";

/** Tiles as the page knows them already, so that drawing the base asks for nothing but tiles. */
export interface KnownTiles {
  url: string;
  min: number;
  max: number;
  fields: string[];
  /** Outside, there is nothing to ask for. */
  bounds?: [west: number, south: number, east: number, north: number];
}

export interface BaseConfig extends LayerConfig {
  role: BaseRole;
  known: KnownTiles;
}

/** A live layer: see `faces/shell/overlays.py`. */
export interface OverlayConfig {
  id: string;
  title: string;
  url: string;
  list: string;
  property: string;
  marks: [value: string, label: string, colour: string][];
  byBox: boolean;
  refreshS: number;
  shown: boolean;
  /** Its lines are also drawn below the ground, at their `depth_m`. */
  deep: boolean;
}

/** The words the map says, by their short name; the server writes them in the language of the page. */
export type Words = Record<string, string>;

/** The relief, as terrain-RGB tiles (see `lake/terrain.py`). */
export interface TerrainConfig {
  url: string;
  min: number;
  max: number;
  bbox: [west: number, south: number, east: number, north: number];
}

/** Buildings whose real surfaces are known, square by square (see `faces/api/citymodel.py`). */
export interface VolumesConfig {
  id: string;
  title: string;
  /** Address of the GLB of a square, with `{z}`, `{x}` and `{y}`. */
  url: string;
  zoom: number;
  bbox: [west: number, south: number, east: number, north: number];
  page: string;
  suffix: string;
}

/** The classes the buildings are coloured by (see `faces/portal/painting.py`); the last stands for what is unknown. */
export interface PaintConfig {
  title: string;
  /** An empty colour for dark maps: the light one, brightened. What is only estimated is hatched. */
  tints: [label: string, colour: string, dark: string, hatched?: boolean][];
}

export interface MapConfig {
  font: string;
  bbox: [west: number, south: number, east: number, north: number];
  pitch: number;
  base: BaseConfig[];
  layers: LayerConfig[];
  overlays: OverlayConfig[];
  terrain: TerrainConfig | null;
  volumes: VolumesConfig[];
  paint: PaintConfig | null;
  /** Names of districts, each with the point it is written at: tiles would repeat them on every piece. */
  names: [name: string, lon: number, lat: number][];
  /** Where what was corrected since the tiles were baked is told; empty where it does not matter. */
  edits: string;
  /** The page of all that is known at a place; empty where one map shows one thing. */
  here: string;
  words: Words;
  language: string;
}

export function readConfig<Kind extends MapConfig = MapConfig>(element: HTMLElement, attribute = "map"): Kind {
  return JSON.parse(element.dataset[attribute] ?? "{}") as Kind;
}

/** Say a word of the page, its `{names}` filled in. */
export function say(words: Words, name: string, values: Record<string, string> = {}): string {
  return Object.entries(values).reduce((text, [key, value]) => text.replaceAll(`{${key}}`, value), words[name] ?? "");
}

/** The part of a TileJSON that is used here. `fields` names the attributes that tiles carry. */
export interface TileJson {
  tiles: string[];
  minzoom: number;
  maxzoom: number;
  bounds?: [west: number, south: number, east: number, north: number];
  vector_layers: { id: string; fields: Record<string, string> }[];
}

/** Read a TileJSON; null while the tiles of the version are being baked, or when there are none. */
export async function readTiles(url: string): Promise<KnownTiles | null> {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) return null;
  const read = (await response.json()) as TileJson;
  const [address] = read.tiles ?? [];
  if (!address || !read.vector_layers?.length) return null;
  const { minzoom: min, maxzoom: max, bounds } = read;
  return { url: address, min, max, fields: Object.keys(read.vector_layers[0]?.fields ?? {}), ...(bounds?.length ? { bounds } : {}) };
}
