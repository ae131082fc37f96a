/** How often pulses are made: for operators to change, for everybody to see. */

import { useToasts } from "@vagus/react";
import { Gauge, Pause, Play } from "lucide-react";
import { type FormEvent, type ReactNode, useCallback, useMemo, useState } from "react";
import { type Action, useActions } from "../../actions.js";
import { durationText } from "../../charts/format.js";
import { useRole } from "../../session.js";
import { Button } from "../../ui/Button.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Field, Input } from "../../ui/Field.js";
import { Popover } from "../../ui/Popover.js";
import { type Figures, type PaceOrder, useFigures, usePace } from "./asking.js";
import { PACES, paceText, secondsFrom } from "./pace.js";

const REFUSED =
  "Only operators and admins may change the pace: ask an admin for the role, or sign in as somebody who has it.";

export function PaceControl(): ReactNode {
  const mayChange = useRole("operator");
  const { data } = useFigures();
  usePaceActions(mayChange, data?.paused ?? false);
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

/** Change the pace, and tell which one holds now. */
function useSetting() {
  const { mutate, ...rest } = usePace();
  const { add } = useToasts();
  const set = useCallback(
    (order: PaceOrder, onError?: (error: Error) => void): void => {
      mutate(order, {
        onSuccess: ({ intervalSeconds, paused }) => {
          const title = paused
            ? "Pulses are paused for everybody"
            : `A pulse every ${durationText(intervalSeconds)}`;
          add({ title, severity: "success", key: "fusion-pace" });
        },
        ...(onError && { onError }),
      });
    },
    [mutate, add],
  );
  return { ...rest, set };
}

/** The paces among the commands, for those who may change them. */
function usePaceActions(mayChange: boolean, isPaused: boolean): void {
  const { set } = useSetting();
  const { add } = useToasts();
  const offered = useMemo((): readonly Action[] => {
    if (!mayChange) return [];
    const run = (order: PaceOrder) => (): void =>
      set(order, ({ message }) => add({ title: "The pace stayed as it was", message, severity: "error" }));
    return [
      ...PACES.map(({ seconds }) => ({
        id: `pace:${seconds}`,
        title: `A pulse every ${durationText(seconds)}`,
        group: "Pace",
        icon: Gauge,
        isMinor: true,
        run: run({ seconds }),
      })),
      {
        id: "pace:pause",
        title: isPaused ? "Resume pulses for everybody" : "Pause pulses for everybody",
        group: "Pace",
        icon: isPaused ? Play : Pause,
        isMinor: true,
        run: run(isPaused ? "resume" : "pause"),
      },
    ];
  }, [mayChange, isPaused, set, add]);
  useActions(offered);
}

interface PacesProps {
  readonly figures: Figures | undefined;
  readonly blocked: string | false;
}

function Paces({ figures, blocked }: PacesProps): ReactNode {
  const { set, isPending, error, variables } = useSetting();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (blocked) return;
    const seconds = secondsFrom(text);
    setWrong(typeof seconds === "string" ? seconds : "");
    if (typeof seconds === "number") set({ seconds });
  };
  return (
    <div className="grid gap-3">
      <p className="text-sm font-semibold">A pulse every</p>
      {blocked && <p className="text-xs text-muted">{blocked}</p>}
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
      <form className="flex items-start gap-2" onSubmit={submit} noValidate>
        <Field
          label="Another pace"
          hint="Such as 5 s, 3 min or 1 h; a number alone is minutes."
          error={wrong}
          className="flex-1"
        >
          {(control) => (
            <Input
              {...control}
              placeholder={paceText(figures?.intervalSeconds ?? 180)}
              value={text}
              disabled={Boolean(blocked)}
              onChange={({ target }) => setText(target.value)}
            />
          )}
        </Field>
        <Button
          type="submit"
          className="mt-6"
          blocked={blocked}
          busy={isPending && typeof variables === "object"}
        >
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
