/** A text field that proposes: the ARIA combobox with a list, over a field that works without it. */
export interface Option<T> {
  label: string;
  detail: string;
  value: T;
}

export interface Source<T> {
  /** Returns what may be meant by `text`; a rejected promise proposes nothing. */
  ask: (text: string, signal: AbortSignal) => Promise<Option<T>[]>;
  choose: (option: Option<T>) => void;
  /** Told when the text changes otherwise than by a choice. */
  changed?: () => void;
  /** What is said when nothing answers, and before the number of options. */
  none: string;
  count: string;
}

const LETTERS = 2;
const WAIT_MS = 90;
let made = 0;

export function combobox<T>(field: HTMLInputElement, source: Source<T>): void {
  const id = `propositions-${++made}`;
  const list = document.createElement("ul");
  const status = document.createElement("p");
  let options: Option<T>[] = [];
  let active = -1;
  let asking: AbortController | undefined;
  let waiting = 0;

  list.id = id;
  list.className = "options";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", source.count);
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  field.after(list, status);
  field.autocomplete = "off";
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": id,
  }))
    field.setAttribute(name, value);

  const close = (): void => {
    window.clearTimeout(waiting);
    asking?.abort();
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    activate(-1);
  };

  const activate = (place: number): void => {
    active = place;
    for (const [at, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(at === place));
    const item = list.children[place];
    if (item) {
      field.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  };

  const choose = (place: number): void => {
    const option = options[place];
    close();
    if (option) source.choose(option);
  };

  const show = (found: Option<T>[]): void => {
    options = found;
    list.replaceChildren(
      ...found.map((option, at) => {
        const item = document.createElement("li");
        item.id = `${id}-${at}`;
        item.setAttribute("role", "option");
        item.append(option.label);
        if (option.detail) {
          const detail = document.createElement("span");
          detail.textContent = option.detail;
          item.append(" ", detail);
        }
        // Before the field loses the focus, which would close the list.
        item.addEventListener("pointerdown", (event) => event.preventDefault());
        item.addEventListener("click", () => choose(at));
        return item;
      }),
    );
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = found.length ? `${source.count} ${found.length}` : source.none;
    activate(-1);
  };

  const ask = async (): Promise<void> => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const text = field.value.trim();
    try {
      const found = await source.ask(text, signal);
      if (!signal.aborted && document.activeElement === field) show(found);
    } catch {
      // Without an answer the field is what it was: a text to send.
      if (!signal.aborted) close();
    }
  };

  field.addEventListener("input", () => {
    source.changed?.();
    window.clearTimeout(waiting);
    if (field.value.trim().length < LETTERS) close();
    else waiting = window.setTimeout(() => void ask(), WAIT_MS);
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    const last = options.length - 1;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && !list.hidden && active >= 0) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) {
        if (field.value.trim().length >= LETTERS) void ask();
      } else if (event.key === "ArrowDown") activate(active < last ? active + 1 : 0);
      else activate(active > 0 ? active - 1 : last);
    }
  });
}
