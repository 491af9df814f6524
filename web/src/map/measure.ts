import type { GeoJSONSource, Map as MapLibre, MapMouseEvent } from "maplibre-gl";
import { announce } from "./base";
import { say, type MapConfig } from "./config";
import { areaM2, lengthM, written, type Corner } from "./geodesy";
import type { Palette } from "./palette";

const SOURCE = "measure";
let corners: Corner[] = [];
let change: ((changed: Corner[]) => void) | null = null;
let stop: (() => void) | null = null;

/** Begin or end measuring: each click, or Enter on the map for its middle, adds a corner. Return whether it began. */
export function toggleMeasure(map: MapLibre, element: HTMLElement, config: MapConfig, colours: Palette): boolean {
  if (stop) {
    stop();
    stop = null;
    announce(element, config.words["measured"] ?? "", true);
    return false;
  }
  corners = [];
  map.addSource(SOURCE, { type: "geojson", data: shape() });
  map.addLayer({ id: `${SOURCE}-area`, type: "fill", source: SOURCE, paint: { "fill-color": colours.chosen, "fill-opacity": 0.15 } });
  map.addLayer({ id: `${SOURCE}-line`, type: "line", source: SOURCE, paint: { "line-color": colours.chosen, "line-width": 3 } });
  map.addLayer({ id: `${SOURCE}-point`, type: "circle", source: SOURCE, paint: { "circle-color": colours.chosen, "circle-radius": 5 } });
  change = (changed) => {
    corners = changed;
    map.getSource<GeoJSONSource>(SOURCE)?.setData(shape());
    announce(element, told(config));
  };
  const click = ({ lngLat }: MapMouseEvent): void => change?.([...corners, [lngLat.lng, lngLat.lat]]);
  const key = (event: KeyboardEvent): void => {
    const { lng, lat } = map.getCenter();
    if (event.key === "Enter") change?.([...corners, [lng, lat]]);
    else if (event.key === "Backspace" || event.key === "Escape") dropCorner();
    else return;
    event.preventDefault();
  };
  map.on("click", click);
  map.getCanvas().addEventListener("keydown", key);
  map.getCanvas().focus();
  announce(element, config.words["measuring"] ?? "");
  stop = () => {
    change = null;
    map.off("click", click);
    map.getCanvas().removeEventListener("keydown", key);
    for (const end of ["area", "line", "point"]) if (map.getLayer(`${SOURCE}-${end}`)) map.removeLayer(`${SOURCE}-${end}`);
    if (map.getSource(SOURCE)) map.removeSource(SOURCE);
  };
  return true;
}

/** Take back the last corner: a finger has no key for it. */
export function dropCorner(): void {
  change?.(corners.slice(0, -1));
}

function shape(): GeoJSON.FeatureCollection {
  const [first] = corners;
  const feature = (geometry: GeoJSON.Geometry): GeoJSON.Feature => ({ type: "Feature", properties: {}, geometry });
  const features = corners.map((coordinates) => feature({ type: "Point", coordinates }));
  if (corners.length > 1) features.push(feature({ type: "LineString", coordinates: corners }));
  if (first && corners.length > 2) features.push(feature({ type: "Polygon", coordinates: [[...corners, first]] }));
  return { type: "FeatureCollection", features };
}

function told({ words, language }: MapConfig): string {
  if (corners.length < 2) return words["measuring"] ?? "";
  const length = written(lengthM(corners), "length", language);
  if (corners.length < 3) return say(words, "length", { length });
  return say(words, "area", { length, area: written(areaM2(corners), "area", language) });
}
