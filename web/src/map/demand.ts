/** A small map is a picture until it is asked for: MapLibre costs a phone a second of work and half a megabyte.
 *
 * The button covers the picture: a touch anywhere opens the map. A pointer or the focus on it reads the code ahead.
 */
export function onDemand(button: HTMLButtonElement, element: HTMLElement, open: () => Promise<unknown>, read: () => void): void {
  button.hidden = false;
  for (const sign of ["pointerenter", "focus"]) button.addEventListener(sign, read, { once: true });
  button.addEventListener(
    "click",
    () => {
      const wasFocused = document.activeElement === button;
      button.hidden = true;
      void open().then(() => {
        // Who asked for it is on it: a keyboard goes on from there.
        if (wasFocused) element.querySelector<HTMLElement>(".maplibregl-canvas")?.focus({ preventScroll: true });
      });
    },
    { once: true },
  );
}
