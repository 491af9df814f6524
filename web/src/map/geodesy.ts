/**
 * Lengths and areas on the GRS 80 ellipsoid, in metres and square metres; `[lon, lat]` in degrees (CRS84).
 *
 * A length is taken on the plane that touches the ellipsoid at the middle of the segment, by its two radii of curvature:
 * under 1e-6 of the geodesic up to 50 km at our latitudes. An area is taken in the cylindrical equal-area projection of
 * the ellipsoid, where only the bend of the sides counts: under 1e-5 for the shapes one draws in a town.
 * Source: Snyder, Map Projections – A Working Manual, USGS 1395 (1987), p. 16 and 24.
 */
export type Corner = [lon: number, lat: number];

const A_M = 6_378_137;
const E2 = 0.006_694_380_022_9;
const E = Math.sqrt(E2);
const RAD = Math.PI / 180;

export function lengthM(line: Corner[]): number {
  return line.slice(1).reduce((total, to, index) => total + segmentM(line[index] ?? to, to), 0);
}

function segmentM([lon1, lat1]: Corner, [lon2, lat2]: Corner): number {
  const middle = ((lat1 + lat2) / 2) * RAD;
  const flat = 1 - E2 * Math.sin(middle) ** 2;
  const north = (A_M * (1 - E2)) / flat ** 1.5;
  const east = A_M / Math.sqrt(flat);
  return Math.hypot(north * (lat2 - lat1) * RAD, east * Math.cos(middle) * (lon2 - lon1) * RAD);
}

export function areaM2(ring: Corner[]): number {
  const origin = ring[0]?.[0] ?? 0;
  const flat = ring.map(([lon, lat]): Corner => [A_M * (lon - origin) * RAD, (A_M * authalic(lat * RAD)) / 2]);
  const twice = flat.reduce((sum, [x1, y1], index) => {
    const [x2, y2] = flat[(index + 1) % flat.length] ?? [x1, y1];
    return sum + x1 * y2 - x2 * y1;
  }, 0);
  return Math.abs(twice) / 2;
}

/** Snyder's q (3-12): the area of the ellipsoid from the equator to a latitude grows as it does. */
function authalic(lat: number): number {
  const sin = Math.sin(lat);
  return (1 - E2) * (sin / (1 - E2 * sin * sin) + Math.atanh(E * sin) / E);
}

const UNITS: Record<"length" | "area", [unit: string, metres: number, from: number][]> = {
  length: [
    ["km", 1000, 1000],
    ["m", 1, 0],
  ],
  area: [
    ["km²", 1e6, 1e6],
    ["ha", 1e4, 1e4],
    ["m²", 1, 0],
  ],
};

/** Write a measure with the unit people use at its size. */
export function written(value: number, kind: "length" | "area", language: string): string {
  const [unit, metres] = UNITS[kind].find(([, , from]) => value >= from) ?? ["m", 1];
  const amount = value / metres;
  const digits = amount >= 100 ? 0 : amount >= 10 ? 1 : 2;
  return `${amount.toLocaleString(language, { maximumFractionDigits: digits })} ${unit}`;
}
