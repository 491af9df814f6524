import type { ExpressionSpecification, LayerSpecification, Map as MapLibre } from "maplibre-gl";
import type { LayerConfig, LookClass } from "./config";
import { shade } from "./palette";

/** From this zoom on, marks are large enough for an icon. */
const ICON_ZOOM = 14;
const CROWD_ZOOM = 16;
const CROWD = 300;
const ICON_PX = 26;
const RATIO = 2;

/** One value for each class of a legend, the last for what no class holds. */
function byClass<T extends string>(layer: LayerConfig, of: (one: LookClass) => T, otherwise: T): ExpressionSpecification | T {
  const { look } = layer;
  if (!look?.classes.length) return otherwise;
  const value = ["get", look.column];
  const cases: unknown[] = [];
  let rest = otherwise;
  for (const one of look.classes) {
    if (one.below !== null) cases.push(["all", ["==", ["typeof", value], "number"], ["<", ["to-number", value], one.below]], of(one));
    else if (one.value !== null) cases.push(["==", ["to-string", value], one.value], of(one));
    else rest = of(one);
  }
  return cases.length ? (["case", ...cases, rest] as unknown as ExpressionSpecification) : rest;
}

/** The colour of the things of a layer: by class where its service tells them apart. */
export function colourOf(layer: LayerConfig, dark: boolean): ExpressionSpecification | string {
  return byClass(layer, (one) => shade(one.colour, dark), shade(layer.colour, dark));
}

/** Which things of a layer are drawn: those its service keeps, null for all. */
export function keptOf({ where = [], only = null }: LayerConfig): ExpressionSpecification | null {
  const kept: unknown[] = where.map(([column, comparison, value]) => {
    if (comparison === "contains") return ["in", value.toLowerCase(), ["downcase", ["to-string", ["get", column]]]];
    if (comparison === "eq") return ["==", ["to-string", ["get", column]], value];
    return ["all", ["==", ["typeof", ["get", column]], "number"], [comparison === "le" ? "<=" : ">=", ["to-number", ["get", column]], Number(value)]];
  });
  if (only) kept.push(["in", ["to-string", ["get", "_id"]], ["literal", only]]);
  return kept.length ? (["all", ...kept] as unknown as ExpressionSpecification) : null;
}

/** The layer that writes the icons of a service on its points, null where it has none; makes their images. */
export function iconLayer(map: MapLibre, layer: LayerConfig, from: { source: string; "source-layer": string }): LayerSpecification | null {
  const { look } = layer;
  const paths = [...new Set([look?.icon ?? "", ...(look?.classes.map((one) => one.icon) ?? [])])].filter(Boolean);
  if (!look || !paths.length || !layer.geometry.includes("Point")) return null;
  for (const path of paths) {
    const image = map.hasImage(path) ? null : iconImage(path);
    if (image) map.addImage(path, image, { pixelRatio: RATIO });
  }
  return {
    id: `data-${layer.id}-icon`,
    type: "symbol",
    ...from,
    minzoom: layer.rows > CROWD ? CROWD_ZOOM : ICON_ZOOM,
    filter: ["all", ["==", ["geometry-type"], "Point"], keptOf(layer) ?? true] as unknown as ExpressionSpecification,
    layout: { "icon-image": byClass(layer, (one) => one.icon, look.icon), "icon-allow-overlap": true, "icon-size": 0.62 },
  };
}

function iconImage(path: string): ImageData | null {
  const side = ICON_PX * RATIO;
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.scale(side / 24, side / 24);
  Object.assign(context, { strokeStyle: "#ffffff", lineWidth: 2.6, lineCap: "round", lineJoin: "round" });
  context.stroke(new Path2D(path));
  return context.getImageData(0, 0, side, side);
}
