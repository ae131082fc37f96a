/** The newest items of a flow, bounded. Each has a number, the first 0, by which readers find their place again. */

export class Ring<T> {
  readonly capacity: number;
  readonly #items: T[] = [];
  #pushed = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** How many there have been: the number of the next one. */
  get end(): number {
    return this.#pushed;
  }

  /** The number of the oldest that is held. */
  get begin(): number {
    return this.#pushed - this.#items.length;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    if (this.#items.length < this.capacity) this.#items.push(item);
    else if (this.capacity > 0) this.#items[this.#pushed % this.capacity] = item;
    this.#pushed += 1;
  }

  /** The item of this number, while it is held. */
  at(number: number): T | undefined {
    return number < this.begin || number >= this.end ? undefined : this.#items[number % this.capacity];
  }

  /** All, oldest first. */
  toArray(): T[] {
    const seam = this.#items.length < this.capacity ? 0 : this.#pushed % this.capacity;
    return seam === 0 ? this.#items.slice() : this.#items.slice(seam).concat(this.#items.slice(0, seam));
  }

  clear(): void {
    this.#items.length = 0;
    this.#pushed = 0;
  }
}
