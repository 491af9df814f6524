/** Tell, before sending, what will be sent: place, category, answers, words, photos. */
export function summary(list: HTMLElement, form: HTMLFormElement, words: DOMStringMap, category: string, photos: number): void {
  const data = new FormData(form);
  const given = (name: string): string => String(data.get(name) ?? "").trim();
  const point = given("lat") ? `${given("lat")}, ${given("lon")}` : given("zone") ? words["zone"] : "";
  const lines: [string, string][] = [
    [words["place"] ?? "", given("address") || point || ""],
    [words["category"] ?? "", category],
    ...answers(form),
    [words["said"] ?? "", given("description")],
    [words["photos"] ?? "", photos ? String(photos) : ""],
  ];
  list.replaceChildren(...lines.filter(([, text]) => text).flatMap(([title, text]) => [line("dt", title), line("dd", text)]));
}

function line(tag: "dt" | "dd", text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function answers(form: HTMLFormElement): [string, string][] {
  return Array.from(form.querySelectorAll<HTMLElement>("[data-specifics] .field"), (field) => {
    const title = (field.querySelector("legend, label")?.firstChild?.textContent ?? "").trim();
    const radio = field.querySelector<HTMLInputElement>("input[type=radio]:checked");
    if (radio) return [title, radio.nextElementSibling?.textContent?.trim() ?? radio.value];
    const listed = field.querySelector<HTMLSelectElement>("select");
    if (listed) return [title, listed.value && (listed.selectedOptions[0]?.textContent?.trim() ?? "")];
    const input = field.querySelector<HTMLInputElement | HTMLTextAreaElement>("input:not([type=radio]), textarea");
    if (input instanceof HTMLInputElement && input.type === "checkbox") return [title, input.checked ? "✓" : ""];
    return [title, input?.value.trim() ?? ""];
  });
}
