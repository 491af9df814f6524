import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { BaseConfig, KnownTiles, LayerConfig, PaintConfig } from "./config";
import { colourOf, keptOf } from "./look";
import { shade, type Palette } from "./palette";

export const FONT = "Atkinson Hyperlegible Next";

/** Heights of buildings, in metres, by the names publishers give them; then storeys, 3 m each; then 6 m. */
const HEIGHTS = ["hauteur", "hauteur_m", "height", "height_m", "haut", "hauteur_max"];
const STOREYS = ["nb_etages", "nombre_d_etages", "etages", "niveaux", "floors"];
const STOREY_M = 3;
const DEFAULT_HEIGHT_M = 6;
const CROWD = 1000;
const ICON_CROWD = 300;
const NAMES = ["nom", "nom_complet", "nom_voie", "nom_1_gauche", "libelle", "lib_off", "name", "libquart", "quartier"];

/** No second pass for the edges of areas: each kind of drawing has its programs, which the first view waits for. */
const PLAIN = { "fill-antialias": false } as const;

/** An empty style: the ground, and the font the labels are drawn with (no glyph files are needed). */
export function emptyStyle(colours: Palette, font: string): StyleSpecification {
  return {
    version: 8,
    ...(font ? { "font-faces": { [FONT]: new URL(font, location.href).href } } : {}),
    light: { anchor: "map", intensity: 0.35, position: [1.2, 200, 40] },
    sources: {},
    layers: [{ id: "ground", type: "background", paint: { "background-color": colours.ground } }],
  };
}

/** Every tile has this one layer (see `lake/tiles.py`). */
const LAYER = "data";

export function nameField({ fields }: KnownTiles): string | undefined {
  return NAMES.find((name) => fields.includes(name)) ?? fields.find((field) => /^(nom|lib|name)/.test(field));
}

function heightOf({ fields }: KnownTiles): ExpressionSpecification {
  const height = HEIGHTS.find((name) => fields.includes(name));
  const storeys = STOREYS.find((name) => fields.includes(name));
  const fromStoreys: ExpressionSpecification[] = storeys
    ? [["case", ["has", storeys], ["*", STOREY_M, ["to-number", ["get", storeys], 2]], DEFAULT_HEIGHT_M]]
    : [];
  const otherwise: ExpressionSpecification | number = fromStoreys[0] ?? DEFAULT_HEIGHT_M;
  if (!height) return ["to-number", otherwise];
  return ["case", [">", ["to-number", ["get", height], 0], 0], ["to-number", ["get", height]], otherwise];
}

/** A block that gives way to a real roof lies flat under it: what is clicked there is still found. */
export const GIVES_WAY = "volume";

function standing(height: ExpressionSpecification): ExpressionSpecification {
  return ["case", ["boolean", ["feature-state", GIVES_WAY], false], 0, height];
}

/** The attribute of coloured tiles (see `lake/tile_classes.py`). */
const CLASS = "_class";

/** The colours of the classes of the buildings on a ground, the unknown last. */
export function tintsOf({ tints }: PaintConfig, dark: boolean): string[] {
  return tints.map(([, light, own]) => (dark ? own || shade(light, true) : light));
}

function buildingColour(tiles: KnownTiles, colours: Palette, paint: PaintConfig | null): ExpressionSpecification {
  if (!paint) return ["interpolate", ["linear"], heightOf(tiles), 3, colours.building, 30, colours.buildingTall];
  const tints = tintsOf(paint, colours.dark);
  const pairs = tints.slice(0, -1).flatMap((colour, rank) => [rank, colour]);
  return (pairs.length ? ["match", ["get", CLASS], ...pairs, tints.at(-1)] : ["literal", tints.at(-1)]) as unknown as ExpressionSpecification;
}

