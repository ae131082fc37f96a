/**
 * A table of thousands of rows, of which only those in sight are in the page.
 *
 * It is one stop of the Tab key: arrows, J and K, Home, End and the page keys move, Enter opens. The row that the keys are
 * at stays the same one while the rows around it change, and rows keep their order while somebody is in the list. Narrow
 * pages leave out the columns that say least.
 */

// biome-ignore-all lint/a11y/useSemanticElements: rows that are put where they belong are not laid out as a table's
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and points at its active row

import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { useActions } from "../../actions.js";
import { useSettings } from "../../settings.js";
import { Button } from "../../ui/Button.js";
import { classes } from "../../ui/classes.js";
import { isSortedBy, nextSort } from "./sorting.js";
import { useIsMoved, useSteadyRows } from "./steady.js";
import { useWidth } from "./width.js";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** Its track of the grid, such as `minmax(8rem, 2fr)`. */
  readonly track: string;
  readonly cell: (row: Row) => ReactNode;
  /** The name by which the server sorts by it. */
  readonly sort?: string;
  readonly isNumber?: boolean;
  /** Shown from this width of the table on, in pixels. */
  readonly from?: number;
}

export interface RowTableProps<Row> {
  /** What its rows are, in words. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** How many there are, those that are not loaded yet included. */
  readonly count: number;
  readonly keyOf: (row: Row) => string;
  /** A column's name, with `-` before it for the highest first. */
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  /** The row whose details are shown. */
  readonly opened?: string | undefined;
  readonly onOpen: (row: Row) => void;
  /** The last loaded row came into sight. */
  readonly onEnd?: () => void;
}

const ROW_PX = { comfortable: 40, compact: 30 };
const BESIDE_SIGHT = 10;
const PAGE_ROWS = 10;
/** What the note over the last rows hides, which one can scroll past. */
const NOTE_PX = 48;

