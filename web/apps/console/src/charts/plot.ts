/**
 * One chart on a canvas: uPlot fed from tracks, and drawn by the page's scheduler alone.
 *
 * It knows nothing of React. It is built at its first drawing, and anew when the theme is another one or when one of its
 * lines has a band for the first time.
 */

import uPlot from "uplot";
import { axisTexts, timeTexts } from "./format.js";
import { heightOf } from "./height.js";
import { dashOf, palette, shadesOf } from "./palette.js";
import type { Window } from "./ranges.js";
import { type Drawing, scheduler } from "./scheduler.js";
import { aligned, type Columns, indexAt, type Track } from "./track.js";

export interface Line {
  readonly metric: string;
  readonly label: string;
  readonly unit: string;
  readonly track: Track;
}

export interface PlotOptions {
  readonly lines: readonly Line[];
  /** Charts with the same key have one cursor. */
  readonly syncKey: string;
  /** Asked at each drawing. */
  readonly window: () => Window;
  /** The cursor came to a time, which is that of a step if one is near, or left. */
  readonly onCursor: (at: number | null) => void;
  readonly onBrush: (from: number, to: number) => void;
  /** A pointer went down on it, where it may mark a part; or let go. Its window should stand still meanwhile. */
  readonly onHold: (isHeld: boolean) => void;
  readonly onDrawn: () => void;
}

/** A finger that scrolls is cancelled, and a window that loses the focus may never hear of the rest. */
const LETTING_GO = ["pointerup", "pointercancel", "blur"] as const;
/** In heights of the text at them. */
const AXIS_WIDTH = 4.75;
const AXIS_HEIGHT = 3.5;
const TIME_SPACE = 6.5;
const VALUE_SPACE = 3.25;

export class Plot implements Drawing {
  readonly #root: HTMLElement;
  readonly #options: PlotOptions;
  #plot: uPlot | undefined;
  #width = 0;
  #height = 0;
  #hasBands = false;
  #drawn = -1;
  #release: (() => void) | undefined;
  readonly #ends: (() => void)[] = [];

