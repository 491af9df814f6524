/** A GLB of buildings as `sense/twin/glb.py` writes it: no other kind is read here. */
export interface Mesh {
  /** Longitude and latitude around which metres are counted. */
  middle: [lon: number, lat: number];
  /** East, up and south, in metres, three numbers per corner. */
  places: Float32Array;
  /** The rank of the building of each corner. */
  owners: Float32Array;
  corners: Uint32Array;
  /** How many of the corners, from the first, are those of roofs. */
  roofs: number;
  /** The id of each building and the altitude of its foot. */
  buildings: [id: string, base: number][];
  /** The ids of the blocks that these buildings stand in place of. */
  hidden: string[];
}

interface Root {
  scenes: { extras?: { middle: [number, number]; buildings: [string, number][]; hidden: string[] } }[];
  meshes?: { primitives: { attributes: Record<string, number>; indices: number; material: number }[] }[];
  accessors?: { bufferView: number; count: number; type: string }[];
  bufferViews?: { byteOffset: number }[];
}

/** Read a GLB; null when it holds nothing to draw. */
export function readGlb(content: ArrayBuffer): Mesh | null {
  const view = new DataView(content);
  const length = view.getUint32(12, true);
  const root = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 20, length))) as Root;
  const extras = root.scenes[0]?.extras;
  const primitives = root.meshes?.[0]?.primitives ?? [];
  if (!extras || !primitives.length) return null;
  const start = 20 + length + 8;
  const found = (index: number | undefined): { at: number; count: number } => {
    const accessor = root.accessors?.[index ?? -1];
    return { at: start + (root.bufferViews?.[accessor?.bufferView ?? -1]?.byteOffset ?? 0), count: accessor?.count ?? 0 };
  };
  const parts = primitives.map(({ attributes, indices, material }) => {
    const [place, owner, corner] = [found(attributes["POSITION"]), found(attributes["_FEATURE_ID_0"]), found(indices)];
    return {
      isRoof: material === 0,
      places: new Float32Array(content.slice(place.at, place.at + place.count * 12)),
      owners: new Float32Array(content.slice(owner.at, owner.at + owner.count * 4)),
      corners: new Uint32Array(content.slice(corner.at, corner.at + corner.count * 4)),
    };
  });
  const mesh = { ...extras, places: joined(parts.map((one) => one.places)), owners: joined(parts.map((one) => one.owners)) };
  const corners = new Uint32Array(parts.reduce((sum, one) => sum + one.corners.length, 0));
  let [at, first, roofs] = [0, 0, 0];
  for (const part of parts) {
    corners.set(part.corners.map((corner) => corner + first), at);
    at += part.corners.length;
    first += part.owners.length;
    if (part.isRoof) roofs = part.corners.length;
  }
  return { ...mesh, corners, roofs };
}

function joined(parts: Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
