const UNITS = ["o", "ko", "Mo", "Go"];

/** Under a field marked `data-file`, say which files were chosen and how heavy they are, and show the photographs. */
export function showChosenFiles(root: ParentNode): void {
  for (const box of root.querySelectorAll<HTMLElement>("[data-file]")) {
    const field = box.querySelector<HTMLInputElement>("input[type=file]");
    const list = box.querySelector<HTMLElement>("[data-file-chosen]");
    if (!field || !list) continue;
    field.addEventListener("change", () => list.replaceChildren(...Array.from(field.files ?? [], shown)));
  }
}

function shown(file: File): HTMLLIElement {
  const item = document.createElement("li");
  if (file.type.startsWith("image/")) {
    const picture = new Image();
    picture.alt = "";
    picture.src = URL.createObjectURL(file);
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
    item.append(picture);
  }
  item.append(`${file.name} (${weight(file.size)})`);
  return item;
}

/** A size in bytes as people read it: 1 ko is 1,000 bytes. */
function weight(octets: number): string {
  const rank = octets < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(octets) / 3));
  const amount = octets / 1000 ** rank;
  return `${amount.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${UNITS[rank]}`;
}
