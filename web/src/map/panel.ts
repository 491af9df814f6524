import { layOut, putAway } from "./paper";
import { knowsHeights } from "./style";
import { shade, STYLES } from "./palette";
import type { TownMap } from "./town";

/** Bind the panel of layers of the town's map: what is ticked is shown, and the address says so. */
export function bindPanel(town: TownMap): void {
  bindLayers(town);
  bindLive(town);
  bindDays(town);
  keepPlace();
  for (const box of document.querySelectorAll<HTMLInputElement>("[data-base]")) {
    const id = box.dataset["base"] ?? "";
    box.checked = town.isBaseShown(id);
    box.addEventListener("change", () => {
      town.showBase(id, box.checked);
      town.remember();
    });
  }
  for (const style of document.querySelectorAll<HTMLSelectElement>("[data-style]")) {
    style.value = town.style;
    style.addEventListener("change", () => {
      const chosen = STYLES.find((name) => name === style.value);
      if (chosen) town.restyle(chosen);
    });
  }
  for (const box of document.querySelectorAll<HTMLInputElement>("[data-terrain]")) {
    box.checked = town.isRaised;
    box.addEventListener("change", () => town.raise(box.checked));
  }
  // By the button or by the browser's own command: a canvas prints empty.
  window.addEventListener("beforeprint", () => layOut(town));
  window.addEventListener("afterprint", putAway);
  for (const print of document.querySelectorAll<HTMLElement>('[data-act="print"]')) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  const buildings = town.config.base.find((one) => one.role === "buildings");
  if (buildings && !knowsHeights(buildings.known)) {
    for (const note of document.querySelectorAll<HTMLElement>("[data-note=heights]")) note.hidden = false;
  }
}

function bindLayers(town: TownMap): void {
  for (const layer of town.config.layers) {
    const box = document.querySelector<HTMLInputElement>(`[data-layer="${CSS.escape(layer.id)}"]`);
    if (!box) continue;
    const range = document.querySelector<HTMLInputElement>(`[data-opacity="${CSS.escape(layer.id)}"]`);
    const reflect = (): void => {
      box.checked = town.isOn(layer.id);
      const more = box.closest(".layer")?.querySelector<HTMLElement>("[data-more]");
      if (more) more.hidden = !box.checked;
    };
    const swatch = box.parentElement?.querySelector(".swatch-dot > *");
    swatch?.setAttribute(swatch.hasAttribute("stroke") ? "stroke" : "fill", shade(layer.colour));
    reflect();
    box.addEventListener("change", () => {
      void town.showLayer(layer.id, box.checked).then(() => {
        reflect();
        town.remember();
      });
    });
    if (!range) continue;
    range.value = String(Math.round(town.opacity(layer.id) * 100));
    range.addEventListener("input", () => town.fade(layer.id, Number(range.value) / 100));
    range.addEventListener("change", () => town.remember());
  }
}

function bindLive(town: TownMap): void {
  for (const { id, shown } of town.config.overlays) {
    const box = document.querySelector<HTMLInputElement>(`[data-live="${CSS.escape(id)}"]`);
    if (!box) continue;
    const asked = new URLSearchParams(location.hash.slice(1)).get("direct");
    box.checked = asked === null ? shown : asked.split(",").includes(id);
    box.addEventListener("change", () => void town.showLive(id, box.checked).then(() => town.remember()));
  }
}

/** The slider of time: each notch is a day when some data changed, the last one today; letting it go asks for that day. */
function bindDays(town: TownMap): void {
  const field = document.querySelector<HTMLElement>("[data-days]");
  const range = field?.querySelector("input");
  const told = field?.querySelector("output");
  const asked = document.querySelector<HTMLInputElement>("input#date");
  if (!field || !range || !told || !asked) return;
  const days = (field.dataset["days"] ?? "").split(" ");
  const date = new Intl.DateTimeFormat(town.config.language, { dateStyle: "long", timeZone: "UTC" });
  const tell = (): void => {
    const day = days[Number(range.value)];
    const said = day ? date.format(new Date(`${day}T00:00:00Z`)) : (told.dataset["today"] ?? "");
    told.textContent = said;
    range.setAttribute("aria-valuetext", said);
  };
  range.max = String(days.length);
  const known = asked.value ? days.filter((day) => day <= asked.value).length - 1 : days.length;
  range.value = String(Math.max(0, known));
  tell();
  field.hidden = false;
  range.addEventListener("input", tell);
  range.addEventListener("change", () => {
    asked.value = days[Number(range.value)] ?? "";
    asked.form?.requestSubmit();
  });
}

/** Another day or another theme is looked at from the same place: what follows the « # » stays, but for a theme's layers. */
function keepPlace(): void {
  const form = document.querySelector<HTMLFormElement>("form.map-asked");
  const theme = form?.querySelector<HTMLSelectElement>("[name=theme]");
  if (!form || !theme) return;
  const before = theme.value;
  form.addEventListener("submit", () => {
    const kept = location.hash.slice(1).split("&").filter((part) => theme.value === before || !part.startsWith("couches="));
    form.action = `${location.pathname}#${kept.join("&")}`;
  });
}
