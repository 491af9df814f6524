/** `<button data-around>`: list what is around the reader, who is asked for her position then only. */
export function showAround(root: ParentNode): void {
  const button = root.querySelector<HTMLButtonElement>("[data-around]");
  if (!button || !("geolocation" in navigator)) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      const asked = new URLSearchParams(location.search);
      asked.set("lon", coords.longitude.toFixed(5));
      asked.set("lat", coords.latitude.toFixed(5));
      asked.delete("page");
      location.search = String(asked);
    });
  });
}
