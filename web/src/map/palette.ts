/** The colours of the base map, for a light and a dark page. Data layers keep the colour of their theme. */
export interface Palette {
  ground: string;
  field: string;
  green: string;
  water: string;
  street: string;
  streetEdge: string;
  rail: string;
  building: string;
  buildingTall: string;
  limit: string;
  text: string;
  halo: string;
  chosen: string;
}

const light: Palette = {
  ground: "#f4f0e7",
  field: "#ece6cf",
  green: "#cfe0c0",
  water: "#a9cfdd",
  street: "#ffffff",
  streetEdge: "#d5ccbb",
  rail: "#8d8778",
  building: "#ddd2bd",
  buildingTall: "#c9a06a",
  limit: "#84490a",
  text: "#2a3136",
  halo: "#fbf9f4",
  chosen: "#d65a00",
};

const dark: Palette = {
  ground: "#171d20",
  field: "#1c2420",
  green: "#20352a",
  water: "#17404f",
  street: "#3a454b",
  streetEdge: "#242d32",
  rail: "#6b757b",
  building: "#343d41",
  buildingTall: "#8b6c3f",
  limit: "#eab267",
  text: "#edeae3",
  halo: "#12171a",
  chosen: "#ffb057",
};

function isDark(): boolean {
  return getComputedStyle(document.documentElement).colorScheme === "dark";
}

export function palette(): Palette {
  return isDark() ? dark : light;
}

const WHITE_SHARE = 0.5;

/** The colour of a theme as this page shows it: on a dark ground, half-way to white, to stand out. */
export function shade(colour: string): string {
  if (!isDark()) return colour;
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const mixed = channels.map((value) => Math.round(value + (255 - value) * WHITE_SHARE));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
