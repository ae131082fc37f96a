/** What of the address is the laboratory's: how many charts, and how often a second each is fed. */

export interface LabsSearch {
  readonly charts?: number;
  readonly hz?: number;
}

const MOST_CHARTS = 50;
const MOST_HZ = 60;

export function labsSearch({ charts, hz }: Readonly<Record<string, unknown>>): LabsSearch {
  return { ...bounded("charts", charts, MOST_CHARTS), ...bounded("hz", hz, MOST_HZ) };
}

function bounded(name: keyof LabsSearch, value: unknown, most: number): LabsSearch {
  const count = Math.floor(Number(value));
  return count >= 1 ? { [name]: Math.min(most, count) } : {};
}
