import type { Map as MapLibre } from "maplibre-gl";

const synced: MapLibre[] = [];
let leading = false;

/** Move the maps of a page together: two days of one place. */
export function sync(map: MapLibre): void {
  synced.push(map);
  map.on("move", () => {
    if (leading) return;
    leading = true;
    const view = { center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() };
    for (const other of synced) if (other !== map) other.jumpTo(view);
    leading = false;
  });
}
