const WAIT_MS = 400;

/**
 * `<form method="get" data-preview="id">`: as one fills it in, the element of that id shows what its button would give.
 * The last answer asked for is the one shown; one that does not come leaves what is there.
 */
export function showPreviews(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-preview]")) {
    const shown = document.getElementById(form.dataset["preview"] ?? "");
    const button = form.querySelector<HTMLButtonElement>("button[name]");
    if (!shown || !button) continue;
    let timer = 0;
    let asked = new AbortController();
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => {
        asked.abort();
        asked = new AbortController();
        const query = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
        query.set(button.name, button.value);
        query.set("apercu", "1");
        void fetch(`?${query}`, { signal: asked.signal })
          .then((answer) => (answer.headers.get("Content-Type")?.startsWith("text/html") ? answer.text() : null))
          .then((text) => text === null || (shown.innerHTML = text))
          .catch(() => undefined);
      }, WAIT_MS);
    });
  }
}
