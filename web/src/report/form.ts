import { forget, keepAndDeliver, newKey, parcel, type Parcel } from "../offline/outbox";
import { somethingWaits } from "../offline/waiting";
import { whoWrites } from "../offline/who";
import { Photos } from "./photos";
import { filterCategories } from "./search";
import { summary } from "./summary";

type Step = "where" | "what" | "details" | "check";

const NUMBERS: Record<Step, number> = { where: 1, what: 2, details: 2, check: 3 };
const NOT_SENT = new Set(["csrfmiddlewaretoken", "step", "go", "q", "photo", "place-near", "key"]);

/** The steps of the form as one page, which needs the network only to send. */
export class ReportForm {
  readonly #form: HTMLFormElement;
  readonly #words: DOMStringMap;
  readonly #photos: Photos | null;
  #key = newKey();
  #category = "";
  #step: Step = "where";
  #busy = false;
  #who: Promise<string>;

  constructor(form: HTMLFormElement) {
    this.#form = form;
    this.#who = whoWrites(form.dataset["token"] ?? "");
    this.#words = form.querySelector<HTMLElement>("template[data-words]")?.dataset ?? {};
    const steps = form.querySelector<HTMLTemplateElement>("template[data-next-steps]");
    if (steps) form.append(steps.content.cloneNode(true));
    form.classList.add("one-page");
    for (const section of this.#sections()) section.hidden = section.dataset["step"] !== "where";
    const photos = form.querySelector<HTMLElement>("div[data-photos]");
    const { blur = "", remove = "", unreadable = "", tooMany = "" } = this.#words;
    this.#photos = photos
      ? new Photos(photos, form.querySelector("dialog[data-blur]"), { blur, remove, unreadable, tooMany }, (problem) => this.#tell("details", problem))
      : null;
  }

  async start(): Promise<void> {
    const form = this.#form;
    form.querySelector("input[name=step]")?.remove();
    form.addEventListener("submit", (event) => void this.#submit(event));
    form.addEventListener("keydown", (event) => this.#enter(event));
    form.querySelector("[data-here]")?.addEventListener("click", () => this.#here());
    form.addEventListener("address", (event) => {
      const { lon, lat } = (event as CustomEvent<{ lon: string; lat: string }>).detail;
      if (lon && lat) this.#place(Number(lon), Number(lat));
    });
    addEventListener("popstate", (event) => this.#show((event.state as { step?: Step } | null)?.step ?? "where", false));
    filterCategories(form, this.#words["found"] ?? "");
    form.querySelector<HTMLElement>("[data-here]")?.removeAttribute("hidden");
    const begun = form.querySelector<HTMLInputElement>("input[type=hidden][name=category]");
    if (begun) this.#choose(begun.value);
    begun?.remove();
    const key = new URLSearchParams(location.search).get("brouillon");
    if (key) await this.#mend(key);
    form.dataset["ready"] = "yes";
  }

  #sections(): HTMLElement[] {
    return Array.from(this.#form.querySelectorAll<HTMLElement>("section[data-step]"));
  }

  #section(step: Step): HTMLElement {
    return this.#form.querySelector<HTMLElement>(`section[data-step=${step}]`) as HTMLElement;
  }

  /** In a field, Enter goes on; in the search, it only searches. */
  #enter(event: KeyboardEvent): void {
    const field = event.target as HTMLElement;
    if (event.key === "Enter" && field instanceof HTMLInputElement && field.name === "q") event.preventDefault();
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const button = event.submitter instanceof HTMLButtonElement ? event.submitter : null;
    if (button?.name === "category") {
      this.#choose(button.value);
      return this.#show("details");
    }
    if (button?.hasAttribute("data-draw-zone")) {
      this.#form.dataset["zone"] = "";
      return this.#show("where");
    }
    if (button?.name === "same") return this.#send(button.value);
    const go = button?.value ?? "next";
    if (go === "search") return;
    if (go === "send") return this.#send("");
    if (go in NUMBERS) return this.#show(go as Step);
    this.#next();
  }

  #next(): void {
    const step = this.#step;
    const problem = this.#problemOf(step);
    this.#tell(step, problem);
    if (problem) return;
    const following: Record<Step, Step> = { where: this.#category ? "details" : "what", what: "details", details: "check", check: "check" };
    this.#show(following[step]);
  }

  /** What is missing in a step; the browser itself tells of a field that is wrong. */
  #problemOf(step: Step): string {
    const value = (name: string): string => (this.#form.elements.namedItem(name) as HTMLInputElement | null)?.value.trim() ?? "";
    const lost = step === "where" && !(value("lat") && value("lon")) && !value("zone") && !value("address");
    if (lost) return this.#words["needPlace"] ?? "";
    const wrong = Array.from(this.#section(step).querySelectorAll<HTMLInputElement>("input, select, textarea")).find((one) => !one.checkValidity());
    if (wrong) {
      wrong.reportValidity();
      return wrong.validationMessage;
    }
    const needed = step === "details" && this.#template()?.dataset["photo"] === "required" && !this.#photos?.all.length;
    return needed ? (this.#words["needPhoto"] ?? "") : "";
  }

  #tell(step: Step, problem: string): void {
    const section = this.#section(step);
    section.querySelector("[data-problem]")?.remove();
    if (!problem) return;
    const notice = document.createElement("p");
    notice.className = "notice error";
    notice.dataset["problem"] = "";
    notice.setAttribute("role", "alert");
    notice.textContent = problem;
    section.querySelector("h2")?.after(notice);
  }

  #show(step: Step, push = true): void {
    if (step !== "where" && step !== "what" && !this.#category) step = "what";
    if (step === "check") this.#prepareCheck();
    for (const section of this.#sections()) section.hidden = section.dataset["step"] !== step;
    // A discreet form is one page of the history, so that leaving it takes all of it away.
    if (push && step !== this.#step) history[this.#discreet() ? "replaceState" : "pushState"]({ step }, "");
    this.#step = step;
    document.querySelectorAll<HTMLElement>("[data-steps] li").forEach((line, index) => {
      line.toggleAttribute("aria-current", index + 1 === NUMBERS[step]);
      if (index + 1 === NUMBERS[step]) line.setAttribute("aria-current", "step");
      line.classList.toggle("done", index + 1 < NUMBERS[step]);
    });
    const heading = this.#section(step).querySelector<HTMLElement>("h2");
    heading?.focus();
    heading?.scrollIntoView({ block: "start" });
  }

  #template(): HTMLTemplateElement | null {
    return this.#form.querySelector(`template[data-category="${CSS.escape(this.#category)}"]`);
  }

  #discreet(): boolean {
    return "discreet" in this.#form.dataset || "discreet" in (this.#template()?.dataset ?? {});
  }

  #choose(code: string): void {
    const template = this.#form.querySelector<HTMLTemplateElement>(`template[data-category="${CSS.escape(code)}"]`);
    if (!template) return;
    if (code !== this.#category) {
      this.#category = code;
      this.#form.querySelector("[data-specifics]")?.replaceChildren(template.content.cloneNode(true));
      this.#form.querySelector("[data-specifics] [data-exit-key]")?.removeAttribute("hidden");
    }
    const { photo, geometry } = template.dataset;
    const rule = this.#form.querySelector<HTMLElement>("[data-photo-rule]");
    if (rule) rule.textContent = `(${(photo === "required" ? this.#words["required"] : this.#words["optional"]) ?? ""})`;
    this.#form.querySelector<HTMLElement>("div[data-photos]")?.toggleAttribute("hidden", photo === "none");
    if (geometry !== "zone") delete this.#form.dataset["zone"];
  }

  #prepareCheck(): void {
    const template = this.#template();
    const list = this.#form.querySelector<HTMLElement>("[data-summary]");
    if (list) summary(list, this.#form, this.#words, template?.dataset["label"] ?? "", this.#photos?.all.length ?? 0);
    const readers = this.#form.querySelector<HTMLElement>("[data-readers] span");
    if (readers) readers.textContent = template?.dataset["readers"] ?? "";
    this.#form.querySelector<HTMLElement>("[data-account]")?.toggleAttribute("hidden", this.#discreet());
    void this.#offerSimilar();
  }

  /** Offer the reports that may be this one; without network, nothing is offered and nothing is lost. */
  async #offerSimilar(): Promise<void> {
    const holder = this.#form.querySelector<HTMLElement>("[data-similar-list]");
    const data = new FormData(this.#form);
    if (!holder) return;
    holder.replaceChildren();
    const asked = new URLSearchParams({ category: this.#category });
    for (const name of ["lon", "lat", "description"]) asked.set(name, String(data.get(name) ?? "").replace(",", "."));
    const response = await fetch(`${this.#form.dataset["similar"]}?${asked}`, { credentials: "same-origin" }).catch(() => null);
    if (!response?.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    holder.replaceChildren(...Array.from(page.body.childNodes));
  }

  #here(): void {
    const button = this.#form.querySelector<HTMLElement>("[data-here]");
    const status = this.#form.querySelector<HTMLElement>("[data-here-status]");
    const say = (text = ""): void => void (status && (status.textContent = text));
    navigator.geolocation?.getCurrentPosition(
      ({ coords }) => {
        this.#place(coords.longitude, coords.latitude);
        say(button?.dataset["found"]?.replace("{n}", String(Math.max(1, Math.round(coords.accuracy)))));
        void this.#nameOf(coords.longitude, coords.latitude);
      },
      () => say(button?.dataset["lost"]),
      { enableHighAccuracy: true, timeout: 10_000 },
    );
  }

  #place(lon: number, lat: number): void {
    for (const [name, value] of Object.entries({ lat, lon })) {
      const field = this.#form.elements.namedItem(name) as HTMLInputElement;
      field.value = value.toFixed(6);
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    this.#tell("where", "");
  }

  /** Write the nearest address beside a position, when nothing is written yet and the network answers. */
  async #nameOf(lon: number, lat: number): Promise<void> {
    const field = this.#form.elements.namedItem("address") as HTMLInputElement | null;
    const box = this.#form.querySelector<HTMLElement>("[data-reverse]");
    if (!field || !box || field.value) return;
    const asked = new URLSearchParams({ lon: String(lon), lat: String(lat), citycode: box.dataset["citycode"] ?? "" });
    const response = await fetch(`${box.dataset["reverse"]}?${asked}`, { credentials: "same-origin" }).catch(() => null);
    if (!response?.ok || field.value) return;
    const { features } = (await response.json()) as { features: { properties: { label: string } }[] };
    field.value = features[0]?.properties.label ?? "";
  }

  #packed(same: string, by: string): Parcel {
    const fields = Array.from(new FormData(this.#form).entries())
      .filter(([name, value]) => typeof value === "string" && !NOT_SENT.has(name))
      .map(([name, value]) => [name, String(value)] as [string, string]);
    fields.push(["category", this.#category]);
    if (same) fields.push(["same", same]);
    const { report = "", token = "" } = this.#form.dataset;
    const discreet = this.#discreet();
    const title = (discreet ? this.#words["discreet"] : this.#template()?.dataset["label"]) ?? "";
    const photos = [...(this.#photos?.all ?? [])];
    return { key: this.#key, at: Date.now(), title, fields, photos, receive: report, token, state: "waiting", discreet, by };
  }

  /** Kept on the device first, then tried: whatever happens next, nothing is lost and nothing is sent twice. */
  async #send(same: string): Promise<void> {
    const problem = this.#problemOf("check");
    this.#tell("check", problem);
    if (problem || this.#busy) return;
    this.#busy = true;
    const status = this.#form.querySelector<HTMLElement>("[role=status][data-sending]");
    const say = (text: string): void => void (status && (status.textContent = text));
    say(this.#words["sending"] ?? "");
    try {
      const packed = this.#packed(same, await this.#who);
      const thinking = (): void => say(this.#words["thinking"] ?? "");
      const tried = await keepAndDeliver(packed, () => somethingWaits(true), thinking);
      if (tried.state === "lost") return say(this.#words["lost"] ?? "");
      say("");
      const next = tried.state === "sent" && tried.url ? `${tried.url}?merci` : "";
      if (next) return this.#discreet() ? location.replace(next) : location.assign(next);
      if (tried.state === "refused") await this.#refused(tried);
      else if (tried.state === "other") location.assign(this.#form.dataset["kept"] ?? "");
      else this.#waiting();
    } finally {
      this.#busy = false;
    }
  }

  async #refused(tried: Parcel): Promise<void> {
    // What this device could not keep is not there to be forgotten.
    await forget(tried.key).catch(() => {});
    const step = (tried.step && tried.step in NUMBERS ? tried.step : "check") as Step;
    this.#show(step);
    this.#tell(step, tried.why ?? "");
  }

  #waiting(): void {
    const notice = document.createElement("p");
    notice.className = "notice success";
    notice.tabIndex = -1;
    notice.setAttribute("role", "status");
    notice.textContent = this.#words[this.#discreet() ? "keptDiscreet" : "kept"] ?? "";
    this.#form.replaceWith(notice);
    document.querySelector("[data-steps]")?.remove();
    notice.focus();
  }

  /** Fill in the form with what was refused, to be mended and sent again under the same key. */
  async #mend(key: string): Promise<void> {
    const kept = await parcel(key);
    if (!kept || kept.state === "sent") return;
    this.#key = kept.key;
    const values = new Map(kept.fields);
    this.#choose(values.get("category") ?? "");
    for (const [name, value] of kept.fields) {
      const field = this.#form.elements.namedItem(name);
      if (field instanceof RadioNodeList) field.value = value;
      else if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = true;
      else if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = value;
    }
    if (this.#photos) this.#photos.all = kept.photos;
    (this.#form.elements.namedItem("lon") as HTMLElement | null)?.dispatchEvent(new Event("change", { bubbles: true }));
    const step = (kept.step && kept.step in NUMBERS ? kept.step : "check") as Step;
    this.#show(step);
    this.#tell(step, kept.why ?? "");
  }
}
