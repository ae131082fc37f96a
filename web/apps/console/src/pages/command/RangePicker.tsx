/** Which time the charts show: a length up to now, what was chosen on a chart, or two moments that are typed. */

import { CalendarRange, Undo2 } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { fixed, PRESETS, type Range, rangeFrom, textOf, windowOf, wordsOf } from "../../charts/ranges.js";
import { Button, IconButton } from "../../ui/Button.js";
import { Field, Input } from "../../ui/Field.js";
import { Popover } from "../../ui/Popover.js";
import { Segmented } from "../../ui/Segmented.js";

export interface RangePickerProps {
  readonly range: Range;
  readonly setRange: (range: Range) => void;
}

const OPTIONS = PRESETS.map(({ key, label }) => ({ value: key, label }));

export function RangePicker({ range, setRange }: RangePickerProps): ReactNode {
  const [live, setLive] = useState(rangeFrom(undefined));
  if (range.kind === "live" && textOf(range) !== textOf(live)) setLive(range);
  return (
    <>
      {range.kind === "fixed" && (
        <Button size="small" variant="primary" icon={Undo2} onClick={() => setRange(live)}>
          Back to live
        </Button>
      )}
      <Segmented
        label="Range of the charts"
        options={OPTIONS}
        value={textOf(range)}
        onChange={(key) => setRange(rangeFrom(key))}
      />
      <Popover
        label="Choose two moments"
        trigger={(props) => (
          <IconButton
            size="small"
            icon={CalendarRange}
            label={range.kind === "fixed" ? wordsOf(range) : "Choose two moments"}
            {...props}
          />
        )}
      >
        {(close) => (
          <Moments
            range={range}
            choose={(chosen) => {
              setRange(chosen);
              close();
            }}
          />
        )}
      </Popover>
    </>
  );
}

interface MomentsProps {
  readonly range: Range;
  readonly choose: (range: Range) => void;
}

function Moments({ range, choose }: MomentsProps): ReactNode {
  const now = windowOf(range, Date.now());
  const [from, setFrom] = useState(() => localText(now.from));
  const [to, setTo] = useState(() => localText(now.to));
  const chosen = fixed(Date.parse(from), Date.parse(to));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (chosen) choose(chosen);
  };
  return (
    <form className="grid gap-3" onSubmit={submit}>
      <Field label="From">
        {(control) => (
          <Input
            {...control}
            type="datetime-local"
            step="1"
            value={from}
            onChange={({ target }) => setFrom(target.value)}
          />
        )}
      </Field>
      <Field label="To" hint="In your time zone. Dragging over a chart does the same.">
        {(control) => (
          <Input
            {...control}
            type="datetime-local"
            step="1"
            value={to}
            onChange={({ target }) => setTo(target.value)}
          />
        )}
      </Field>
      <Button type="submit" variant="primary" blocked={!chosen && "Give two moments."}>
        Show
      </Button>
    </form>
  );
}

/** As the browser's field for a moment takes it: in the reader's time zone, without naming it. */
function localText(at: number): string {
  const offset = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offset).toISOString().slice(0, 19);
}
