/** How many presses of the Shift key leave the page: nobody does it by chance, and no screen reader uses it. */
const PRESSES = 3;
const WITHIN_MS = 2000;

/**
 * `<a data-exit href="…">` leaves at once: the page is emptied, then replaced in the history of the tab; three presses of
 * the Shift key do the same. Without JavaScript it is a plain link. It may come later than this call.
 */
export function offerExit(): void {
  let pressed: number[] = [];
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-exit]") : null;
    if (!link) return;
    event.preventDefault();
    leave(link.href);
  });
  document.addEventListener("keydown", (event) => {
    const link = document.querySelector<HTMLAnchorElement>("a[data-exit]");
    if (!link || event.repeat) return;
    const now = Date.now();
    pressed = event.key === "Shift" ? [...pressed.filter((at) => now - at < WITHIN_MS), now] : [];
    if (pressed.length >= PRESSES) leave(link.href);
  });
  for (const hint of document.querySelectorAll<HTMLElement>("[data-exit-key]")) hint.hidden = false;
}

function leave(address: string): void {
  // What is read over a shoulder goes before the network answers.
  document.body.replaceChildren();
  document.title = "";
  location.replace(address);
}