  constructor(root: HTMLElement, options: PlotOptions) {
    this.#root = root;
    this.#options = options;
    const size = new ResizeObserver(([entry]) => entry && this.#resize(entry.contentRect));
    const sight = new IntersectionObserver(([entry]) => scheduler.show(this, entry?.isIntersecting ?? true));
    size.observe(root);
    sight.observe(root);
    root.addEventListener("pointerdown", this.#hold);
    this.#ends.push(
      () => root.removeEventListener("pointerdown", this.#hold),
      () => this.#release?.(),
      () => size.disconnect(),
      () => sight.disconnect(),
      palette.subscribe(() => this.#redraw()),
      ...options.lines.map(({ track }) => track.subscribe(() => scheduler.mark(this))),
    );
  }

  draw(): void {
    if (this.#width === 0) return;
    const { lines } = this.#options;
    const hasBands = lines.some(({ track }) => track.hasBand);
    if (this.#plot === undefined || hasBands !== this.#hasBands) this.#build(hasBands);
    const version = lines.reduce((sum, { track }) => sum + track.version, 0);
    const { from, to } = this.#options.window();
    this.#plot?.batch((plot: uPlot) => {
      if (version !== this.#drawn) plot.setData(this.#data() as uPlot.AlignedData, false);
      plot.setScale("x", { min: from, max: to });
    });
    this.#drawn = version;
    this.#options.onDrawn();
  }

  /** Have it drawn, for its window may have moved. */
  mark(): void {
    scheduler.mark(this);
  }

  /** How many milliseconds a pixel stands for: a window that moved by less looks the same. */
  get msPerPixel(): number {
    const { from, to } = this.#options.window();
    return (to - from) / Math.max(1, this.#width - AXIS_WIDTH * palette.get().textPx);
  }

  /** Move the cursor by steps that hold something; `Infinity` goes to the end. It begins at the newest. */
  step(by: number): void {
    const plot = this.#plot;
    if (plot === undefined) return;
    const times = [...plot.data[0]];
    const { from, to } = this.#options.window();
    const shown = times.flatMap((at, index) =>
      at >= from && at <= to && this.#hasValue(index) ? [index] : [],
    );
    const last = shown.length - 1;
    if (last < 0) return;
    const place = plot.cursor.idx == null ? last + (by < 0 ? 1 : 0) : shown.indexOf(plot.cursor.idx);
    const index = shown[Math.max(0, Math.min(last, place + by))] ?? 0;
    plot.setCursor({ left: plot.valToPos(times[index] ?? 0, "x"), top: plot.over.clientHeight / 2 });
  }

  leave(): void {
    this.#plot?.setCursor({ left: -10, top: -10 });
  }

  end(): void {
    for (const end of this.#ends) end();
    scheduler.forget(this);
    this.#plot?.destroy();
  }

  #hold = ({ button, target }: PointerEvent): void => {
    if (button !== 0 || !(target instanceof Node) || !this.#plot?.over.contains(target)) return;
    this.#release?.();
    const lettingGo = new AbortController();
    this.#release = () => {
      lettingGo.abort();
      this.#release = undefined;
      this.#options.onHold(false);
      this.mark();
    };
    for (const type of LETTING_GO) addEventListener(type, this.#release, { signal: lettingGo.signal });
    this.#options.onHold(true);
  };

  #hasValue(index: number): boolean {
    return this.#plot?.data.some((column, place) => place > 0 && column[index] != null) ?? false;
  }

  #data(): (readonly (number | null | undefined)[])[] {
    const columns = (line: Columns) => (this.#hasBands ? [line.mean, line.min, line.max] : [line.mean]);
    return aligned(
      this.#options.lines.map(({ track }) => track),
      columns,
    );
  }

  #resize({ width, height }: DOMRectReadOnly): void {
    this.#width = Math.floor(width);
    this.#height = Math.floor(height);
    if (this.#width === 0) return;
    this.#plot?.setSize({ width: this.#width, height: this.#height });
    this.mark();
  }

  #redraw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.mark();
  }

  #build(hasBands: boolean): void {
    this.#plot?.destroy();
    this.#hasBands = hasBands;
    this.#drawn = -1;
    const { lines, syncKey, onBrush } = this.#options;
    const colours = palette.get();
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    lines.forEach((_, index) => {
      const { line: stroke, fill, band } = shadesOf(colours, index);
      const line = { stroke, width: 1.5, dash: dashOf(colours, index), points: { size: 4, fill: stroke } };
      series.push(lines.length === 1 ? { ...line, fill } : line);
      if (!hasBands) return;
      const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
      const low = series.push({ ...edge }) - 1;
      const high = series.push({ ...edge }) - 1;
      bands.push({ series: [high, low], fill: band });
    });
    const axis: uPlot.Axis = {
      stroke: colours.text,
      font: `${colours.textPx}px ${colours.font}`,
      grid: { stroke: colours.grid, width: 1 },
      ticks: { show: false },
    };
    const options: uPlot.Options = {
      width: this.#width,
      height: this.#height,
      ms: 1,
      padding: [8, null, 0, 0],
      legend: { show: false },
      series,
      bands,
      scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => heightOf(low, high) } },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT * colours.textPx,
          space: TIME_SPACE * colours.textPx,
          values: (_, splits, _axis, _space, stepMs) => timeTexts(splits, stepMs),
        },
        {
          ...axis,
          size: AXIS_WIDTH * colours.textPx,
          space: VALUE_SPACE * colours.textPx,
          values: (_, splits) => axisTexts(splits),
        },
      ],
      cursor: {
        sync: { key: syncKey },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        focus: { prox: 24 },
        points: { size: 7 },
        dataIdx: (_, index, nearest, time) => {
          const track = lines[Math.floor((index - 1) / (hasBands ? 3 : 1))]?.track;
          // uPlot takes null for "nowhere", which its types leave out.
          return track === undefined || indexAt(track, time) !== undefined ? nearest : (null as never);
        },
      },
      hooks: {
        setCursor: [
          (plot) => {
            const { idx, left = -1 } = plot.cursor;
            if (idx == null || left < 0) return this.#options.onCursor(null);
            const time = plot.posToVal(left, "x");
            const isNear = lines.some(({ track }) => indexAt(track, time) !== undefined);
            this.#options.onCursor(isNear ? (plot.data[0][idx] ?? time) : time);
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 6) return;
            const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            onBrush(from, to);
          },
        ],
      },
    };
    this.#plot = new uPlot(options, this.#data() as uPlot.AlignedData, this.#root);
  }
}
