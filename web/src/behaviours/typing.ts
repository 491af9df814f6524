import { draftHolds } from "./drafts";

const touched = new Set<HTMLFormElement>();

/** Note which forms hold something that only this page has: typed, chosen or placed, and in no draft. */
export function watchTyping(): void {
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, ({ target }) => {
      const form = (target as HTMLInputElement).form;
      if (form?.method === "post" && !draftHolds(form, target as HTMLInputElement)) touched.add(form);
    });
  }
}

/** Whether to leave this page now would lose something: a form that was sent and taken away counts no more. */
export function typedAndNotKept(): boolean {
  return [...touched].some((form) => form.isConnected);
}
