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

  async open(url: string): Promise<void> {
    if (!this.#panel) return;
    this.#panel.hidden = false;
    this.#panel.textContent = this.#words["reading"] ?? "";
    try {
      const response = await fetch(`${url}${url.includes("?") ? "&" : "?"}fragment`, { credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      this.#panel.replaceChildren(...page.body.childNodes);
      this.#focus();
    } catch {
      this.#panel.textContent = this.#words["unreadable"] ?? "";
    }
  }

  /** Several things lie under the finger: let the reader choose. */
  offer(things: Found[]): void {
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
      button.addEventListener("click", () => void this.open(thing.url));
      line.append(button);
      list.append(line);
    }
    this.#panel.hidden = false;
    this.#panel.replaceChildren(title, list);
    this.#focus();
  }

  #focus(): void {
    this.#panel?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: false });
  }
}