export function RowTable<Row>(props: RowTableProps<Row>): ReactNode {
  const { label, columns, rows: newest, count, keyOf, sort = "", onSort, opened, onOpen, onEnd } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [hasFocus, setFocus] = useState(false);
  const isMoved = useIsMoved(scroller);
  const { rows, isBehind, catchUp } = useSteadyRows(newest, keyOf, sort, hasFocus || isMoved);
  const width = useWidth(scroller);
  const { density } = useSettings();
  const [activeKey, setActiveKey] = useState<string>();
  const lastActive = useRef(0);
  const active = useMemo(() => {
    const found = activeKey === undefined ? 0 : rows.findIndex((row) => keyOf(row) === activeKey);
    // Where the row that the keys were at has gone, they go on from its place.
    return found >= 0 ? found : Math.max(0, Math.min(lastActive.current, rows.length - 1));
  }, [rows, activeKey, keyOf]);
  lastActive.current = active;
  const shown = useMemo(() => columns.filter(({ from = 0 }) => width >= from), [columns, width]);
  const tracks = useMemo(() => shown.map(({ track }) => track).join(" "), [shown]);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX[density],
    overscan: BESIDE_SIGHT,
    paddingEnd: isBehind ? NOTE_PX : 0,
    scrollPaddingEnd: isBehind ? NOTE_PX : 0,
    // The active row is there wherever one has scrolled to, since the table points at it.
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) =>
        [...new Set([...defaultRangeExtractor(range), Math.min(active, range.count - 1)])].sort(
          (a, b) => a - b,
        ),
      [active],
    ),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights are another density's
  useEffect(() => virtualizer.measure(), [density]);

  const items = virtualizer.getVirtualItems();
  const isAtEnd =
    rows.length > 0 && rows.length < count && items.some(({ index }) => index === rows.length - 1);
  useEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, onEnd]);

  const moveTo = (index: number): void => {
    const to = Math.min(rows.length - 1, Math.max(0, index));
    const row = rows[to];
    if (row === undefined) return;
    setActiveKey(keyOf(row));
    virtualizer.scrollToIndex(to);
  };
  const openActive = (): void => {
    const row = rows[active];
    if (row !== undefined) onOpen(row);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const by = STEPS[event.key];
    if (by !== undefined) moveTo(active + by);
    else if (event.key === "Enter") openActive();
    else return;
    event.preventDefault();
  };

  const latest = useRef({ moveTo, onOpen, active, hasActive: activeKey !== undefined });
  latest.current = { moveTo, onOpen, active, hasActive: activeKey !== undefined };
  const step = useCallback((by: number) => {
    scroller.current?.focus();
    latest.current.moveTo(latest.current.hasActive ? latest.current.active + by : 0);
  }, []);
  const pick = useCallback(
    (row: Row) => {
      setActiveKey(keyOf(row));
      latest.current.onOpen(row);
    },
    [keyOf],
  );
  useActions(
    useMemo(
      () => [
        { id: "row.next", title: "Next row", group: "Table", keys: "j", run: () => step(1) },
        { id: "row.previous", title: "Previous row", group: "Table", keys: "k", run: () => step(-1) },
      ],
      [step],
    ),
  );

  return (
    // The ring of the focus is drawn over the rows, whose lines would break it.
    <div className="relative after:pointer-events-none after:absolute after:inset-0 after:z-20 after:rounded-b-card after:outline-accent has-[>[role=grid]:focus-visible]:after:outline-2 has-[>[role=grid]:focus-visible]:after:-outline-offset-2">
      <div
        ref={scroller}
        role="grid"
        aria-label={label}
        aria-rowcount={count + 1}
        aria-colcount={shown.length}
        aria-activedescendant={rows.length > 0 ? `${id}-${active}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={({ target, currentTarget }) => setFocus(target === currentTarget)}
        onBlur={() => setFocus(false)}
        className="group max-h-[max(20rem,calc(100dvh-20rem))] overflow-auto overscroll-contain outline-none"
      >
        <div
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns: tracks }}
          className="sticky top-0 z-10 grid h-9 items-center gap-x-4 border-y border-line bg-surface px-pad text-2xs font-medium text-muted"
        >
          {shown.map((column) => (
            <Heading key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
        <div role="rowgroup" className="relative" style={{ blockSize: virtualizer.getTotalSize() }}>
          {items.map(({ index, size, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const key = keyOf(row);
            return (
              <Line
                key={key}
                id={`${id}-${index}`}
                row={row}
                index={index}
                start={start}
                size={size}
                columns={shown}
                tracks={tracks}
                isOpened={key === opened}
                isActive={index === active && activeKey !== undefined}
                onPick={pick}
              />
            );
          })}
        </div>
      </div>
      {isBehind && (
        <p className="absolute inset-x-0 bottom-2 mx-auto flex w-fit items-center gap-2 rounded-control border border-line-strong bg-raised py-1 ps-3 pe-1 text-xs text-muted shadow-float">
          The order is held while you are in the list.
          <Button
            size="small"
            variant="quiet"
            // The focus stays in the list.
            onMouseDown={(event) => event.preventDefault()}
            onClick={catchUp}
          >
            Sort now
          </Button>
        </p>
      )}
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: PAGE_ROWS,
  PageUp: -PAGE_ROWS,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

interface LineProps<Row> {
  readonly id: string;
  readonly row: Row;
  readonly index: number;
  readonly start: number;
  readonly size: number;
  readonly columns: readonly Column<Row>[];
  readonly tracks: string;
  readonly isOpened: boolean;
  readonly isActive: boolean;
  readonly onPick: (row: Row) => void;
}

function NewLine<Row>(props: LineProps<Row>): ReactNode {
  const { id, row, index, start, size, columns, tracks, isOpened, isActive, onPick } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on the grid opens the active row
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isOpened}
      onClick={() => onPick(row)}
      style={{ gridTemplateColumns: tracks, blockSize: size, transform: `translateY(${start}px)` }}
      className={classes(
        "contain-strict absolute inset-x-0 top-0 grid cursor-pointer items-center gap-x-4 border-b border-line px-pad text-xs hover:bg-hover",
        isOpened && "bg-selected",
        isActive && "bg-hover shadow-[inset_6px_0_0_var(--accent)] forced-colors:outline",
      )}
    >
      {columns.map(({ id, isNumber, cell }) => (
        <div key={id} role="gridcell" className={classes("min-w-0 truncate", isNumber && "text-end")}>
          {cell(row)}
        </div>
      ))}
    </div>
  );
}

/** While one scrolls only the rows that come into sight are rendered. */
const Line = memo(NewLine) as typeof NewLine;

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly sort: string;
  readonly onSort: ((sort: string) => void) | undefined;
}

function Heading<Row>({ column, sort, onSort }: HeadingProps<Row>): ReactNode {
  const { title, isNumber = false } = column;
  const name = onSort && column.sort;
  const direction = name ? isSortedBy(sort, name) : undefined;
  const Arrow = direction === "descending" ? ArrowDown : ArrowUp;
  return (
    <div role="columnheader" aria-sort={direction} className={classes("min-w-0", isNumber && "text-end")}>
      {name ? (
        <button
          type="button"
          onClick={() => onSort(nextSort(sort, name, isNumber))}
          className={classes(
            "inline-flex h-6 max-w-full items-center gap-1 rounded-control hover:text-text",
            direction && "text-text",
          )}
        >
          <span className="truncate">{title}</span>
          {direction && <Arrow size={12} className="shrink-0" aria-hidden="true" />}
        </button>
      ) : (
        title
      )}
    </div>
  );
}
