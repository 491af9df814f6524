const OFF = "beffroi-touches-coupees";

/**
 * `<dialog data-shortcuts>` lists the keys: each `<a data-key="d">` is followed when its key is pressed, and « ? » opens
 * the list. Never while one writes, never with Ctrl, Alt or Meta; a box in the dialogue switches them off (WCAG 2.1.4).
 */
export function listenToKeys(root: ParentNode): void {
  const dialog = root.querySelector<HTMLDialogElement>("dialog[data-shortcuts]");
  if (!dialog) return;
  const box = dialog.querySelector<HTMLInputElement>("[data-shortcuts-on]");
  if (box) {
    box.checked = localStorage.getItem(OFF) === null;
    box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey && !event.repeat) sendAndGoOn(event);
    if (event.repeat || !listens(event)) return;
    if (event.key === "?") dialog.showModal();
    else press(root, dialog, event);
  });
}

/** Ctrl and Enter in a form that has `<button data-and-next>` press it: what is done is sent, and the next one comes. */
function sendAndGoOn(event: KeyboardEvent): void {
  const form = event.target instanceof Element ? event.target.closest("form") : null;
  form?.querySelector<HTMLButtonElement>("button[data-and-next]")?.click();
}

/** A key of the page (`[data-key]` on a link, or on the summary of what one then fills in) goes before those of the house. */
function press(root: ParentNode, dialog: HTMLDialogElement, event: KeyboardEvent): void {
  const selector = `[data-key="${CSS.escape(event.key)}"]`;
  const here = [...root.querySelectorAll<HTMLElement>(selector)].find((one) => !dialog.contains(one));
  if (!here) return dialog.querySelector<HTMLAnchorElement>(`a${selector}`)?.click();
  event.preventDefault();
  if (!(here.parentElement instanceof HTMLDetailsElement)) return here.click();
  here.parentElement.open = true;
  here.parentElement.querySelector<HTMLElement>("input:not([type=hidden]), textarea, select, button")?.focus();
}

/** Whether keys act now: not while one writes, not with Ctrl, Alt or Meta, not when they are switched off. */
export function listens(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.altKey && !event.metaKey && localStorage.getItem(OFF) === null && !writes(event.target);
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], canvas") !== null;
}
