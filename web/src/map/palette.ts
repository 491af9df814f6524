/** The colours of the base map, in its four styles. Data layers keep the colour of their theme. */
export interface Palette {
  /** Layers lie on a dark ground: their colours are brightened. */
  dark: boolean;
  ground: string;
  field: string;
  green: string;
  water: string;
  street: string;
  streetEdge: string;
  rail: string;
  building: string;
  buildingTall: string;
  /** The roofs of the buildings whose real shape is known. */
  roof: string;
  limit: string;
  text: string;
  halo: string;
  chosen: string;
  /** The shade and the light of slopes, drawn where the relief is known. */
  slopeShade: string;
  slopeLight: string;
  /** How strong slopes show, from 0 to 1. */
  slopes: number;
}

export const STYLES = ["plan", "sombre", "contraste", "relief"] as const;
export type StyleName = (typeof STYLES)[number];

const plan: Palette = {
  dark: false,
  ground: "#f4f0e7",
  field: "#ece6cf",
  green: "#cfe0c0",
  water: "#a9cfdd",
  street: "#ffffff",
  streetEdge: "#d5ccbb",
  rail: "#8d8778",
  building: "#ddd2bd",
  buildingTall: "#c9a06a",
  roof: "#b5694a",
  limit: "#84490a",
  text: "#2a3136",
  halo: "#fbf9f4",
  chosen: "#d65a00",
  slopeShade: "#6b5b45",
  slopeLight: "#ffffff",
  // Shading every pixel of every frame is for those who ask for it.
  slopes: 0,
};

const sombre: Palette = {
  dark: true,
  ground: "#171d20",
  field: "#1c2420",
  green: "#20352a",
  water: "#17404f",
  street: "#3a454b",
  streetEdge: "#242d32",
  rail: "#6b757b",
  building: "#343d41",
  buildingTall: "#8b6c3f",
  roof: "#8a5a41",
  limit: "#eab267",
  text: "#edeae3",
  halo: "#12171a",
  chosen: "#ffb057",
  slopeShade: "#000000",
  slopeLight: "#3c4a50",
  slopes: 0,
};

/** Black on white: what matters has an edge, what does not is white. */
const contraste: Palette = {
  ...plan,
  ground: "#ffffff",
  field: "#ffffff",
  green: "#d9ead0",
  water: "#9cc9e8",
  street: "#ffffff",
  streetEdge: "#4d4d4d",
  rail: "#000000",
  building: "#b5b5b5",
  buildingTall: "#5e5e5e",
  roof: "#5e5e5e",
  limit: "#000000",
  text: "#000000",
  halo: "#ffffff",
  chosen: "#b30000",
};

/** Closer to what one sees from the air: woods, fields and roofs in the colours of the land, slopes well marked. */
const relief: Palette = {
  ...plan,
  ground: "#dcd3b4",
  field: "#cfc794",
  green: "#7fa36b",
  water: "#5d93b3",
  street: "#e9e4da",
  streetEdge: "#a59a86",
  rail: "#5f5a52",
  building: "#c98f72",
  buildingTall: "#a8654b",
  roof: "#9c4f36",
  limit: "#5c2f00",
  text: "#1d2423",
  halo: "#f4efe0",
  slopeShade: "#3d3420",
  slopeLight: "#fff8e0",
  slopes: 0.55,
};

const palettes: Record<StyleName, Palette> = { plan, sombre, contraste, relief };

function isDark(): boolean {
  return getComputedStyle(document.documentElement).colorScheme === "dark";
}

/** The style that suits the page: dark on a dark page, contrasted on a contrasted one. */
export function styleOfPage(): StyleName {
  if (isDark()) return "sombre";
  return document.documentElement.dataset["theme"] === "contrast" ? "contraste" : "plan";
}

export function palette(style: StyleName = styleOfPage()): Palette {
  return palettes[style];
}

const WHITE_SHARE = 0.5;

/** The colour of a theme on a ground: on a dark one, half-way to white, to stand out. */
export function shade(colour: string, dark = isDark()): string {
  if (!dark) return colour;
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const mixed = channels.map((value) => Math.round(value + (255 - value) * WHITE_SHARE));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
