/**
 * `<form data-refresh="id">`: when a field changes, that part of the page is read again from the server, and the live
 * layer it names (`data-overlay`, `data-address`) is read at its new address. The button stays for those who have no
 * JavaScript; the slider says its hour at once.
 */
export function bindRefreshes(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-refresh]")) {
    let timer = 0;
    let asked = 0;
    const read = async (): Promise<void> => {
      const rank = (asked += 1);
      const url = new URL(location.pathname, location.href);
      for (const [name, value] of new FormData(form)) if (typeof value === "string") url.searchParams.set(name, value);
      const response = await fetch(url, { credentials: "same-origin" });
      const part = document.getElementById(form.dataset["refresh"] ?? "");
      if (!response.ok || !part) return form.submit();
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById(part.id);
      // A later answer may have come first.
      if (!fresh || rank !== asked) return;
      part.replaceChildren(...fresh.childNodes);
      history.replaceState(null, "", url.search + location.hash);
      const layer = part.querySelector<HTMLElement>("[data-overlay]");
      const detail = { id: layer?.dataset["overlay"], url: layer?.dataset["address"] };
      document.dispatchEvent(new CustomEvent("beffroi:overlay", { detail }));
    };
    form.addEventListener("input", (event) => {
      tell(event.target);
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void read().catch(() => form.submit()), 200);
    });
  }
}

/** Say what a slider is at, beside it and to who listens. */
function tell(field: EventTarget | null): void {
  if (!(field instanceof HTMLInputElement) || field.type !== "range") return;
  const told = field.parentElement?.querySelector("output");
  if (!told) return;
  const said = (told.dataset["said"] ?? "{hour}").replace("{hour}", field.value).replace("{next}", String(Number(field.value) + 1));
  told.textContent = said;
  field.setAttribute("aria-valuetext", said);
}
