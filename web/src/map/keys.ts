const STEP_PX = 12;
const FINE_PX = 2;
const KEYS: Record<string, [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Move what has the focus by the arrow keys, in pixels of the map; Shift moves it finely. */
export function arrowStep(event: KeyboardEvent): [x: number, y: number] | null {
  const [x, y] = KEYS[event.key] ?? [0, 0];
  if (!x && !y) return null;
  event.preventDefault();
  event.stopPropagation();
  const step = event.shiftKey ? FINE_PX : STEP_PX;
  return [x * step, y * step];
}
