import "./styles/map.css";

/** Read the map's code only where there is a map, so that the page itself is there first. */
for (const element of document.querySelectorAll<HTMLElement>("[data-map]")) {
  void import("./map/town").then(({ showTown }) => showTown(element));
}

/** The page of routes draws its own: the ways found, and two places to choose. */
for (const element of document.querySelectorAll<HTMLElement>("[data-route]")) {
  void import("./map/route").then(({ showRoutes }) => showRoutes(element));
}

/** A form is filled in from top to bottom: its map is read when it comes into sight. */
const pickers = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    pickers.unobserve(target);
    void import("./map/picker").then(({ showPicker }) => showPicker(target as HTMLElement));
  }
});
for (const element of document.querySelectorAll<HTMLElement>("[data-pick]")) pickers.observe(element);
