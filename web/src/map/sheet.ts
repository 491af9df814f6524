import type { Words } from "./config";

/** The panel where the sheet of a thing is read, made by the server as on its own page. */
export class SheetPanel {
  readonly #panel: HTMLElement | null;
  readonly #words: Words;

  constructor(words: Words) {
    this.#panel = document.querySelector<HTMLElement>(".map-sheet");
    this.#words = words;
  }

  async open(url: string): Promise<void> {
    if (!this.#panel) return;
    this.#panel.hidden = false;
    this.#panel.textContent = this.#words.reading;
    try {
      const response = await fetch(`${url}?fragment`, { credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      this.#panel.replaceChildren(...page.body.childNodes);
      this.#panel.querySelector<HTMLElement>("h2")?.focus({ preventScroll: false });
    } catch {
      this.#panel.textContent = this.#words.unreadable;
    }
  }
}
