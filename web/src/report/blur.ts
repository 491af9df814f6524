import { jpeg } from "./photos";

interface Spot {
  x: number;
  y: number;
  /** Half a side, in pixels of the photo. */
  r: number;
  square: boolean;
}

/** What is hidden keeps this many squares along the longest side of the photo: no face nor plate can be read back. */
const SQUARES = 28;
const STEP = 0.02;

/** Mask parts of a photo: a finger or a mouse paints, the keyboard places a frame and hides what is in it. */
export class Blur {
  readonly #dialog: HTMLDialogElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #status: HTMLElement | null;
  readonly #photo = document.createElement("canvas");
  readonly #mosaic = document.createElement("canvas");
  /** Each gesture is one entry: undone at once. */
  #gestures: Spot[][] = [];
  #frame: Spot = { x: 0, y: 0, r: 1, square: true };
  #framed = false;

  constructor(dialog: HTMLDialogElement) {
    this.#dialog = dialog;
    this.#canvas = dialog.querySelector("canvas") as HTMLCanvasElement;
    this.#status = dialog.querySelector("[data-blur-status]");
    this.#bind();
  }

  /** Show a photo and return it, masked, once the reader is done. */
  async edit(photo: Blob): Promise<Blob> {
    const bitmap = await createImageBitmap(photo);
    const { width, height } = bitmap;
    for (const canvas of [this.#canvas, this.#photo, this.#mosaic]) Object.assign(canvas, { width, height });
    this.#photo.getContext("2d")?.drawImage(bitmap, 0, 0);
    this.#drawMosaic(bitmap, width, height);
    bitmap.close();
    this.#gestures = [];
    this.#frame = { x: width / 2, y: height / 2, r: Math.max(width, height) / 12, square: true };
    this.#draw();
    this.#dialog.showModal();
    await new Promise((resolve) => this.#dialog.addEventListener("close", resolve, { once: true }));
    this.#framed = false;
    if (!this.#gestures.length) return photo;
    this.#draw();
    return jpeg(this.#canvas);
  }

  #drawMosaic(bitmap: ImageBitmap, width: number, height: number): void {
    const small = document.createElement("canvas");
    const scale = SQUARES / Math.max(width, height);
    small.width = Math.max(1, Math.round(width * scale));
    small.height = Math.max(1, Math.round(height * scale));
    small.getContext("2d")?.drawImage(bitmap, 0, 0, small.width, small.height);
    const context = this.#mosaic.getContext("2d");
    if (!context) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, width, height);
  }

  #draw(): void {
    const context = this.#canvas.getContext("2d");
    if (!context) return;
    context.drawImage(this.#photo, 0, 0);
    for (const spot of this.#gestures.flat()) this.#hide(context, spot);
    if (!this.#framed) return;
    const { x, y, r } = this.#frame;
    context.lineWidth = Math.max(2, this.#canvas.width / 200);
    for (const [colour, dash] of [["#ffffff", []], ["#000000", [12, 12]]] as const) {
      context.strokeStyle = colour;
      context.setLineDash([...dash]);
      context.strokeRect(x - r, y - r, 2 * r, 2 * r);
    }
  }

  #hide(context: CanvasRenderingContext2D, spot: Spot): void {
    context.save();
    context.beginPath();
    if (spot.square) context.rect(spot.x - spot.r, spot.y - spot.r, 2 * spot.r, 2 * spot.r);
    else context.arc(spot.x, spot.y, spot.r, 0, 2 * Math.PI);
    context.clip();
    context.drawImage(this.#mosaic, 0, 0);
    context.restore();
  }

  #bind(): void {
    const canvas = this.#canvas;
    let painting = false;
    canvas.addEventListener("pointerdown", (event) => {
      painting = true;
      this.#framed = false;
      this.#gestures.push([]);
      canvas.setPointerCapture(event.pointerId);
      this.#paint(event);
    });
    canvas.addEventListener("pointermove", (event) => painting && this.#paint(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (painting = false));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    this.#dialog.addEventListener("click", (event) => {
      const act = (event.target as HTMLElement).closest<HTMLElement>("[data-blur-act]")?.dataset["blurAct"];
      if (act === "close") this.#dialog.close();
      if (act === "undo") this.#undo();
      if (act === "hide") this.#hideFrame();
    });
  }

  #paint(event: PointerEvent): void {
    const box = this.#canvas.getBoundingClientRect();
    const scale = this.#canvas.width / box.width;
    const spot = { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale, r: 22 * scale, square: false };
    this.#gestures.at(-1)?.push(spot);
    this.#draw();
  }

  #key(event: KeyboardEvent): void {
    const step = STEP * Math.max(this.#canvas.width, this.#canvas.height);
    const moves: Record<string, () => void> = {
      ArrowLeft: () => (this.#frame.x = Math.max(0, this.#frame.x - step)),
      ArrowRight: () => (this.#frame.x = Math.min(this.#canvas.width, this.#frame.x + step)),
      ArrowUp: () => (this.#frame.y = Math.max(0, this.#frame.y - step)),
      ArrowDown: () => (this.#frame.y = Math.min(this.#canvas.height, this.#frame.y + step)),
      "+": () => (this.#frame.r *= 1.2),
      "-": () => (this.#frame.r = Math.max(step / 2, this.#frame.r / 1.2)),
      Enter: () => this.#hideFrame(),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.#framed = true;
    move();
    this.#draw();
  }

  #hideFrame(): void {
    this.#framed = true;
    this.#gestures.push([{ ...this.#frame }]);
    this.#say("done");
    this.#draw();
  }

  #undo(): void {
    if (this.#gestures.pop()) this.#say("undone");
    this.#draw();
  }

  #say(what: "done" | "undone"): void {
    if (this.#status) this.#status.textContent = this.#status.dataset[what] ?? "";
  }
}
