import "./styles/map.css";
import { readConfig } from "./map/config";
import { announce, TownMap } from "./map/town";

for (const element of document.querySelectorAll<HTMLElement>("[data-map]")) {
  const config = readConfig(element);
  announce(element, config.words.loading);
  try {
    new TownMap(element, config).start();
  } catch {
    // No WebGL, or an old device: the list says the same.
    announce(element, config.words.failed);
  }
}
