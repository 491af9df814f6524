import { MercatorCoordinate, type CustomLayerInterface, type CustomRenderMethodInput, type Map as MapLibre } from "maplibre-gl";
import type { VolumesConfig } from "./config";
import { readGlb, type Mesh } from "./glb";
import type { Palette } from "./palette";

/** Below, a roof is smaller than the eye can tell from a block. */
export const NEAR_ZOOM = 13.5;
const MOST_TILES = 24;

/** Flat faces, lit from the south-west as the blocks are; a face turned away keeps two thirds of its light. */
const VERTEX = `#version 300 es
uniform mat4 matrix;
in vec3 place;
in float lift;
out vec3 spot;
void main() {
  spot = vec3(place.x, -place.z, place.y);
  gl_Position = matrix * vec4(spot.xy, spot.z + lift, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 colour;
in vec3 spot;
out vec4 drawn;
void main() {
  vec3 side = normalize(cross(dFdx(spot), dFdy(spot)));
  float light = max(dot(side, normalize(vec3(-0.45, -0.55, 0.7))), 0.0);
  drawn = vec4(colour * (0.66 + 0.36 * light), 1.0);
}`;

interface Tile {
  source: VolumesConfig;
  mesh: Mesh;
  place: WebGLBuffer;
  lift: WebGLBuffer;
  corner: WebGLBuffer;
}

/** The buildings whose real roofs are known, drawn among the blocks: read square by square, where one looks. */
export class Volumes implements CustomLayerInterface {
  readonly id = "volumes";
  readonly type = "custom" as const;
  readonly renderingMode = "3d" as const;
  readonly #map: MapLibre;
  readonly #sources: VolumesConfig[];
  readonly #hide: (ids: string[]) => void;
  #roof: number[];
  #wall: number[];
  #gl: WebGL2RenderingContext | null = null;
  #program: WebGLProgram | null = null;
  readonly #asked = new Set<string>();
  readonly #read: { source: VolumesConfig; mesh: Mesh }[] = [];
  #tiles: Tile[] = [];
  #matrix: ArrayLike<number> = [];

