/** Do something once the page is painted and has nothing more urgent to do; within a second in any case. */
export function onceIdle(act: () => void): void {
  const later = "requestIdleCallback" in window ? () => requestIdleCallback(act, { timeout: 1000 }) : () => setTimeout(act);
  requestAnimationFrame(() => setTimeout(later));
}

/** Do something the first time an element comes into sight. */
export function onceSeen(element: HTMLElement, act: () => void): void {
  const watching = new IntersectionObserver((seen) => {
    if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
    watching.disconnect();
    act();
  });
  watching.observe(element);
}
