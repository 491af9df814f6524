type State = "unable" | "denied" | "off" | "on";

interface Wish {
  id: number;
  label: string;
}

/** What this device is told of: asked only at the press of a button, ended from the same place. */
export class Notifications {
  readonly #place: HTMLElement;
  readonly #words: DOMStringMap;

  constructor(place: HTMLElement) {
    this.#place = place;
    this.#words = place.querySelector<HTMLElement>("template[data-words]")?.dataset ?? {};
  }

  async start(): Promise<void> {
    // A browser that knows nothing of this keeps the sentence that the page was written with.
    if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
    this.#on("subscribe", () => this.#subscribe());
    this.#on("end", () => this.#end());
    this.#show(Notification.permission === "denied" ? "denied" : "off");
    const known = await this.#known();
    if (known) this.#list(await this.#ask("etat/", { endpoint: known.endpoint }));
    this.#place.dataset["ready"] = "yes";
  }

  #on(act: string, run: () => Promise<void>): void {
    const button = this.#place.querySelector<HTMLButtonElement>(`[data-act=${act}]`);
    button?.addEventListener("click", () => {
      button.disabled = true;
      void run()
        .catch(() => this.#tell(this.#words["failed"]))
        .finally(() => (button.disabled = false));
    });
  }

  async #known(): Promise<PushSubscription | null> {
    const registration = await navigator.serviceWorker.getRegistration();
    return (await registration?.pushManager.getSubscription()) ?? null;
  }

  async #subscribe(): Promise<void> {
    const allowed = await Notification.requestPermission();
    if (allowed !== "granted") {
      this.#tell(this.#words["refused"]);
      return this.#show(allowed === "denied" ? "denied" : "off");
    }
    const { pushManager } = await navigator.serviceWorker.ready;
    const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: this.#place.dataset["key"] ?? "" });
    const { endpoint = "", keys = {} } = made.toJSON();
    this.#list(await this.#ask("", { endpoint, p256dh: keys["p256dh"] ?? "", auth: keys["auth"] ?? "", token: this.#place.dataset["token"] ?? "", abonne: this.#place.dataset["subscriber"] ?? "" }));
    this.#tell(this.#words["subscribed"]);
  }

  async #end(wish?: number): Promise<void> {
    const known = await this.#known();
    const left = known ? await this.#ask("fin/", { endpoint: known.endpoint, wish: wish === undefined ? "" : String(wish) }) : [];
    if (!left.length) {
      await known?.unsubscribe();
      this.#tell(this.#words["ended"]);
    }
    this.#list(left);
  }

  #list(wishes: Wish[]): void {
    const list = this.#place.querySelector<HTMLElement>("[data-wishes]");
    const line = this.#place.querySelector<HTMLTemplateElement>("template[data-wish]");
    if (!list || !line) return;
    list.replaceChildren(
      ...wishes.map(({ id, label }) => {
        const made = line.content.cloneNode(true) as DocumentFragment;
        const [said, hidden] = [made.querySelector("span"), made.querySelector(".visually-hidden")];
        if (said) said.textContent = label;
        if (hidden) hidden.textContent = ` : ${label}`;
        made.querySelector("button")?.addEventListener("click", () => void this.#end(id).catch(() => this.#tell(this.#words["failed"])));
        return made;
      }),
    );
    if (wishes.length) this.#show("on");
    else this.#show(Notification.permission === "denied" ? "denied" : "off");
    // Who follows another request without account adds it to what this device hears already.
    const { number = "" } = this.#place.dataset;
    const off = this.#place.querySelector<HTMLElement>("[data-state=off]");
    if (off && number && wishes.length && !wishes.some((one) => one.label.endsWith(number))) off.hidden = false;
  }

  #show(state: State): void {
    for (const one of this.#place.querySelectorAll<HTMLElement>("[data-state]")) one.hidden = one.dataset["state"] !== state;
  }

  #tell(words: string | undefined): void {
    const told = this.#place.querySelector<HTMLElement>("[data-told]");
    if (told) told.textContent = words ?? "";
  }

  async #ask(what: string, fields: Record<string, string>): Promise<Wish[]> {
    const mark = this.#place.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
    const answer = await fetch(`/application/appareil/${what}`, { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRFToken": mark } });
    const said = (await answer.json()) as { wishes?: Wish[]; title?: string };
    if (!answer.ok) throw new Error(said.title ?? "");
    return said.wishes ?? [];
  }
}
