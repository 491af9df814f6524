import { countSelected } from "./behaviours/bulk";
import { keepDrafts } from "./behaviours/drafts";
import { showChosenFiles } from "./behaviours/files";
import { fillPosition } from "./behaviours/position";
import { showPreviews } from "./behaviours/previews";
import { bindRefreshes } from "./behaviours/refreshes";
import { walkRows } from "./behaviours/rows";
import { listenToKeys } from "./behaviours/shortcuts";
import { dismissToasts } from "./behaviours/toast";
import { watchTyping } from "./behaviours/typing";
import { bindWaits } from "./behaviours/waits";

const BEHAVIOURS: ((root: ParentNode) => void)[] = [
  openDialogs,
  submitOnChange,
  confirmSubmits,
  showChosenFiles,
  countSelected,
  dismissToasts,
  keepDrafts,
  watchTyping,
  listenToKeys,
  walkRows,
  fillPosition,
  offerPrinting,
  showPreviews,
  offerCopying,
  showWhatThisBrowserKnows,
  bindWaits,
  bindRefreshes,
  focusFirstError,
];

/** What JavaScript adds to pages that already work without it; one that fails (storage refused) takes none along. */
export function enhance(root: ParentNode): void {
  for (const behave of BEHAVIOURS) {
    try {
      behave(root);
    } catch (error) {
      reportError(error);
    }
  }
}

/** `<button data-print hidden>` prints the page; without JavaScript the browser's own menu does. */
function offerPrinting(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLElement>("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

/** `<button data-copy="id" hidden>` copies the text of that element; without JavaScript one selects it. */
function offerCopying(root: ParentNode): void {
  if (!("clipboard" in navigator)) return;
  for (const button of root.querySelectorAll<HTMLElement>("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset["copy"] ?? "")?.textContent ?? "";
      void navigator.clipboard.writeText(text).then(() => (button.textContent = button.dataset["done"] ?? ""));
    });
  }
}

/** `<p data-push-only hidden>` leads to notifications, on a browser that can receive them. */
function showWhatThisBrowserKnows(root: ParentNode): void {
  if (!("PushManager" in window)) return;
  for (const one of root.querySelectorAll<HTMLElement>("[data-push-only]")) one.hidden = false;
}

/** `<a data-dialog="id" href="fallback">` opens the dialogue on the page instead of the fallback page. */
function openDialogs(root: ParentNode): void {
  for (const opener of root.querySelectorAll<HTMLElement>("[data-dialog]")) {
    const dialog = document.getElementById(opener.dataset["dialog"] ?? "");
    if (!(dialog instanceof HTMLDialogElement)) continue;
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.showModal();
    });
  }
}

/** A select marked `data-submit` submits its form; its button stays for those who have no JavaScript. */
function submitOnChange(root: ParentNode): void {
  for (const field of root.querySelectorAll<HTMLSelectElement>("select[data-submit]")) {
    field.addEventListener("change", () => field.form?.requestSubmit());
  }
}

/** `<form data-confirm="…">` asks before an act that cannot be undone. */
function confirmSubmits(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (!window.confirm(form.dataset["confirm"])) event.preventDefault();
    });
  }
}

/** After a refused form, the reader starts at the summary of errors. */
function focusFirstError(root: ParentNode): void {
  root.querySelector<HTMLElement>("[data-error-summary]")?.focus();
}
