/**
 * `<form data-position>` with fields lat, lon and seen_at: filled with where and when one stands as it is sent. Without a
 * position, the fields are left to be written by hand.
 */
export function fillPosition(root: ParentNode): void {
  if (!("geolocation" in navigator)) return;
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-position]")) {
    form.addEventListener("submit", (event) => {
      const { lat, lon, seen_at: seen } = fields(form);
      if (!lat || !lon || lat.value || lon.value) return;
      event.preventDefault();
      navigator.geolocation.getCurrentPosition(
        (here) => {
          lat.value = here.coords.latitude.toFixed(6);
          lon.value = here.coords.longitude.toFixed(6);
          if (seen) seen.value = new Date().toISOString();
          form.requestSubmit();
        },
        () => {
          const byHand = lat.closest("details");
          if (byHand) byHand.open = true;
          lat.focus();
        },
        { enableHighAccuracy: true, timeout: 15_000 },
      );
    });
  }
}

function fields(form: HTMLFormElement): Record<string, HTMLInputElement | undefined> {
  return Object.fromEntries([...form.querySelectorAll<HTMLInputElement>("input[name]")].map((one) => [one.name, one]));
}
