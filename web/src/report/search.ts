/** Narrow the list of categories as one types, by the words of each; accents and capitals do not count. */
export function filterCategories(form: HTMLFormElement, found: string): void {
  const field = form.querySelector<HTMLInputElement>("section[data-step=what] input[name=q]");
  if (!field) return;
  const section = field.closest("section") as HTMLElement;
  const lines = Array.from(section.querySelectorAll<HTMLElement>("[data-words]"), (line) => ({ line, words: plain(line.dataset["words"] ?? "") }));
  field.addEventListener("input", () => {
    const wanted = plain(field.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { line, words } of lines) {
      line.hidden = !wanted.every((word) => words.includes(word));
      if (!line.hidden) count++;
    }
    for (const group of section.querySelectorAll<HTMLElement>("[data-group]")) group.hidden = !group.querySelector("[data-words]:not([hidden])");
    section.querySelector("[data-popular]")?.toggleAttribute("hidden", wanted.length > 0);
    section.querySelector("[data-none]")?.toggleAttribute("hidden", count > 0);
    const status = section.querySelector("[data-found]");
    if (status) status.textContent = wanted.length ? `${found} ${count}` : "";
  });
}

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").replace(/œ/g, "oe").replace(/’/g, "'").toLowerCase();
}