/** The layers that draw a dataset of the base map in its role, from the bottom up. */
export function baseLayers(base: BaseConfig, colours: Palette, someGiveWay = false, paint: PaintConfig | null = null): LayerSpecification[] {
  const tiles = base.known;
  const source = `base-${base.id}`;
  const from = { source, "source-layer": LAYER };
  const id = `base-${base.role}`;
  const hatched = hatchedRanks(paint);
  const wide = (low: number, high: number): ExpressionSpecification => [
    "interpolate",
    ["exponential", 1.6],
    ["zoom"],
    11,
    low,
    18,
    high,
  ];
  switch (base.role) {
    case "fields":
      return [{ id, type: "fill", ...from, paint: { "fill-color": colours.field, ...PLAIN } }];
    case "green":
      return [{ id, type: "fill", ...from, paint: { "fill-color": colours.green, ...PLAIN } }];
    case "water":
      return [{ id, type: "fill", ...from, paint: { "fill-color": colours.water, ...PLAIN } }];
    case "waterways":
      return [{ id, type: "line", ...from, paint: { "line-color": colours.water, "line-width": wide(0.8, 10) } }];
    case "limit":
      return [
        {
          id,
          type: "line",
          ...from,
          paint: { "line-color": colours.limit, "line-width": 1.5, "line-opacity": 0.6 },
        },
      ];
    case "rails":
      return [
        { id, type: "line", ...from, paint: { "line-color": colours.rail, "line-width": 1.5 } },
      ];
    case "streets":
      return streets(id, from, colours, wide);
    case "buildings":
      return [
        {
          id,
          type: "fill-extrusion",
          ...from,
          minzoom: 13,
          ...(hatched.length ? { filter: ["!", ["in", ["get", CLASS], ["literal", hatched]]] as ExpressionSpecification } : {}),
          paint: {
            "fill-extrusion-color": buildingColour(tiles, colours, paint),
            "fill-extrusion-height": someGiveWay ? standing(heightOf(tiles)) : heightOf(tiles),
            "fill-extrusion-opacity": 1,
            "fill-extrusion-vertical-gradient": true,
          },
        },
        ...(hatched.length && paint ? [hatchedBuildings(`${id}-hatched`, from, tiles, hatched, tintsOf(paint, colours.dark), someGiveWay)] : []),
        ...letters(from, colours, paint),
      ];
    case "districts":
      return [
        { id, type: "line", ...from, maxzoom: 15, paint: { "line-color": colours.rail, "line-width": 1, "line-opacity": 0.5 } },
      ];
  }
}

/** The classes that are hatched: estimates, among what is established. */
function hatchedRanks(paint: PaintConfig | null): number[] {
  return (paint?.tints ?? []).flatMap(([, , , hatched], rank) => (hatched ? [rank] : []));
}

/** The name of the pattern of a colour (see `base.ts`, which draws it). */
export function hatchOf(colour: string): string {
  return `hatch-${colour}`;
}

/** The colours whose pattern the buildings need. */
export function hatchColours(paint: PaintConfig | null, dark: boolean): string[] {
  const tints = paint ? tintsOf(paint, dark) : [];
  return [...new Set(hatchedRanks(paint).flatMap((rank) => tints[rank] ?? []))];
}

function hatchedBuildings(id: string, from: From, tiles: KnownTiles, ranks: number[], tints: string[], someGiveWay: boolean): LayerSpecification {
  const pairs = ranks.flatMap((rank) => [rank, hatchOf(tints[rank] ?? "")]);
  return {
    id,
    type: "fill-extrusion",
    ...from,
    minzoom: 13,
    filter: ["in", ["get", CLASS], ["literal", ranks]],
    paint: {
      "fill-extrusion-pattern": ["match", ["get", CLASS], ...pairs, ""] as unknown as ExpressionSpecification,
      "fill-extrusion-height": someGiveWay ? standing(heightOf(tiles)) : heightOf(tiles),
      "fill-extrusion-opacity": 1,
    },
  };
}

/** The letters of the classes that are named by one, on their buildings: colours alone are not read by all. */
function letters(from: From, colours: Palette, paint: PaintConfig | null): LayerSpecification[] {
  // An estimate is told as one: « ≈F ».
  const pairs = (paint?.tints ?? []).flatMap(([name, , , hatched], rank) => (hatched ? [rank, `≈${name[0] ?? ""}`] : name.length === 1 ? [rank, name] : []));
  if (!pairs.length) return [];
  const field = ["match", ["get", CLASS], ...pairs, ""] as unknown as ExpressionSpecification;
  return [
    {
      id: "base-buildings-letters",
      type: "symbol",
      ...from,
      minzoom: 15.5,
      layout: { "text-field": field, "text-font": [FONT], "text-size": ["interpolate", ["linear"], ["zoom"], 15.5, 11, 18, 18], "text-padding": 1 },
      paint: { "text-color": colours.text, "text-halo-color": colours.halo, "text-halo-width": 1.6 },
    },
  ];
}

/** Tell whether the tiles say how tall buildings are; else they are all drawn at the default, and the page says so. */
export function knowsHeights({ fields }: KnownTiles): boolean {
  return [...HEIGHTS, ...STOREYS].some((name) => fields.includes(name));
}

/** The names of the districts, from the points of the configuration. */
export function namesLayer(colours: Palette): LayerSpecification {
  return label("districts-names", { source: "names" }, "name", colours, { size: 15, max: 15.5, caps: true });
}

interface From {
  source: string;
  "source-layer"?: string;
}

function streets(
  id: string,
  from: From,
  colours: Palette,
  wide: (low: number, high: number) => ExpressionSpecification,
): LayerSpecification[] {
  const round = { "line-cap": "round", "line-join": "round" } as const;
  return [
    { id: `${id}-edge`, type: "line", ...from, layout: round, paint: { "line-color": colours.streetEdge, "line-width": wide(0.6, 22) } },
    { id, type: "line", ...from, layout: round, minzoom: 12, paint: { "line-color": colours.street, "line-width": wide(0.3, 18) } },
  ];
}

