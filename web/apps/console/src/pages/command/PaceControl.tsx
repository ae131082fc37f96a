/** How often pulses are made: for operators to change, for everybody to see. */

import { useToasts } from "@vagus/react";
import { Gauge, Pause, Play } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { durationText } from "../../charts/format.js";
import { useRole } from "../../session.js";
import { Button } from "../../ui/Button.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Field, Input } from "../../ui/Field.js";
import { Popover } from "../../ui/Popover.js";
import { type Figures, type PaceOrder, useFigures, usePace } from "./asking.js";
import { minutesFrom, PACES } from "./pace.js";

const REFUSED = "Only operators and admins may change the pace.";

export function PaceControl(): ReactNode {
  const mayChange = useRole("operator");
  const { data } = useFigures();
  return (
    <Popover
      label="Pace of the pulses"
      trigger={(props) => (
        <Button icon={Gauge} {...props}>
          {data === undefined
            ? "Pace"
            : data.paused
              ? "Pulses paused"
              : `Every ${durationText(data.intervalSeconds)}`}
        </Button>
      )}
    >
      {() => <Paces figures={data} blocked={!mayChange && REFUSED} />}
    </Popover>
  );
}

interface PacesProps {
  readonly figures: Figures | undefined;
  readonly blocked: string | false;
}

function Paces({ figures, blocked }: PacesProps): ReactNode {
  const { mutate, isPending, error, variables } = usePace();
  const { add } = useToasts();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const set = (order: PaceOrder): void => {
    mutate(order, {
      onSuccess: ({ intervalSeconds, paused }) => {
        const title = paused
          ? "Pulses are paused for everybody"
          : `A pulse every ${durationText(intervalSeconds)}`;
        add({ title, severity: "success", key: "fusion-pace" });
      },
    });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (blocked) return;
    const minutes = minutesFrom(text);
    setWrong(typeof minutes === "string" ? minutes : "");
    if (typeof minutes === "number") set({ minutes });
  };
  return (
    <div className="grid gap-3">
      <p className="text-sm font-semibold">A pulse every</p>
      {blocked && <p className="text-xs text-muted">{blocked} Yours is another role.</p>}
      <div className="grid grid-cols-3 gap-1.5">
        {PACES.map(({ seconds, label }) => (
          <Button
            key={seconds}
            size="small"
            variant={figures?.intervalSeconds === seconds ? "primary" : "secondary"}
            aria-pressed={figures?.intervalSeconds === seconds}
            blocked={blocked}
            onClick={() => set({ seconds })}
          >
            {label}
          </Button>
        ))}
      </div>
      <form className="flex items-end gap-2" onSubmit={submit} noValidate>
        <Field label="Minutes" error={wrong} className="flex-1">
          {(control) => (
            <Input
              {...control}
              inputMode="decimal"
              placeholder={figures ? String(Math.round((figures.intervalSeconds / 60) * 1000) / 1000) : "3"}
              value={text}
              disabled={Boolean(blocked)}
              onChange={({ target }) => setText(target.value)}
            />
          )}
        </Field>
        <Button type="submit" blocked={blocked} busy={isPending && typeof variables === "object"}>
          Set
        </Button>
      </form>
      <Button
        icon={figures?.paused ? Play : Pause}
        blocked={blocked}
        busy={isPending && typeof variables === "string"}
        onClick={() => set(figures?.paused ? "resume" : "pause")}
      >
        {figures?.paused ? "Resume pulses for everybody" : "Pause pulses for everybody"}
      </Button>
      {error && <Fault title="The pace stayed as it was." error={error} />}
    </div>
  );
}
