/** The slopes of a way, from the heights the server tells along it: drawn on the map, read at any point. */

export interface WayProperties {
  rank: number;
  length_m: number;
  /** Metres walked, height relative to the start; empty where the relief is not known. */
  heights: [walked: number, height: number][];
}

export type Way = GeoJSON.Feature<GeoJSON.LineString, WayProperties>;

export interface Spot {
  lon: number;
  lat: number;
  metres: number;
  height: number;
  /** In percent, up being positive. */
  slope: number;
}

/** Colours by steepness: the bounds are those of the rules on pavements (2, 5 and 8 %). */
const COLOURS: readonly [upTo: number, colour: string][] = [
  [2, "#1d4f91"],
  [5, "#8a5a00"],
  [8, "#c0392b"],
  [Infinity, "#5b1f69"],
];

const colourOf = (slope: number): string => (COLOURS.find(([upTo]) => Math.abs(slope) <= upTo) ?? COLOURS[0])?.[1] ?? "";

/** Metres walked at each vertex, brought to the length the server tells. */
function walked(way: Way): number[] {
  const found = [0];
  const line = way.geometry.coordinates;
  for (let rank = 1; rank < line.length; rank++) {
    const [ax = 0, ay = 0] = line[rank - 1] ?? [];
    const [bx = 0, by = 0] = line[rank] ?? [];
    const east = (bx - ax) * Math.cos((ay * Math.PI) / 180);
    found.push((found[rank - 1] ?? 0) + 111_195 * Math.hypot(east, by - ay));
  }
  const scale = way.properties.length_m / (found.at(-1) || 1);
  return found.map((metres) => metres * scale);
}

function placeAt(way: Way, along: readonly number[], metres: number): [number, number] {
  const next = Math.max(
    1,
    along.findIndex((one) => one >= metres),
  );
  const line = way.geometry.coordinates;
  const [ax = 0, ay = 0] = line[next - 1] ?? [];
  const [bx = 0, by = 0] = line[next] ?? [];
  const [from, to] = [along[next - 1] ?? 0, along[next] ?? 0];
  const share = to > from ? Math.min(1, Math.max(0, (metres - from) / (to - from))) : 0;
  return [ax + share * (bx - ax), ay + share * (by - ay)];
}

/** One line for each stretch of one slope, with its colour. */
export function slopeLines(way: Way): GeoJSON.Feature[] {
  const { heights } = way.properties;
  const along = walked(way);
  const lines: GeoJSON.Feature[] = [];
  for (let rank = 1; rank < heights.length; rank++) {
    const [from = 0, low = 0] = heights[rank - 1] ?? [];
    const [to = 0, high = 0] = heights[rank] ?? [];
    if (to - from < 0.5) continue;
    const inner = way.geometry.coordinates.filter((_, number) => (along[number] ?? 0) > from && (along[number] ?? 0) < to);
    const coordinates = [placeAt(way, along, from), ...inner, placeAt(way, along, to)];
    const properties = { colour: colourOf((100 * (high - low)) / (to - from)) };
    lines.push({ type: "Feature", properties, geometry: { type: "LineString", coordinates } });
  }
  return lines;
}

/** Where one is at a share of the way, how high, and how steep it is there. */
export function spotAt(way: Way, share: number): Spot {
  const { heights, length_m } = way.properties;
  const metres = share * length_m;
  const [lon, lat] = placeAt(way, walked(way), metres);
  const next = Math.max(
    1,
    heights.findIndex(([to]) => to >= metres - 0.05),
  );
  const [from = 0, low = 0] = heights[next - 1] ?? [];
  const [to = 0, high = 0] = heights[next] ?? [];
  const slope = to > from ? (high - low) / (to - from) : 0;
  return { lon, lat, metres, height: low + slope * (metres - from), slope: 100 * slope };
}
