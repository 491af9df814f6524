import { keepAndDeliver, newKey, parcels, whenChanged, type Parcel, type State } from "../offline/outbox";
import { somethingWaits } from "../offline/waiting";
import { shrunk } from "../report/photos";

/** What the page says, in the reader's language, of each state of what was told done. */
type Words = Partial<Record<State, string>> & { nowhere?: string; token?: string; who?: string };

/**
 * `<form data-field="address that receives" data-title>`: what is told done is kept on this device before the first try,
 * then sent once, however often it is tried, with the moment and, where the form asks (`data-stand`), the place.
 */
export function offerForms(root: HTMLElement): void {
  if (!("indexedDB" in window)) return;
  const words = root.dataset as Words;
  const forms = [...root.querySelectorAll<HTMLFormElement>("form[data-field]")];

  const show = async (): Promise<void> => {
    // The last word on each thing is the one shown.
    const latest = new Map((await parcels()).reverse().map((one) => [one.receive, one]));
    for (const form of forms) tell(form, latest.get(form.dataset["field"] ?? ""), words);
  };

  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (form.reportValidity()) void send(form, words, show);
    });
  }
  whenChanged(() => void show().catch(() => {}));
  void show().catch(() => {});
}

async function send(form: HTMLFormElement, words: Words, show: () => Promise<void>): Promise<void> {
  const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
  if (button) button.disabled = true;
  try {
    if ("stand" in form.dataset && !(await placed(form))) {
      state(form).textContent = words.nowhere ?? "";
      return;
    }
    const made = await parcelOf(form, words);
    const tried = await keepAndDeliver(made, () => {
      somethingWaits(true);
      void show();
    });
    if (tried.state === "lost") {
      // Tried again by hand, it is the same sending.
      form.dataset["key"] = made.key;
      state(form).textContent = words.lost ?? "";
    } else {
      delete form.dataset["key"];
      if (!(await parcels().catch(() => [])).some((one) => one.key === made.key)) tell(form, tried, words);
      await show().catch(() => {});
    }
    state(form).focus();
  } finally {
    if (button) button.disabled = false;
  }
}

async function parcelOf(form: HTMLFormElement, words: Words): Promise<Parcel> {
  const moment = new Date();
  const fields: [string, string][] = [];
  const files: File[] = [];
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== "string") files.push(value);
    else if (name !== "csrfmiddlewaretoken") fields.push([name, name === "done_at" || name === "seen_at" ? moment.toISOString() : value]);
  }
  const photos = await Promise.all(files.filter((file) => file.size > 0).map((file) => shrunk(file).catch(() => file)));
  return {
    key: form.dataset["key"] ?? newKey(),
    at: moment.getTime(),
    title: form.dataset["title"] ?? "",
    fields,
    photos,
    receive: form.dataset["field"] ?? "",
    token: words.token ?? "",
    mend: location.pathname + location.search,
    by: words.who ?? "",
    state: "waiting",
  };
}

/** Fill in where one stands; without a position, open the fields to be written by hand and say no. */
async function placed(form: HTMLFormElement): Promise<boolean> {
  const [lat, lon] = ["lat", "lon"].map((name) => form.querySelector<HTMLInputElement>(`input[name=${name}]`));
  if (!lat || !lon || (lat.value && lon.value)) return true;
  const here = await new Promise<GeolocationPosition | null>((resolve) =>
    navigator.geolocation.getCurrentPosition(resolve, () => resolve(null), { enableHighAccuracy: true, timeout: 15_000 }),
  );
  if (!here) {
    const byHand = lat.closest("details");
    if (byHand) byHand.open = true;
    lat.focus();
    return false;
  }
  lat.value = here.coords.latitude.toFixed(6);
  lon.value = here.coords.longitude.toFixed(6);
  return true;
}

/** What was told is not asked again, unless it was refused. */
function tell(form: HTMLFormElement, one: Parcel | undefined, words: Words): void {
  form.hidden = one !== undefined && one.state !== "refused";
  if (one) state(form).textContent = (words[one.state] ?? "").replace("{why}", one.why ?? "");
}

function state(form: HTMLFormElement): HTMLElement {
  return form.parentElement?.querySelector<HTMLElement>("[data-field-state]") ?? form;
}
