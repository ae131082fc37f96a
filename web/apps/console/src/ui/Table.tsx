/**
 * Rows of facts. Headers sort where they may, rows open where there is more to see, and the first column names the row.
 *
 * For some hundreds of rows: a longer list is its page's own, with TanStack Virtual.
 */

import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "./classes.js";

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand at the end. */
  readonly align?: "start" | "end";
  readonly sortable?: boolean;
  /** For the cell and its header, such as `max-sm:hidden`. */
  readonly className?: string;
}

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

export interface TableProps<Row> {
  /** What the table is, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  /** A row is opened, by a click or with Enter on its first cell. */
  readonly onOpen?: (row: Row) => void;
  readonly selected?: string | undefined;
  /** Instead of rows, if there are none. */
  readonly empty?: ReactNode;
}

export function Table<Row>(props: TableProps<Row>): ReactNode {
  const { caption, columns, rows, rowKey, onOpen, selected, empty } = props;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
    <section aria-label={caption} tabIndex={0} className="relative overflow-auto outline-offset-[-2px]">
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header key={column.id} column={column} {...props} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                aria-selected={selected === key || undefined}
                className={classes(
                  "border-t border-line aria-selected:bg-selected",
                  onOpen && "cursor-pointer hover:bg-hover",
                )}
                onClick={onOpen && (() => onOpen(row))}
              >
                {columns.map((column, place) => (
                  <Cell key={column.id} column={column} isName={place === 0} opens={onOpen !== undefined}>
                    {column.cell(row)}
                  </Cell>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length === 0 && empty}
    </section>
  );
}

function Header<Row>({
  column,
  sort,
  onSort,
}: { readonly column: Column<Row> } & Pick<TableProps<Row>, "sort" | "onSort">): ReactNode {
  const isSorted = sort?.column === column.id;
  const Arrow = sort?.descending ? ArrowDown : ArrowUp;
  const order = sort?.descending ? "descending" : "ascending";
  const isEnd = column.align === "end";
  return (
    <th
      scope="col"
      aria-sort={isSorted ? order : undefined}
      className={classes(
        "sticky top-0 z-1 h-8 bg-surface px-pad text-xs font-medium whitespace-nowrap text-muted",
        isEnd ? "text-end" : "text-start",
        column.className,
      )}
    >
      {column.sortable && onSort ? (
        <button
          type="button"
          className={classes("inline-flex h-7 items-center gap-1 hover:text-text", isSorted && "text-text")}
          onClick={() => onSort({ column: column.id, descending: isSorted ? !sort.descending : isEnd })}
        >
          {column.header}
          <Arrow size={12} className={isSorted ? "" : "invisible"} />
        </button>
      ) : (
        column.header
      )}
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
    "h-row px-pad py-1",
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
