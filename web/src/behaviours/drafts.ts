/**
 * `<form data-draft>`: what is typed is kept on the device until the form is sent, a week at most.
 *
 * Nothing secret is kept: passwords, files and hidden fields are left out, and signing out forgets everything. A draft
 * that was sent goes once a page of the site has answered; when no page answers, it is still there.
 */
const PREFIX = "draft:";
const WEEK_MS = 7 * 24 * 3600 * 1000;
const SKIPPED = new Set(["password", "file", "hidden", "submit", "button", "reset"]);

interface Draft {
  at: number;
  sent: boolean;
  values: Record<string, string[]>;
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

export function keepDrafts(root: ParentNode): void {
  const forms = [...root.querySelectorAll<HTMLFormElement>("form[data-draft]")];
  sweep(document.body.hasAttribute("data-offline"));
  for (const form of root.querySelectorAll<HTMLFormElement>("form[action$='/logout/']")) {
    form.addEventListener("submit", () => names().forEach((key) => localStorage.removeItem(key)));
  }
  for (const [position, form] of forms.entries()) {
    const key = `${PREFIX}${location.pathname}#${form.dataset["draft"] || position}`;
    const refused = form.querySelector("[data-error-summary]") !== null;
    if (!refused) restore(form, key);
    form.addEventListener("input", () => write(key, { at: Date.now(), sent: false, values: valuesOf(form) }));
    form.addEventListener("submit", () => {
      const draft = read(key);
      if (draft) write(key, { ...draft, sent: true });
    });
  }
}

/** Whether what is typed in this field is kept on the device. */
export function draftHolds(form: HTMLFormElement, field: HTMLInputElement): boolean {
  return "draft" in form.dataset && !SKIPPED.has(field.type);
}

function names(): string[] {
  return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
}

/** Forget drafts sent and those a week old; offline, what was sent did not arrive. */
function sweep(offline: boolean): void {
  for (const key of names()) {
    const draft = read(key);
    if (draft && offline && draft.sent) write(key, { ...draft, sent: false });
    else if (!draft || draft.sent || Date.now() - draft.at > WEEK_MS) localStorage.removeItem(key);
  }
}

function restore(form: HTMLFormElement, key: string): void {
  const draft = read(key);
  if (!draft) return;
  let changed = false;
  for (const field of fieldsOf(form)) {
    const values = draft.values[field.name];
    if (values) changed = fill(field, values) || changed;
  }
  if (changed) form.querySelector<HTMLElement>("[data-draft-note]")?.removeAttribute("hidden");
  form.querySelector("[data-draft-forget]")?.addEventListener("click", () => {
    localStorage.removeItem(key);
    form.reset();
    form.querySelector("[data-draft-note]")?.setAttribute("hidden", "");
  });
}

function fill(field: Field, values: string[]): boolean {
  if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) {
    const wanted = values.includes(field.value);
    const changed = field.checked !== wanted;
    field.checked = wanted;
    return changed;
  }
  if (field instanceof HTMLSelectElement && field.multiple) {
    for (const option of field.options) option.selected = values.includes(option.value);
    return true;
  }
  const changed = field.value !== (values[0] ?? "");
  field.value = values[0] ?? "";
  return changed;
}

function valuesOf(form: HTMLFormElement): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const field of fieldsOf(form)) {
    const box = field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");
    const chosen = field instanceof HTMLSelectElement && field.multiple ? [...field.selectedOptions].map((o) => o.value) : [field.value];
    values[field.name] = [...(values[field.name] ?? []), ...(box && !field.checked ? [] : chosen)];
  }
  return values;
}

function fieldsOf(form: HTMLFormElement): Field[] {
  return [...form.elements].filter(
    (one): one is Field =>
      (one instanceof HTMLInputElement || one instanceof HTMLTextAreaElement || one instanceof HTMLSelectElement) &&
      one.name !== "" &&
      !SKIPPED.has(one.type),
  );
}

function read(key: string): Draft | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

function write(key: string, draft: Draft): void {
  try {
    localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // The device has no room left, or refuses: the form works as it did before drafts.
  }
}
