import { Blur } from "./blur";

const LONGEST_PX = 2048;
const QUALITY = 0.85;
export const MOST = 5;

export interface PhotoWords {
  blur: string;
  remove: string;
  unreadable: string;
  tooMany: string;
}

/** The photos of a report: shrunk as they are chosen, shown, masked by a finger, taken away. */
export class Photos {
  readonly #list: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #words: PhotoWords;
  readonly #blur: Blur | null;
  readonly #tell: (problem: string) => void;
  #kept: Blob[] = [];

  constructor(root: HTMLElement, dialog: HTMLDialogElement | null, words: PhotoWords, tell: (problem: string) => void) {
    this.#list = root.querySelector<HTMLElement>("[data-shots]") as HTMLElement;
    this.#input = root.querySelector<HTMLInputElement>("input[type=file]") as HTMLInputElement;
    this.#words = words;
    this.#tell = tell;
    this.#blur = dialog ? new Blur(dialog) : null;
    this.#input.addEventListener("change", () => void this.#take());
  }

  get all(): readonly Blob[] {
    return this.#kept;
  }

  set all(photos: readonly Blob[]) {
    this.#kept = [...photos];
    this.#show();
  }

  async #take(): Promise<void> {
    this.#tell("");
    for (const file of Array.from(this.#input.files ?? [])) {
      if (this.#kept.length >= MOST) {
        this.#tell(this.#words.tooMany);
        break;
      }
      try {
        this.#kept.push(await shrunk(file));
      } catch {
        this.#tell(`${file.name} : ${this.#words.unreadable}`);
      }
    }
    this.#input.value = "";
    this.#show();
  }

  #show(): void {
    this.#list.replaceChildren(...this.#kept.map((photo, index) => this.#line(photo, index)));
  }

  #line(photo: Blob, index: number): HTMLElement {
    const line = document.createElement("li");
    const image = document.createElement("img");
    image.alt = `${index + 1}`;
    image.src = URL.createObjectURL(photo);
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    const change = (label: string, act: () => void): HTMLButtonElement => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button quiet small", textContent: label });
      button.setAttribute("aria-label", `${label} (${index + 1})`);
      button.addEventListener("click", act);
      return button;
    };
    const remove = change(this.#words.remove, () => {
      this.#kept.splice(index, 1);
      this.#show();
      this.#input.focus();
    });
    const mask = change(this.#words.blur, () => void this.#mask(index));
    line.append(image, ...(this.#blur ? [mask] : []), remove);
    return line;
  }

  async #mask(index: number): Promise<void> {
    const photo = this.#kept[index];
    if (!photo || !this.#blur) return;
    this.#kept[index] = await this.#blur.edit(photo);
    this.#show();
    this.#list.querySelectorAll<HTMLButtonElement>("li button:first-of-type")[index]?.focus();
  }
}

/** The photo upright, 2,048 px at most: what it hid in its file (place, device) stays behind. */
export async function shrunk(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return jpeg(canvas);
}

export function jpeg(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("this picture cannot be written"))), "image/jpeg", QUALITY),
  );
}
