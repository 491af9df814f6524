import { MercatorCoordinate } from "maplibre-gl";
import type { Mesh } from "./glb";

/** Where a place is in the square of the world, and how long one metre is there: east, north and upwards. */
export interface Anchor {
  x: number;
  y: number;
  metre: [east: number, north: number, up: number];
}

/** East, north and up, in metres around the middle of a mesh. */
export type Box = [west: number, east: number, south: number, north: number, low: number, high: number];

/** The length of one degree east and north, in metres (GRS 80). */
export function degrees(lat: number): [east: number, north: number] {
  const [axis, e2, phi] = [6_378_137, 0.0066943800229, (lat * Math.PI) / 180];
  const flat = 1 - e2 * Math.sin(phi) ** 2;
  return [((axis / Math.sqrt(flat)) * Math.cos(phi) * Math.PI) / 180, (((axis * (1 - e2)) / flat ** 1.5) * Math.PI) / 180];
}

/** One metre in the square of the world: along each axis by the ellipsoid, upwards as the map counts heights. */
export function anchorOf(middle: [number, number]): Anchor {
  const { x, y } = MercatorCoordinate.fromLngLat(middle);
  const [east, north] = degrees(middle[1]);
  const up = MercatorCoordinate.fromLngLat(middle).meterInMercatorCoordinateUnits();
  return { x, y, metre: [1 / (360 * east), 1 / (360 * Math.cos((middle[1] * Math.PI) / 180) * north), up] };
}

/** The matrix of metres around a place: multiplied in double precision, since a metre is 1e-8 of the world. */
export function placed(matrix: ArrayLike<number>, { x, y, metre: [sx, sy, sz] }: Anchor): Float32Array {
  const column = (index: number, row: number): number => matrix[index * 4 + row] ?? 0;
  const moved = new Float32Array(16);
  for (let row = 0; row < 4; row++) {
    moved[row] = column(0, row) * sx;
    moved[4 + row] = -column(1, row) * sy;
    moved[8 + row] = column(2, row) * sz;
    moved[12 + row] = column(0, row) * x + column(1, row) * y + column(3, row);
  }
  return moved;
}

export function boxOf({ places }: Mesh, lifts: Float32Array): Box {
  const box: Box = [Infinity, -Infinity, Infinity, -Infinity, Infinity, -Infinity];
  lifts.forEach((lift, corner) => {
    const [east, up, south] = [0, 1, 2].map((step) => places[corner * 3 + step] ?? 0) as [number, number, number];
    [east, -south, up + lift].forEach((value, axis) => {
      box[axis * 2] = Math.min(box[axis * 2] ?? value, value);
      box[axis * 2 + 1] = Math.max(box[axis * 2 + 1] ?? value, value);
    });
  });
  return box;
}

/** Tell whether a box is wholly beyond one edge of the screen, or behind the eye. */
export function isOutOfSight(matrix: Float32Array, [west, east, south, north, low, high]: Box): boolean {
  let beyond = 0b11111;
  for (const x of [west, east]) {
    for (const y of [south, north]) {
      for (const z of [low, high]) {
        const at = (row: number): number => (matrix[row] ?? 0) * x + (matrix[4 + row] ?? 0) * y + (matrix[8 + row] ?? 0) * z + (matrix[12 + row] ?? 0);
        const [across, along, scale] = [at(0), at(1), at(3)];
        const edges = [across < -scale, across > scale, along < -scale, along > scale, scale <= 0];
        beyond &= edges.reduce((sum, isBeyond, rank) => sum | (isBeyond ? 1 << rank : 0), 0);
      }
    }
  }
  return beyond !== 0;
}

/** Where each corner is on the screen (-1 to 1) and how deep. */
export function onScreen(mesh: Mesh, matrix: Float32Array, lifts: Float32Array): Float32Array {
  const seen = new Float32Array(mesh.places.length);
  for (let at = 0; at < lifts.length; at++) {
    const [x, up, south] = [0, 1, 2].map((step) => mesh.places[at * 3 + step] ?? 0) as [number, number, number];
    const spot = [x, -south, up + (lifts[at] ?? 0), 1];
    const [a, b, depth, scale] = [0, 1, 2, 3].map((row) => spot.reduce((sum, value, index) => sum + value * (matrix[index * 4 + row] ?? 0), 0)) as [number, number, number, number];
    seen.set(scale > 0 ? [a / scale, b / scale, depth / scale] : [Number.NaN, Number.NaN, Number.NaN], at * 3);
  }
  return seen;
}

/** How deep a triangle is at a point of the screen; Infinity beside it. */
export function depthAt(seen: Float32Array, a: number, b: number, c: number, x: number, y: number): number {
  const at = (corner: number, axis: number): number => seen[corner * 3 + axis] ?? Number.NaN;
  const area = (at(b, 0) - at(a, 0)) * (at(c, 1) - at(a, 1)) - (at(c, 0) - at(a, 0)) * (at(b, 1) - at(a, 1));
  const share = (one: number, two: number): number => ((at(one, 0) - x) * (at(two, 1) - y) - (at(two, 0) - x) * (at(one, 1) - y)) / area;
  const [ofA, ofB, ofC] = [share(b, c), share(c, a), share(a, b)];
  return ofA >= 0 && ofB >= 0 && ofC >= 0 ? ofA * at(a, 2) + ofB * at(b, 2) + ofC * at(c, 2) : Infinity;
}
