import { listens } from "./shortcuts";

/**
 * `<table data-rows>`: j and k go down and up the rows, x ticks the one reached. The link of the row takes the focus, so
 * that Enter opens it. Never while one writes, never with Ctrl, Alt or Meta.
 */
export function walkRows(root: ParentNode): void {
  const table = root.querySelector<HTMLTableElement>("table[data-rows]");
  if (!table?.tBodies[0]) return;
  const rows = [...table.tBodies[0].rows];
  let at = -1;
  document.addEventListener("keydown", (event) => {
    if (!listens(event)) return;
    if (event.key === "j" || event.key === "k") {
      at = Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)));
      rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
      rows[at]?.querySelector<HTMLAnchorElement>("th a")?.focus();
    } else if (event.key === "x") {
      rows[at]?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
    }
  });
}
