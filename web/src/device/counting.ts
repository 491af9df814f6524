import { isLeftOut, leaveOut } from "../presence";

/** The button by which this device is counted no more, or again. */
export function offerCounting(root: ParentNode): void {
  const place = root.querySelector<HTMLElement>("[data-counted]");
  const button = place?.querySelector("button");
  const told = root.querySelector<HTMLElement>("[data-counting] [data-told]");
  if (!place || !button || !told) return;
  const off = button.textContent ?? "";
  const show = (): void => {
    button.textContent = isLeftOut() ? (button.dataset["on"] ?? "") : off;
    button.setAttribute("aria-pressed", String(isLeftOut()));
  };
  button.addEventListener("click", () => {
    leaveOut(!isLeftOut());
    show();
    told.textContent = (isLeftOut() ? told.dataset["off"] : told.dataset["back"]) ?? "";
  });
  show();
  place.hidden = false;
}
