/** How smooth a page is: the intervals between its frames, and the tasks that kept it from drawing. */

export interface Smoothness {
  readonly framesPerS: number;
  /** The longest time from one frame to the next, in milliseconds. */
  readonly longest: number;
  /** Frames that came more than half a frame late. */
  readonly late: number;
  /** Tasks of more than 50 ms, and how long they took together. */
  readonly longTasks: number;
  readonly longTasksTook: number;
}

const FRAME = 1000 / 60;

/** Watch the page draw for so many milliseconds. */
export async function watchFrames(duration: number): Promise<Smoothness> {
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) =>
    tasks.push(...list.getEntries().map((entry) => entry.duration)),
  );
  observer.observe({ type: "longtask" });
  const moments = await drawnUntil(performance.now() + duration);
  observer.disconnect();
  const intervals = moments.slice(1).map((moment, index) => moment - (moments[index] ?? moment));
  const took = (moments.at(-1) ?? 0) - (moments[0] ?? 0);
  return {
    framesPerS: (1000 * intervals.length) / took,
    longest: Math.max(...intervals),
    late: intervals.filter((interval) => interval > 1.5 * FRAME).length,
    longTasks: tasks.length,
    longTasksTook: tasks.reduce((sum, task) => sum + task, 0),
  };
}

function drawnUntil(end: number): Promise<number[]> {
  const moments: number[] = [];
  return new Promise((resolve) => {
    const draw = (moment: number) => {
      moments.push(moment);
      if (moment < end) requestAnimationFrame(draw);
      else resolve(moments);
    };
    requestAnimationFrame(draw);
  });
}
