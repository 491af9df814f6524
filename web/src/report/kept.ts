import { deliver, forget, keep, parcels, unsent, whenChanged, type Parcel } from "../offline/outbox";
import { somethingWaits } from "../offline/waiting";

/** What this device keeps, with the state of each: waiting for the network, sent under a number, refused and why. */
export function showOutbox(root: HTMLElement): void {
  const list = root.querySelector<HTMLElement>("[data-outbox-list]");
  const status = root.querySelector<HTMLElement>("[data-outbox-status]");
  const words = root.dataset;
  if (!list || !("indexedDB" in window)) return;

  const said = (one: Parcel): string => {
    if (one.state === "sent") return (words["sent"] ?? "").replace("{number}", one.number ?? "");
    if (one.state === "refused") return (words["refused"] ?? "").replace("{why}", one.why ?? "");
    if (one.state === "other") return (one.by ? words["other"] : words["otherNone"]) ?? "";
    return words[one.state] ?? "";
  };

  const show = async (): Promise<void> => {
    const all = await parcels();
    // Where one reports, what was sent is of no use; it is on the page of one's requests.
    const shown = all.filter((one) => one.state !== "sent" || !("unsent" in words));
    root.hidden = !shown.length;
    list.replaceChildren(...shown.map(line));
    somethingWaits(all.some(unsent));
  };

  const line = (one: Parcel): HTMLElement => {
    const item = document.createElement("li");
    item.dataset["state"] = one.state;
    const title = document.createElement("h3");
    title.textContent = one.title;
    const state = document.createElement("p");
    state.className = "meta";
    const badge = document.createElement("span");
    badge.className = `badge ${{ sent: "good", refused: "bad", waiting: "warn", sending: "warn", other: "warn", lost: "bad" }[one.state]}`;
    badge.textContent = said(one);
    const day = new Date(one.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    state.append(badge, ` ${day}`);
    const acts = document.createElement("p");
    acts.className = "row";
    acts.append(...buttons(one));
    item.append(title, state, acts);
    return item;
  };

  const buttons = (one: Parcel): HTMLElement[] => {
    const found: HTMLElement[] = [];
    if (one.state === "sent" && one.url) found.push(link(one.url, words["open"] ?? ""));
    if (one.state === "waiting") found.push(button(words["now"] ?? "", () => void send(one)));
    if (one.state === "other" && one.now) {
      const label = one.now.who ? (words["as"] ?? "").replace("{name}", one.now.name) : (words["asNone"] ?? "");
      found.push(button(label, () => void sendAs(one, one.now?.who ?? "")));
    }
    if (one.state === "refused") found.push(link(one.mend ?? `${words["form"]}?brouillon=${one.key}`, words["mend"] ?? ""));
    found.push(button(one.state === "sent" ? (words["forget"] ?? "") : (words["delete"] ?? ""), () => void remove(one)));
    return found;
  };

  const send = async (one: Parcel): Promise<void> => {
    const sent = await deliver(one.key);
    if (status) status.textContent = said(sent);
    await show();
  };

  const sendAs = async (one: Parcel, who: string): Promise<void> => {
    await keep({ ...one, by: who, state: "waiting" });
    await send(one);
  };

  const remove = async (one: Parcel): Promise<void> => {
    if (one.state !== "sent" && !window.confirm(words["confirm"])) return;
    await forget(one.key);
    await show();
  };

  // Where the browser refuses its storage, there is nothing to show.
  whenChanged(() => void show().catch(() => {}));
  void show().catch(() => {});
}

function button(label: string, act: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "button secondary small", textContent: label });
  made.addEventListener("click", act);
  return made;
}

function link(url: string, label: string): HTMLAnchorElement {
  return Object.assign(document.createElement("a"), { href: url, className: "button secondary small", textContent: label });
}
