/** The colours of the base map, for a light and a dark page. Data layers keep the colour of their theme. */
export interface Palette {
  ground: string;
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

export function palette(): Palette {
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  return scheme === "dark" ? dark : light;
}
