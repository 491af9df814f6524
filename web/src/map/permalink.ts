/** What the address keeps of the map, after `#`: where one looks from and which layers are on. */
export interface Place {
  lon: number;
  lat: number;
  zoom: number;
  bearing: number;
  pitch: number;
  layers: string[];
}

export function readPlace(hash: string): Partial<Place> {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (name: string): number | undefined => {
    const text = values.get(name);
    const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  };
  const place: Partial<Place> = {};
  const [lon, lat, zoom, bearing, pitch] = ["lon", "lat", "z", "cap", "pente"].map(number);
  if (lon !== undefined && lat !== undefined && Math.abs(lat) <= 85 && Math.abs(lon) <= 180) {
    place.lon = lon;
    place.lat = lat;
  }
  if (zoom !== undefined) place.zoom = Math.min(22, Math.max(0, zoom));
  if (bearing !== undefined) place.bearing = bearing;
  if (pitch !== undefined) place.pitch = Math.min(60, Math.max(0, pitch));
  const layers = values.get("couches");
  if (layers !== null) place.layers = layers.split(",").filter(Boolean);
  return place;
}

export function writePlace(place: Place): string {
  const parts = [`z=${place.zoom.toFixed(2)}`, `lat=${place.lat.toFixed(5)}`, `lon=${place.lon.toFixed(5)}`];
  if (Math.abs(place.bearing) >= 1) parts.push(`cap=${place.bearing.toFixed(0)}`);
  if (place.pitch >= 1) parts.push(`pente=${place.pitch.toFixed(0)}`);
  if (place.layers.length) parts.push(`couches=${place.layers.map(encodeURIComponent).join(",")}`);
  return `#${parts.join("&")}`;
}
