/**
 * In a form marked `data-bulk`: the box `data-bulk-all` ticks every row, and `data-bulk-count` says how many are ticked.
 * Its text holds the sentence for none, one and more, in `data-none`, `data-one` and `data-many` (with `{n}`).
 */
export function countSelected(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-bulk]")) {
    const boxes = [...form.querySelectorAll<HTMLInputElement>("input[data-bulk-row]")];
    const all = form.querySelector<HTMLInputElement>("input[data-bulk-all]");
    const told = form.querySelector<HTMLElement>("[data-bulk-count]");
    const update = (): void => {
      const ticked = boxes.filter((box) => box.checked).length;
      if (all) {
        all.checked = ticked === boxes.length && ticked > 0;
        all.indeterminate = ticked > 0 && ticked < boxes.length;
      }
      if (told) told.textContent = sentence(told, ticked);
      form.toggleAttribute("data-some", ticked > 0);
    };
    // The box of the whole column means nothing without a script: it is shown only now.
    all?.closest("[hidden]")?.removeAttribute("hidden");
    all?.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      update();
    });
    for (const box of boxes) box.addEventListener("change", update);
    update();
  }
}

function sentence(told: HTMLElement, ticked: number): string {
  const key = ticked === 0 ? "none" : ticked === 1 ? "one" : "many";
  return (told.dataset[key] ?? "").replace("{n}", String(ticked));
}
