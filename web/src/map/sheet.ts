import type { Words } from "./config";

/** One thing under the finger: what it is called and where its sheet is. */
export interface Found {
  layer: string;
  name: string;
  url: string;
}

/** The panel where the sheet of a thing is read, made by the server as on its own page. */
export class SheetPanel {
  readonly #panel: HTMLElement | null;
  readonly #words: Words;

  constructor(words: Words) {
    this.#panel = document.querySelector<HTMLElement>(".map-sheet");
    this.#words = words;
  }

  /** Read a sheet; `more` is the page of all that is known at the place that was touched, for the reader to go on to. */
  async open(url: string, more = ""): Promise<void> {
    if (!this.#panel) return;
    this.#panel.hidden = false;
    this.#panel.textContent = this.#words["reading"] ?? "";
    try {
      const response = await fetch(`${url}${url.includes("?") ? "&" : "?"}fragment`, { credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      this.#panel.replaceChildren(...page.body.childNodes, ...this.#onward(more));
      this.#focus();
    } catch {
      this.#panel.textContent = this.#words["unreadable"] ?? "";
    }
  }

  /** Several things lie under the finger: let the reader choose. */
  offer(things: Found[], more = ""): void {
    if (!this.#panel) return;
    const title = document.createElement("h2");
    title.tabIndex = -1;
    title.textContent = this.#words["several"] ?? "";
    const list = document.createElement("ul");
    list.className = "map-choice";
    for (const thing of things) {
      const line = document.createElement("li");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button quiet", textContent: `${thing.layer} : ${thing.name}` });
      button.addEventListener("click", () => void this.open(thing.url, more));
      line.append(button);
      list.append(line);
    }
    this.#panel.hidden = false;
    this.#panel.replaceChildren(title, list, ...this.#onward(more));
    this.#focus();
  }

  /** Nothing that is drawn lies under the finger: what is known around may be asked all the same. */
  leadOn(more: string): void {
    if (!this.#panel) return;
    this.#panel.hidden = false;
    this.#panel.replaceChildren(...this.#onward(more));
  }

  #onward(more: string): HTMLElement[] {
    if (!more) return [];
    const line = document.createElement("p");
    line.append(Object.assign(document.createElement("a"), { href: more, textContent: this.#words["here"] ?? "" }));
    return [line];
  }

  #focus(): void {
    this.#panel?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: false });
  }
}
