import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from "maplibre-gl";
import { anchorOf, degrees, placed, type Anchor } from "./placing";
import { programOf } from "./programs";

/** Depths are drawn three times what they are: at their own scale, a pipe one metre down is under its street's kerb. */
export const EXAGGERATION = 3;
const HALF_WIDTH_M = 0.45;
const FLOATS = 6;

const VERTEX = `#version 300 es
uniform mat4 matrix;
in vec3 place;
in vec3 tint;
out vec3 colour;
void main() {
  colour = tint;
  gl_Position = matrix * vec4(place, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec3 colour;
out vec4 drawn;
void main() { drawn = vec4(colour, 1.0); }`;

type Spot = [east: number, north: number, up: number];

/** Lines at their depth below the ground, seen as if it were glass; a thread from the ground tells how deep each is. */
export class Deep implements CustomLayerInterface {
  readonly id: string;
  readonly type = "custom" as const;
  // Drawn over the plan of the ground, never hidden by it.
  readonly renderingMode = "2d" as const;
  marks = new Map<string, string>();
  readonly #map: MapLibre;
  #gl: WebGL2RenderingContext | null = null;
  #program: WebGLProgram | null = null;
  #buffer: WebGLBuffer | null = null;
  #state: WebGLVertexArrayObject | null = null;
  #anchor: Anchor | null = null;
  #faces = new Float32Array(0);
  #threads = new Float32Array(0);

  constructor(map: MapLibre, id: string) {
    this.#map = map;
    this.id = id;
  }

  onAdd(_map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#gl = gl;
    this.#program = programOf(gl, VERTEX, FRAGMENT);
    this.#buffer = gl.createBuffer();
    this.#state = gl.createVertexArray();
    gl.bindVertexArray(this.#state);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    for (const [name, at] of [["place", 0], ["tint", 12]] as const) {
      const slot = gl.getAttribLocation(this.#program, name);
      gl.enableVertexAttribArray(slot);
      gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, FLOATS * 4, at);
    }
    gl.bindVertexArray(null);
    this.#send();
  }

  onRemove(_map: MapLibre, gl: WebGL2RenderingContext): void {
    gl.deleteBuffer(this.#buffer);
    gl.deleteVertexArray(this.#state);
    gl.deleteProgram(this.#program);
    this.#gl = null;
  }

  render(gl: WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    if (!this.#anchor || !this.#program || !this.#faces.length) return;
    gl.useProgram(this.#program);
    const whole = Array.from(defaultProjectionData.mainMatrix as ArrayLike<number>);
    gl.uniformMatrix4fv(gl.getUniformLocation(this.#program, "matrix"), false, placed(whole, this.#anchor));
    gl.bindVertexArray(this.#state);
    gl.drawArrays(gl.TRIANGLES, 0, this.#faces.length / FLOATS);
    gl.drawArrays(gl.LINES, this.#faces.length / FLOATS, this.#threads.length / FLOATS);
    gl.bindVertexArray(null);
  }

  /** Draw the lines of a collection that say their depth; `property` names their mark. */
  fill(data: GeoJSON.FeatureCollection, property: string): void {
    const first = data.features.find(({ geometry }) => geometry.type === "LineString")?.geometry as GeoJSON.LineString | undefined;
    const middle = first?.coordinates[0];
    if (!middle) return;
    const [lon, lat] = [middle[0] ?? 0, middle[1] ?? 0];
    this.#anchor = anchorOf([lon, lat]);
    const [east, north] = degrees(lat);
    const raised = this.#map.getTerrain() !== null;
    const faces: number[] = [];
    const threads: number[] = [];
    for (const { geometry, properties } of data.features) {
      const depth = Number(properties?.["depth_m"]);
      if (geometry.type !== "LineString" || !(depth > 0)) continue;
      const tint = channels(this.marks.get(String(properties?.[property])) ?? this.marks.get("") ?? "#4a5568");
      const spots = geometry.coordinates.map(([x = 0, y = 0]): Spot => {
        const ground = raised ? (this.#map.queryTerrainElevation([x, y]) ?? 0) : 0;
        return [(x - lon) * east, (y - lat) * north, ground - depth * EXAGGERATION];
      });
      spots.slice(1).forEach((spot, rank) => faces.push(...tube(spots[rank] ?? spot, spot).flatMap((corner) => [...corner, ...tint])));
      const [x, y, up] = spots[0] ?? [0, 0, 0];
      threads.push(x, y, up + depth * EXAGGERATION, ...tint, x, y, up, ...tint);
    }
    this.#faces = Float32Array.from(faces);
    this.#threads = Float32Array.from(threads);
    this.#send();
  }

  #send(): void {
    const gl = this.#gl;
    if (!gl) return;
    const both = new Float32Array(this.#faces.length + this.#threads.length);
    both.set(this.#faces);
    both.set(this.#threads, this.#faces.length);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    gl.bufferData(gl.ARRAY_BUFFER, both, gl.STATIC_DRAW);
    this.#map.triggerRepaint();
  }
}

/** Two crossed bands along a stretch, lying and standing: thick from wherever one looks. */
function tube(from: Spot, to: Spot): Spot[] {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy) || 1;
  const side: Spot = [(-dy / length) * HALF_WIDTH_M, (dx / length) * HALF_WIDTH_M, 0];
  return [side, [0, 0, HALF_WIDTH_M] as Spot].flatMap((out) => {
    const at = (spot: Spot, sign: number): Spot => [spot[0] + out[0] * sign, spot[1] + out[1] * sign, spot[2] + out[2] * sign];
    return [at(from, 1), at(from, -1), at(to, 1), at(to, 1), at(from, -1), at(to, -1)];
  });
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
}
