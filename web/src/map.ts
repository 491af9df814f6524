import "./styles/map.css";
import { onDemand } from "./map/demand";
import { startTown } from "./map/town-start";
import type { TownMap } from "./map/town";
import { onceSeen } from "./map/when";

const showTown = async (element: HTMLElement): Promise<TownMap | null> => (await import("./map/town")).showTown(element);

for (const element of document.querySelectorAll<HTMLElement>("[data-map]")) {
  const button = element.parentElement?.querySelector<HTMLButtonElement>("[data-map-open]");
  const [open, read] = [() => showTown(element), () => void import("./map/town")];
  if ("town" in element.dataset) startTown(element, button ?? null, open, read);
  else if (button) onDemand(button, element, open, read);
  else onceSeen(element, () => void showTown(element));
}

/** The page of routes draws its own: the ways found, and two places to choose. */
for (const element of document.querySelectorAll<HTMLElement>("[data-route]")) {
  onceSeen(element, () => void import("./map/route").then(({ showRoutes }) => showRoutes(element)));
}

/** A form is filled in from top to bottom: its map is read when it comes into sight. */
for (const element of document.querySelectorAll<HTMLElement>("[data-pick]")) {
  onceSeen(element, () => void import("./map/picker").then(({ showPicker }) => showPicker(element)));
}
