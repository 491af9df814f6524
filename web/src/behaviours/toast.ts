/** The button of a toast closes it; focus then goes back to the content. */
export function dismissToasts(root: ParentNode): void {
  for (const toast of root.querySelectorAll<HTMLElement>("[data-toast]")) {
    toast.querySelector("[data-dismiss]")?.addEventListener("click", () => {
      toast.remove();
      document.getElementById("contenu")?.focus({ preventScroll: true });
    });
  }
}

/** Say something that just happened, at the foot of the page, from the template `#toast` of the base page. */
export function toast(text: string, action?: { label: string; run: () => void }): HTMLElement | null {
  const place = document.getElementById("toasts");
  const template = document.getElementById("toast");
  if (!place || !(template instanceof HTMLTemplateElement)) return null;
  const made = template.content.firstElementChild?.cloneNode(true) as HTMLElement;
  const [said, button] = [made.querySelector("p"), made.querySelector<HTMLButtonElement>("[data-act]")];
  if (said) said.textContent = text;
  if (button && action) {
    button.textContent = action.label;
    button.hidden = false;
    button.addEventListener("click", action.run);
  }
  place.append(made);
  dismissToasts(place);
  return made;
}
