/**
 * Rows of facts, some hundreds at most. They open where there is more to see, and the first column names the row.
 *
 * Longer lists, and such as are sorted, are their page's own, with TanStack Virtual.
 */

import type { ReactNode } from "react";
import { classes } from "./classes.js";

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand at the end. */
  readonly align?: "start" | "end";
  /** For the cell and its header, such as `max-sm:hidden`. */
  readonly className?: string;
}

export interface TableProps<Row> {
  /** What the table is, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** A row is opened, by a click or with Enter on its first cell. */
  readonly onOpen?: (row: Row) => void;
}

export function Table<Row>({ caption, columns, rows, rowKey, onOpen }: TableProps<Row>): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
    <section aria-label={caption} tabIndex={0} className="relative overflow-auto outline-offset-[-2px]">
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header key={column.id} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              className={classes("border-t border-line", onOpen && "cursor-pointer hover:bg-hover")}
              onClick={onOpen && (() => onOpen(row))}
            >
              {columns.map((column, place) => (
                <Cell key={column.id} column={column} isName={place === 0} opens={onOpen !== undefined}>
                  {column.cell(row)}
                </Cell>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Phones have little room between columns. */
const SIDES = "px-pad max-sm:px-2 max-sm:first:ps-pad max-sm:last:pe-pad";

function Header<Row>({ column }: { readonly column: Column<Row> }): ReactNode {
  return (
    <th
      scope="col"
      className={classes(
        "sticky top-0 z-1 h-8 bg-surface text-xs font-medium whitespace-nowrap text-muted",
        SIDES,
        column.align === "end" ? "text-end" : "text-start",
        column.className,
      )}
    >
      {column.header}
    </th>
  );
}

interface CellProps<Row> {
  readonly column: Column<Row>;
  readonly isName: boolean;
  readonly opens: boolean;
  readonly children: ReactNode;
}

function Cell<Row>({ column, isName, opens, children }: CellProps<Row>): ReactNode {
  const shape = classes(
    "h-row py-1",
    SIDES,
    column.align === "end" ? "text-end" : "text-start",
    column.className,
  );
  if (!isName) return <td className={shape}>{children}</td>;
  return (
    <th scope="row" className={classes(shape, "font-medium")}>
      {opens ? (
        <button type="button" className="min-h-6 text-start hover:underline">
          {children}
        </button>
      ) : (
        children
      )}
    </th>
  );
}
