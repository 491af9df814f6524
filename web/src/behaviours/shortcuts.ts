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
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || localStorage.getItem(OFF) !== null) return;
    if (writes(event.target)) return;
    if (event.key === "?") dialog.showModal();
    else dialog.querySelector<HTMLAnchorElement>(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
  });
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], canvas") !== null;
}
