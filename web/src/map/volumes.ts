import { MercatorCoordinate, type CustomLayerInterface, type CustomRenderMethodInput, type Map as MapLibre } from "maplibre-gl";
import type { VolumesConfig } from "./config";
import { readGlb, type Mesh } from "./glb";
import type { Palette } from "./palette";
import { anchorOf, boxOf, degrees, depthAt, isOutOfSight, onScreen, placed, type Anchor, type Box } from "./placing";
import { programOf } from "./programs";

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
  anchor: Anchor;
  /** How much each corner rises from its altitude, and the box that then holds them all. */
  lifts: Float32Array;
  box: Box;
  state: WebGLVertexArrayObject;
  buffers: WebGLBuffer[];
  lift: WebGLBuffer;
}

/** What is drawn with, asked of the graphics processor once. */
interface Pen {
  program: WebGLProgram;
  matrix: WebGLUniformLocation | null;
  colour: WebGLUniformLocation | null;
  place: number;
  lift: number;
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
  #pen: Pen | null = null;
  readonly #asked = new Set<string>();
  readonly #read: { source: VolumesConfig; mesh: Mesh }[] = [];
  #tiles: Tile[] = [];
  #matrix: ArrayLike<number> = [];
  /** Whether feet were last put on a raised ground. */
  #raised = false;

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
    this.#pen = penOf(gl);
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
    for (const { state, buffers } of this.#tiles) {
      gl.deleteVertexArray(state);
      for (const one of buffers) gl.deleteBuffer(one);
    }
    gl.deleteProgram(this.#pen?.program ?? null);
    this.#pen = null;
    this.#tiles = [];
    this.#gl = null;
  }

  render(gl: WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    const pen = this.#pen;
    if (!pen || this.#map.getZoom() < NEAR_ZOOM - 0.5) return;
    this.#matrix = Array.from(defaultProjectionData.mainMatrix as ArrayLike<number>);
    gl.useProgram(pen.program);
    for (const { mesh, anchor, box, state } of this.#tiles) {
      const matrix = placed(this.#matrix, anchor);
      // Squares stay once read: those out of sight are left out of the frame.
      if (isOutOfSight(matrix, box)) continue;
      gl.uniformMatrix4fv(pen.matrix, false, matrix);
      gl.bindVertexArray(state);
      gl.uniform3fv(pen.colour, this.#roof);
      gl.drawElements(gl.TRIANGLES, mesh.roofs, gl.UNSIGNED_INT, 0);
      gl.uniform3fv(pen.colour, this.#wall);
      gl.drawElements(gl.TRIANGLES, mesh.corners.length - mesh.roofs, gl.UNSIGNED_INT, mesh.roofs * 4);
    }
    gl.bindVertexArray(null);
  }

  /** The address of the sheet of the building drawn at a point of the screen, the nearest one; null when there is none. */
  under(point: { x: number; y: number }): string | null {
    const { clientWidth: wide, clientHeight: high } = this.#map.getCanvas();
    const [x, y] = [(point.x / wide) * 2 - 1, 1 - (point.y / high) * 2];
    let [nearest, found]: [number, string | null] = [Infinity, null];
    if (!this.#matrix.length || this.#map.getLayoutProperty(this.id, "visibility") === "none") return null;
    for (const { source, mesh, anchor, lifts, box } of this.#tiles) {
      const matrix = placed(this.#matrix, anchor);
      if (isOutOfSight(matrix, box)) continue;
      const seen = onScreen(mesh, matrix, lifts);
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
    const lifts = this.#lifts(mesh);
    const state = gl.createVertexArray();
    gl.bindVertexArray(state);
    const [place, lift] = [buffer(gl, gl.ARRAY_BUFFER, mesh.places), buffer(gl, gl.ARRAY_BUFFER, lifts)];
    for (const [at, size, held] of [[this.#pen?.place, 3, place], [this.#pen?.lift, 1, lift]] as const) {
      if (at === undefined || at < 0) continue;
      gl.bindBuffer(gl.ARRAY_BUFFER, held);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    }
    const corner = buffer(gl, gl.ELEMENT_ARRAY_BUFFER, mesh.corners);
    gl.bindVertexArray(null);
    return { source, mesh, anchor: anchorOf(mesh.middle), lifts, box: boxOf(mesh, lifts), state, buffers: [place, lift, corner], lift };
  }

  /** Put every foot on the ground as the map draws it now, flat or raised. */
  readonly #settle = (): void => {
    const gl = this.#gl;
    const isRaised = this.#map.getTerrain() !== null;
    // A flat ground moves nobody.
    if (!gl || (!isRaised && !this.#raised)) return;
    this.#raised = isRaised;
    for (const tile of this.#tiles) {
      tile.lifts = this.#lifts(tile.mesh);
      tile.box = boxOf(tile.mesh, tile.lifts);
      gl.bindBuffer(gl.ARRAY_BUFFER, tile.lift);
      gl.bufferData(gl.ARRAY_BUFFER, tile.lifts, gl.STATIC_DRAW);
    }
  };

  /** How much each corner rises from its altitude so that its building's foot is on the ground. */
  #lifts(mesh: Mesh): Float32Array {
    const [sums, counts] = [mesh.buildings.map(() => [0, 0]), mesh.buildings.map(() => 0)];
    const isRaised = this.#map.getTerrain() !== null;
    this.#raised ||= isRaised;
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

function buffer(gl: WebGL2RenderingContext, kind: number, content: Float32Array | Uint32Array): WebGLBuffer {
  const made = gl.createBuffer();
  gl.bindBuffer(kind, made);
  gl.bufferData(kind, content, gl.STATIC_DRAW);
  return made;
}

function penOf(gl: WebGL2RenderingContext): Pen {
  const program = programOf(gl, VERTEX, FRAGMENT);
  const [matrix, colour] = ["matrix", "colour"].map((name) => gl.getUniformLocation(program, name));
  const [place, lift] = ["place", "lift"].map((name) => gl.getAttribLocation(program, name));
  return { program, matrix: matrix ?? null, colour: colour ?? null, place: place ?? -1, lift: lift ?? -1 };
}
