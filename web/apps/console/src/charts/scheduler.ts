/**
 * When charts are drawn: those that changed and can be seen, on animation frames, and no more in one frame than it
 * has time for; the rest has its turn in the next. A tab in the background has no frames, so it draws nothing, and
 * once when it is looked at again.
 */

export interface Drawing {
  draw(): void;
}

/** Of the 16.7 ms between two frames at 60 Hz; the browser needs the others. */
const BUDGET_MS = 6;
/** Without a graphics processor it takes the browser about 4 ms more to paint what was drawn, which no clock shows. */
const MOST_AT_ONCE = 3;

export interface Frames {
  readonly request: (callback: () => void) => void;
  readonly now: () => number;
}

export class Scheduler {
  readonly #frames: Frames;
  readonly #dirty = new Set<Drawing>();
  readonly #hidden = new Set<Drawing>();
  #isWaiting = false;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** Have it drawn, once, when there is time and it can be seen. */
  mark(drawing: Drawing): void {
    this.#dirty.add(drawing);
    if (!this.#hidden.has(drawing)) this.#wait();
  }

  show(drawing: Drawing, isVisible: boolean): void {
    if (isVisible) this.#hidden.delete(drawing);
    else this.#hidden.add(drawing);
    if (isVisible && this.#dirty.has(drawing)) this.#wait();
  }

  forget(drawing: Drawing): void {
    this.#dirty.delete(drawing);
    this.#hidden.delete(drawing);
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#frames.request(() => {
      this.#isWaiting = false;
      this.#draw();
    });
  }

  #draw(): void {
    const end = this.#frames.now() + BUDGET_MS;
    let drawn = 0;
    for (const drawing of [...this.#dirty]) {
      if (this.#hidden.has(drawing)) continue;
      if (drawn === MOST_AT_ONCE || this.#frames.now() >= end) return this.#wait();
      this.#dirty.delete(drawing); // those that are marked again come after those that wait
      drawing.draw();
      drawn += 1;
    }
  }
}

/** The one of this page. */
export const scheduler = new Scheduler({
  request: (callback) => requestAnimationFrame(callback),
  now: () => performance.now(),
});
