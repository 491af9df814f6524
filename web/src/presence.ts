/**
 * Count the devices that open the portal without following any: this one keeps the date of its last visit and says
 * « first time today », or « this month ». Nothing it sends tells it from another. `/application/` says so and lets it be.
 */
const SEEN = "beffroi-seen";
const LEFT_OUT = "beffroi-left-out";

export function isLeftOut(): boolean {
  return localStorage.getItem(LEFT_OUT) !== null;
}

export function leaveOut(wanted: boolean): void {
  if (!wanted) return localStorage.removeItem(LEFT_OUT);
  localStorage.setItem(LEFT_OUT, "1");
  localStorage.removeItem(SEEN);
}

export function countThisDevice(): void {
  // A page inside another site's is not a visit to ours; one that is left in haste leaves nothing on the device.
  if (document.querySelector("[data-exit]")) return;
  if (window.top !== window || !navigator.onLine || isLeftOut() || asksForPeace()) return;
  const now = new Date();
  const today = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  const before = localStorage.getItem(SEEN) ?? "";
  if (before === today) return;
  const said = new URLSearchParams({ first: "day" });
  if (before.slice(0, 7) !== today.slice(0, 7)) said.append("first", "month");
  if (matchMedia("(display-mode: standalone)").matches) said.append("installed", "1");
  // Noted first: two pages opened together are one visit. What did not arrive is said at the next page.
  localStorage.setItem(SEEN, today);
  const again = (): void => localStorage.setItem(SEEN, before);
  fetch("/presence/", { method: "POST", body: said, keepalive: true }).then((answer) => (answer.ok ? undefined : again()), again);
}

function asksForPeace(): boolean {
  return (navigator as Navigator & { globalPrivacyControl?: boolean }).globalPrivacyControl === true || navigator.doNotTrack === "1";
}
