/** The search box: suggests as one types, and goes to the thing chosen. Without it, the form answers by a page. */
import { combobox, type Option } from "./combobox";

interface Found {
  kind: string;
  title: string;
  details: string;
  category: string;
  url: string;
}

const OF_EACH = "2";
const SHOWN = 8;

for (const box of document.querySelectorAll<HTMLElement>("[data-search]")) enhance(box);

function enhance(box: HTMLElement): void {
  const field = box.querySelector("input");
  if (!field) return;
  const kinds = JSON.parse(box.dataset["kinds"] ?? "{}") as Record<string, string>;
  combobox<Found>(field, {
    ask: async (text, signal) => {
      const answer = await fetch(`${box.dataset["search"]}?${new URLSearchParams({ q: text, limit: OF_EACH })}`, {
        signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { results } = (await answer.json()) as { results: Found[] };
      return results.slice(0, SHOWN).map((one) => option(one, kinds));
    },
    choose: ({ value }) => window.location.assign(value.url),
    none: box.dataset["none"] ?? "",
    count: box.dataset["count"] ?? "",
  });
}

function option(found: Found, kinds: Record<string, string>): Option<Found> {
  const told = [kinds[found.kind], found.category].filter(Boolean).join(" · ");
  return { label: found.title, detail: told, value: found };
}