/** The names a dataset of the base map writes: those of streets, once one is near. */
export function baseNames(base: BaseConfig, colours: Palette): LayerSpecification[] {
  const name = base.role === "streets" ? nameField(base.known) : undefined;
  const from = { source: `base-${base.id}`, "source-layer": LAYER };
  return name ? [label("base-streets-names", from, name, colours, { size: 13, line: true, min: 15 })] : [];
}

interface LabelOptions {
  size: number;
  line?: boolean;
  caps?: boolean;
  min?: number;
  max?: number;
}

function label(id: string, from: From, field: string, colours: Palette, options: LabelOptions): LayerSpecification {
  return {
    id,
    type: "symbol",
    ...from,
    ...(options.min ? { minzoom: options.min } : {}),
    ...(options.max ? { maxzoom: options.max } : {}),
    layout: {
      "text-field": ["to-string", ["get", field]],
      "text-font": [FONT],
      "text-size": options.size,
      "text-transform": options.caps ? "uppercase" : "none",
      "text-letter-spacing": options.caps ? 0.08 : 0,
      "symbol-placement": options.line ? "line" : "point",
      "text-padding": 6,
    },
    paint: { "text-color": colours.text, "text-halo-color": colours.halo, "text-halo-width": 1.6 },
  };
}

const AREA_OPACITY = 0.35;

/** How opaque the areas of a layer are: not at all where only their edges are drawn, nor under an envelope. */
export function areaOpacity({ look }: LayerConfig, share = 1): ExpressionSpecification | number {
  if (look?.outline) return 0;
  return look?.height ? ["case", ["==", ["typeof", ["get", look.height]], "number"], 0, share * AREA_OPACITY] : share * AREA_OPACITY;
}

/** What may be filled, seen through: the height a column says, over the areas that say one. */
function envelopes(layer: LayerConfig, from: From, areas: ExpressionSpecification, colour: ExpressionSpecification | string): LayerSpecification[] {
  const height = layer.look?.height;
  if (!height) return [];
  return [
    {
      id: `data-${layer.id}-envelope`,
      type: "fill-extrusion",
      ...from,
      minzoom: 13,
      filter: ["all", areas, ["==", ["typeof", ["get", height]], "number"]] as unknown as ExpressionSpecification,
      paint: { "fill-extrusion-color": colour, "fill-extrusion-height": ["to-number", ["get", height]], "fill-extrusion-opacity": 0.35 },
    } as LayerSpecification,
  ];
}

/** The layers that draw a dataset in the colour of its theme: points, lines and areas, whichever it holds. */
export function dataLayers(layer: LayerConfig, colours: Palette): LayerSpecification[] {
  const colour = colourOf(layer, colours.dark);
  const kept = keptOf(layer);
  const from = { source: `data-${layer.id}`, "source-layer": LAYER };
  const prefix = `data-${layer.id}`;
  const only = (kind: string): ExpressionSpecification =>
    kept ? ["all", ["==", ["geometry-type"], kind], kept] : ["==", ["geometry-type"], kind];
  const few = layer.rows <= ICON_CROWD && Boolean(layer.look?.icon || layer.look?.classes.some((one) => one.icon));
  const drawn: LayerSpecification[] = [
    { id: `${prefix}-area`, type: "fill", ...from, filter: only("Polygon"), paint: { "fill-color": colour, "fill-opacity": areaOpacity(layer) } },
    { id: `${prefix}-edge`, type: "line", ...from, filter: only("Polygon"), paint: { "line-color": colour, "line-width": layer.look?.outline ? 1 : 1.5 } },
    ...envelopes(layer, from, only("Polygon"), colour),
    { id: `${prefix}-line`, type: "line", ...from, filter: only("LineString"), paint: { "line-color": colour, "line-width": ["interpolate", ["linear"], ["zoom"], 11, 1.5, 18, 6] } },
    {
      id: `${prefix}-point`,
      type: "circle",
      ...from,
      filter: only("Point"),
      paint: {
        "circle-color": colour,
        // Thousands of points are dots until one is near enough to tell them apart.
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, layer.rows > CROWD ? 1 : 3, 14, few ? 9 : layer.rows > CROWD ? 2 : 5, 15, few ? 10 : layer.rows > CROWD ? 2.5 : 6, 18, few ? 12 : 9],
        "circle-stroke-color": colours.halo,
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 11, layer.rows > CROWD ? 0 : 0.5, 16, 1.5],
      },
    },
  ];
  const kind = layer.geometry;
  if (kind === "Geometry" || kind === "GeometryCollection") return drawn;
  const suffixes: Record<string, string[]> = { Polygon: ["-area", "-edge", "-envelope"], LineString: ["-line"], Point: ["-point"] };
  return drawn.filter((one) => (suffixes[kind] ?? []).some((suffix) => one.id === prefix + suffix));
}
