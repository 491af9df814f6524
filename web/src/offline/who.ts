import { asked } from "./outbox";

const WHO = "beffroi-qui";
const PATIENCE_MS = 3000;

/** Under which account one writes; without network, the one the server last told this device of. */
export async function whoWrites(token: string): Promise<string> {
  const told = await asked(token, AbortSignal.timeout(PATIENCE_MS)).catch(() => null);
  if (told?.who === undefined) return localStorage.getItem(WHO) ?? "";
  localStorage.setItem(WHO, told.who);
  return told.who;
}
