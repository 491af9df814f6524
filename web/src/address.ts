/** The address field: proposes addresses as one types, keeps where the chosen one is, reads the device's position. */
import { combobox, type Option } from "./combobox";

interface Feature {
  geometry: { coordinates: [number, number] };
  properties: { label: string; name: string; postcode: string; city: string };
}

interface Place {
  label: string;
  lon: string;
  lat: string;
}

type Keep = (label: string, lon: string, lat: string) => void;

const PROPOSED = "6";
const REMEMBERED = "beffroi-lieu";

for (const box of document.querySelectorAll<HTMLElement>("[data-address]:not([data-ready])")) enhance(box);

function enhance(box: HTMLElement): void {
  const field = box.querySelector<HTMLInputElement>("input[type=text]");
  if (!field) return;
  box.dataset["ready"] = "yes";
  const part = (name: string): HTMLInputElement | null => box.querySelector(`[data-part="${name}"]`);
  const keep: Keep = (label, lon, lat) => {
    for (const [name, value] of Object.entries({ label, lon, lat })) {
      const hidden = part(name);
      if (hidden) hidden.value = value;
    }
    box.dispatchEvent(new CustomEvent("address", { bubbles: true, detail: { label, lon, lat } }));
  };
  const take = (feature: Feature): void => {
    const [lon, lat] = feature.geometry.coordinates;
    field.value = feature.properties.label;
    keep(feature.properties.label, String(lon), String(lat));
  };
  combobox<Feature>(field, {
    ask: async (text, signal) =>
      (await features(box.dataset["address"] ?? "", { ...town(box), q: text, limit: PROPOSED }, signal)).map(option),
    choose: (option) => take(option.value),
    changed: () => keep("", "", ""),
    none: box.dataset["none"] ?? "",
    count: box.dataset["count"] ?? "",
  });
  locate(box, take);
  remember(box, field, keep);
}

/** In a form marked `data-remember`, the last address chosen comes back: this device keeps it, the town does not. */
function remember(box: HTMLElement, field: HTMLInputElement, keep: Keep): void {
  if (!box.closest("[data-remember]")) return;
  box.addEventListener("address", (event) => {
    const chosen = (event as CustomEvent<Place>).detail;
    if (chosen.label) localStorage.setItem(REMEMBERED, JSON.stringify(chosen));
    else localStorage.removeItem(REMEMBERED);
  });
  if (field.value) return;
  try {
    const { label, lon, lat } = JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") as Partial<Place>;
    if (!label || !lon || !lat) return;
    field.value = label;
    keep(label, lon, lat);
  } catch {
    localStorage.removeItem(REMEMBERED);
  }
}

function option(feature: Feature): Option<Feature> {
  const { name, postcode, city } = feature.properties;
  return { label: name, detail: `${postcode} ${city}`.trim(), value: feature };
}

function town(box: HTMLElement): Record<string, string> {
  const code = box.dataset["citycode"];
  return code ? { citycode: code } : {};
}

async function features(url: string, asked: Record<string, string>, signal?: AbortSignal): Promise<Feature[]> {
  const answer = await fetch(`${url}?${new URLSearchParams(asked)}`, signal ? { signal } : {});
  if (!answer.ok) throw new Error(String(answer.status));
  return ((await answer.json()) as { features: Feature[] }).features;
}

/** The position leaves the device once, to be named; nothing keeps it but the form. */
function locate(box: HTMLElement, take: (feature: Feature) => void): void {
  const button = box.querySelector<HTMLButtonElement>("[data-locate]");
  if (!button || !("geolocation" in navigator)) return;
  button.hidden = false;
  const lost = (): void => {
    const status = box.querySelector("[role=status]");
    status?.classList.remove("visually-hidden");
    if (status) status.textContent = box.dataset["lost"] ?? "";
  };
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const here = { lon: coords.longitude.toFixed(6), lat: coords.latitude.toFixed(6) };
        features(box.dataset["reverse"] ?? "", { ...town(box), ...here })
          .then(([nearest]) => (nearest ? take(nearest) : lost()))
          .catch(lost);
      },
      lost,
      { enableHighAccuracy: true, timeout: 10_000 },
    );
  });
}
