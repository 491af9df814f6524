import { STYLES, type StyleName } from "./palette";

/** What the address keeps of the map, after `#`: where one looks from, what is on and how it is drawn. */
export interface Place {
  lon: number;
  lat: number;
  zoom: number;
  bearing: number;
  pitch: number;
  /** Data layers on, each with its opacity from 0 to 1. */
  layers: [id: string, opacity: number][];
  /** Live layers on. */
  live: string[];
  style: StyleName;
  /** Whether the ground is raised to its heights. */
  raised: boolean;
  /** Parts of the base map that are off. */
  hidden: string[];
}

/** What the page shows by itself, which the address need not say. */
export interface Usual {
  style: StyleName;
  layers: string[];
  live: string[];
}

export function readPlace(hash: string): Partial<Place> {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (name: string): number | undefined => {
    const text = values.get(name);
    const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  };
  const list = (name: string): string[] | undefined => values.get(name)?.split(",").filter(Boolean);
  const place: Partial<Place> = {};
  const [lon, lat, zoom, bearing, pitch] = ["lon", "lat", "z", "cap", "pente"].map(number);
  if (lon !== undefined && lat !== undefined && Math.abs(lat) <= 85 && Math.abs(lon) <= 180) {
    place.lon = lon;
    place.lat = lat;
  }
  if (zoom !== undefined) place.zoom = Math.min(22, Math.max(0, zoom));
  if (bearing !== undefined) place.bearing = bearing;
  if (pitch !== undefined) place.pitch = Math.min(70, Math.max(0, pitch));
  const [layers, live, style] = [list("couches"), list("direct"), values.get("style")];
  if (layers) place.layers = layers.map(readLayer);
  if (live) place.live = live;
  place.hidden = list("sans") ?? [];
  const known = STYLES.find((name) => name === style);
  if (known) place.style = known;
  if (values.has("terrain")) place.raised = values.get("terrain") === "1";
  return place;
}

/** `arbres` or `arbres:60`, a layer and its opacity in percent. */
function readLayer(text: string): [id: string, opacity: number] {
  const [id, percent] = text.split(":");
  const opacity = Number(percent ?? 100) / 100;
  return [id ?? "", opacity >= 0.1 && opacity <= 1 ? opacity : 1];
}

/** A list is written empty where all that the page shows by itself was turned off: it stays off for who opens it. */
export function writePlace(place: Place, usual: Usual): string {
  const parts = [`z=${place.zoom.toFixed(2)}`, `lat=${place.lat.toFixed(5)}`, `lon=${place.lon.toFixed(5)}`];
  if (Math.abs(place.bearing) >= 1) parts.push(`cap=${place.bearing.toFixed(0)}`);
  if (place.pitch >= 1) parts.push(`pente=${place.pitch.toFixed(0)}`);
  const layers = place.layers.map(([id, opacity]) => encodeURIComponent(id) + (opacity < 1 ? `:${Math.round(opacity * 100)}` : ""));
  if (layers.length || usual.layers.length) parts.push(`couches=${layers.join(",")}`);
  if (place.live.length || usual.live.length) parts.push(`direct=${place.live.map(encodeURIComponent).join(",")}`);
  if (place.hidden.length) parts.push(`sans=${place.hidden.map(encodeURIComponent).join(",")}`);
  if (place.raised) parts.push("terrain=1");
  if (place.style !== usual.style) parts.push(`style=${place.style}`);
  return `#${parts.join("&")}`;
}