  /** `hide` takes the blocks off the map that these buildings stand in place of. */
  constructor(map: MapLibre, sources: VolumesConfig[], colours: Palette, hide: (ids: string[]) => void) {
    this.#map = map;
    this.#sources = sources;
    this.#hide = hide;
    [this.#roof, this.#wall] = [channels(colours.roof), channels(colours.building)];
  }

  paint(colours: Palette): void {
    [this.#roof, this.#wall] = [channels(colours.roof), channels(colours.building)];
  }

  onAdd(_map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#gl = gl;
    this.#program = programOf(gl);
    this.#tiles = this.#read.map(({ source, mesh }) => this.#loaded(gl, source, mesh));
    // The style was made anew: blocks are back, and have to go again.
    for (const { mesh } of this.#read) this.#hide(mesh.hidden);
    this.#map.on("moveend", this.#look);
    this.#map.on("terrain", this.#settle);
    this.#map.on("idle", this.#settle);
    this.#look();
  }

  onRemove(_map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map.off("moveend", this.#look);
    this.#map.off("terrain", this.#settle);
    this.#map.off("idle", this.#settle);
    for (const { place, lift, corner } of this.#tiles) for (const one of [place, lift, corner]) gl.deleteBuffer(one);
    gl.deleteProgram(this.#program);
    this.#tiles = [];
    this.#gl = null;
  }

  render(gl: WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    if (!this.#program || this.#map.getZoom() < NEAR_ZOOM - 0.5) return;
    this.#matrix = Array.from(defaultProjectionData.mainMatrix as ArrayLike<number>);
    gl.useProgram(this.#program);
    const [matrix, colour] = ["matrix", "colour"].map((name) => gl.getUniformLocation(this.#program as WebGLProgram, name));
    const [place, lift] = ["place", "lift"].map((name) => gl.getAttribLocation(this.#program as WebGLProgram, name));
    if (place === undefined || lift === undefined) return;
    for (const tile of this.#tiles) {
      gl.uniformMatrix4fv(matrix ?? null, false, placed(this.#matrix, tile.mesh.middle));
      gl.bindBuffer(gl.ARRAY_BUFFER, tile.place);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 3, gl.FLOAT, false, 0, 0);
      gl.bindBuffer(gl.ARRAY_BUFFER, tile.lift);
      gl.enableVertexAttribArray(lift);
      gl.vertexAttribPointer(lift, 1, gl.FLOAT, false, 0, 0);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, tile.corner);
      const { roofs, corners } = tile.mesh;
      gl.uniform3fv(colour ?? null, this.#roof);
      gl.drawElements(gl.TRIANGLES, roofs, gl.UNSIGNED_INT, 0);
      gl.uniform3fv(colour ?? null, this.#wall);
      gl.drawElements(gl.TRIANGLES, corners.length - roofs, gl.UNSIGNED_INT, roofs * 4);
    }
  }

  /** The address of the sheet of the building drawn at a point of the screen, the nearest one; null when there is none. */
  under(point: { x: number; y: number }): string | null {
    const { clientWidth: wide, clientHeight: high } = this.#map.getCanvas();
    const [x, y] = [(point.x / wide) * 2 - 1, 1 - (point.y / high) * 2];
    let [nearest, found]: [number, string | null] = [Infinity, null];
    if (!this.#matrix.length || this.#map.getLayoutProperty(this.id, "visibility") === "none") return null;
    for (const { source, mesh } of this.#tiles) {
      const seen = onScreen(mesh, placed(this.#matrix, mesh.middle), this.#lifts(mesh));
      for (let at = 0; at < mesh.corners.length; at += 3) {
        const [a, b, c] = [0, 1, 2].map((step) => mesh.corners[at + step] ?? 0) as [number, number, number];
        const depth = depthAt(seen, a, b, c, x, y);
        if (depth >= nearest) continue;
        nearest = depth;
        const [id] = mesh.buildings[mesh.owners[a] ?? 0] ?? [""];
        found = `${source.page}fiche/${encodeURIComponent(id)}/${source.suffix}`;
      }
    }
    return found;
  }

  /** Read the squares in sight that were not read yet. */
  readonly #look = (): void => {
    if (this.#map.getZoom() < NEAR_ZOOM) return;
    for (const source of this.#sources) {
      for (const url of squares(source, this.#map).slice(0, MOST_TILES)) {
        if (this.#asked.has(url)) continue;
        this.#asked.add(url);
        void this.#fetch(source, url);
      }
    }
  };

  async #fetch(source: VolumesConfig, url: string): Promise<void> {
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok || response.status === 204) return;
    const mesh = readGlb(await response.arrayBuffer());
    if (!mesh) return;
    this.#read.push({ source, mesh });
    if (!this.#gl) return;
    this.#tiles.push(this.#loaded(this.#gl, source, mesh));
    this.#hide(mesh.hidden);
    this.#map.triggerRepaint();
  }

  #loaded(gl: WebGL2RenderingContext, source: VolumesConfig, mesh: Mesh): Tile {
    const corner = buffer(gl, gl.ELEMENT_ARRAY_BUFFER, mesh.corners);
    return { source, mesh, corner, place: buffer(gl, gl.ARRAY_BUFFER, mesh.places), lift: buffer(gl, gl.ARRAY_BUFFER, this.#lifts(mesh)) };
  }

  /** Put every foot on the ground as the map draws it now, flat or raised. */
  readonly #settle = (): void => {
    const gl = this.#gl;
    if (!gl) return;
    for (const { mesh, lift } of this.#tiles) {
      gl.bindBuffer(gl.ARRAY_BUFFER, lift);
      gl.bufferData(gl.ARRAY_BUFFER, this.#lifts(mesh), gl.STATIC_DRAW);
    }
  };

  /** How much each corner rises from its altitude so that its building's foot is on the ground. */
  #lifts(mesh: Mesh): Float32Array {
    const [sums, counts] = [mesh.buildings.map(() => [0, 0]), mesh.buildings.map(() => 0)];
    const isRaised = this.#map.getTerrain() !== null;
    const [east, north] = degrees(mesh.middle[1]);
    mesh.owners.forEach((owner, at) => {
      const sum = sums[owner];
      if (!sum) return;
      sum[0] = (sum[0] ?? 0) + (mesh.places[at * 3] ?? 0);
      sum[1] = (sum[1] ?? 0) - (mesh.places[at * 3 + 2] ?? 0);
      counts[owner] = (counts[owner] ?? 0) + 1;
    });
    const lifts = mesh.buildings.map(([, base], rank) => {
      if (!isRaised) return -base;
      const [x = 0, y = 0] = (sums[rank] ?? []).map((sum) => sum / (counts[rank] || 1));
      const ground = this.#map.queryTerrainElevation([mesh.middle[0] + x / east, mesh.middle[1] + y / north]);
      return (ground ?? 0) - base;
    });
    return Float32Array.from(mesh.owners, (owner) => lifts[owner] ?? 0);
  }
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
}

/** The length of one degree east and north, in metres (GRS 80). */
function degrees(lat: number): [east: number, north: number] {
  const [axis, e2, phi] = [6_378_137, 0.0066943800229, (lat * Math.PI) / 180];
  const flat = 1 - e2 * Math.sin(phi) ** 2;
  return [((axis / Math.sqrt(flat)) * Math.cos(phi) * Math.PI) / 180, (((axis * (1 - e2)) / flat ** 1.5) * Math.PI) / 180];
}

/** The squares of the grid where a source and the screen meet. */
function squares({ url, zoom, bbox }: VolumesConfig, map: MapLibre): string[] {
  const bounds = map.getBounds();
  const [west, south] = [Math.max(bbox[0], bounds.getWest()), Math.max(bbox[1], bounds.getSouth())];
  const [east, north] = [Math.min(bbox[2], bounds.getEast()), Math.min(bbox[3], bounds.getNorth())];
  if (west > east || south > north) return [];
  const [first, last] = [MercatorCoordinate.fromLngLat([west, north]), MercatorCoordinate.fromLngLat([east, south])];
  const found: string[] = [];
  const wide = 2 ** zoom;
  for (let y = Math.floor(first.y * wide); y <= Math.floor(last.y * wide); y++) {
    for (let x = Math.floor(first.x * wide); x <= Math.floor(last.x * wide); x++) {
      found.push(url.replace("{z}", String(zoom)).replace("{x}", String(x)).replace("{y}", String(y)));
    }
  }
  return found;
}

/** The matrix of metres around a place: multiplied in double precision, since a metre is 1e-8 of the world. */
function placed(matrix: ArrayLike<number>, middle: [number, number]): Float32Array {
  const { x, y } = MercatorCoordinate.fromLngLat(middle);
  const lat = (middle[1] * Math.PI) / 180;
  const [east, north] = degrees(middle[1]);
  // One metre in the square of the world: along each axis by the ellipsoid, upwards as the map counts heights.
  const [sx, sy] = [1 / (360 * east), 1 / (360 * Math.cos(lat) * north)];
  const sz = MercatorCoordinate.fromLngLat(middle).meterInMercatorCoordinateUnits();
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

/** Where each corner is on the screen (-1 to 1) and how deep. */
function onScreen(mesh: Mesh, matrix: Float32Array, lifts: Float32Array): Float32Array {
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
function depthAt(seen: Float32Array, a: number, b: number, c: number, x: number, y: number): number {
  const at = (corner: number, axis: number): number => seen[corner * 3 + axis] ?? Number.NaN;
  const area = (at(b, 0) - at(a, 0)) * (at(c, 1) - at(a, 1)) - (at(c, 0) - at(a, 0)) * (at(b, 1) - at(a, 1));
  const share = (one: number, two: number): number => ((at(one, 0) - x) * (at(two, 1) - y) - (at(two, 0) - x) * (at(one, 1) - y)) / area;
  const [ofA, ofB, ofC] = [share(b, c), share(c, a), share(a, b)];
  return ofA >= 0 && ofB >= 0 && ofC >= 0 ? ofA * at(a, 2) + ofB * at(b, 2) + ofC * at(c, 2) : Infinity;
}

function buffer(gl: WebGL2RenderingContext, kind: number, content: Float32Array | Uint32Array): WebGLBuffer {
  const made = gl.createBuffer();
  gl.bindBuffer(kind, made);
  gl.bufferData(kind, content, gl.STATIC_DRAW);
  return made;
}

function programOf(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) continue;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}
