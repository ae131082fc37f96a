/**
 * What has to be dealt with before the page goes on, or a drawer at its side that keeps the page in view.
 *
 * The browser's own modal dialog: it holds the focus, Escape and a click beside it close it, and the focus goes back to
 * where it was. It is on the page only while it is open. Where something was typed into it that is kept nowhere, it asks
 * before it closes like that.
 */

import { Announcer } from "@vagus/react";
import { X } from "lucide-react";
import {
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { Button, IconButton } from "./Button.js";
import { classes } from "./classes.js";
import { Fault } from "./ErrorBoundary.js";
import { Field, Input } from "./Field.js";
import type { UnloadedProps } from "./loaded.js";
import { useModal } from "./modal.js";

const SHAPES = {
  small: "w-[26rem] rounded-card moves-rise",
  medium: "w-[36rem] rounded-card moves-rise",
  large: "w-[56rem] rounded-card moves-rise",
  drawer: "me-0 my-0 h-dvh max-h-dvh w-[32rem] border-y-0 border-e-0 moves-slide",
} as const;

export interface DialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  readonly description?: ReactNode;
  /** `medium` by default; `drawer` stands at the side, as high as the page. */
  readonly shape?: keyof typeof SHAPES;
  /** Buttons at its foot. */
  readonly footer?: ReactNode;
  /** Cannot be closed without an answer. */
  readonly insistent?: boolean;
  /** What was typed into it would be lost. */
  readonly unsaved?: boolean;
  readonly children?: ReactNode;
}

/** ```<Dialog open={isOpen} onClose={close} title="Add a source" footer={<Button>Add</Button>}>…</Dialog>``` */
export function Dialog(props: DialogProps): ReactNode {
  return props.open && <OpenDialog {...props} />;
}

function OpenDialog({
  onClose,
  title,
  description,
  shape = "medium",
  footer,
  insistent = false,
  unsaved = false,
  children,
}: DialogProps): ReactNode {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [isAsking, setAsking] = useState(false);
  useModal(dialog);
  useEffect(() => {
    // Into what is to be filled in; else to the title, or the button that closes it would be the first thing read. Of
    // several ways out the one is marked that does no harm.
    const find = (what: string): HTMLElement | null | undefined => dialog.current?.querySelector(what);
    (find("[data-harmless]") ?? find("input, textarea, select") ?? find("h2"))?.focus();
  }, []);
  const leave = (): void => {
    if (unsaved) setAsking(true);
    else if (!insistent) onClose();
  };
  const leaveBeside = (event: MouseEvent): void => {
    if (event.target !== dialog.current) return;
    event.preventDefault(); // or the focus would go to what was pressed, which is nothing
    leave();
  };
  const leaveByKey = (event: KeyboardEvent): void => {
    // After a few Escapes the browser itself would close it, whatever is done about `cancel`.
    if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    leave();
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      aria-describedby={description ? `${id}-more` : undefined}
      className={classes(
        "m-auto max-h-[85dvh] max-w-[calc(100vw-1.5rem)] overflow-hidden border border-line-strong bg-surface p-0 text-text shadow-float",
        SHAPES[shape],
      )}
      onMouseDown={leaveBeside}
      onKeyDown={leaveByKey}
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
    >
      <div className="flex max-h-[inherit] h-full flex-col">
        <header className="flex items-start gap-3 p-4 pb-3">
          <div className="min-w-0 flex-1">
            <h2 id={id} tabIndex={-1} className="text-base font-semibold break-words outline-none">
              {title}
            </h2>
            {description && (
              <p id={`${id}-more`} className="mt-1 text-sm text-muted">
                {description}
              </p>
            )}
          </div>
          {!insistent && <IconButton label="Close" icon={X} size="small" onClick={leave} />}
        </header>
        {children && <div className="min-h-0 flex-1 overflow-y-auto px-4 pb-4">{children}</div>}
        {footer && (
          <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">
            {footer}
          </footer>
        )}
      </div>
      {isAsking && (
        <Dialog
          open
          shape="small"
          onClose={() => setAsking(false)}
          title="Discard what you typed?"
          footer={
            <>
              <Button variant="danger" onClick={onClose}>
                Discard
              </Button>
              <Button variant="primary" data-harmless="" onClick={() => setAsking(false)}>
                Go on typing
              </Button>
            </>
          }
        />
      )}
      <Announcer />
    </dialog>
  );
}

/** In the place of a dialog whose code could not be loaded. */
export function Unopened({ error, retry, onClose }: UnloadedProps & Pick<DialogProps, "onClose">): ReactNode {
  return (
    <Dialog open shape="small" onClose={onClose} title="This could not be opened">
      <Fault title="There is no answer from the server." error={error} retry={retry} />
    </Dialog>
  );
}

export interface ConfirmDialogProps extends Pick<DialogProps, "open" | "onClose" | "title" | "children"> {
  /** What cannot be taken back: it is typed before the button works. Without it the button works at once. */
  readonly typed?: string;
  /** What the button does, such as "Disconnect". */
  readonly action: string;
  /** What was typed besides the confirmation would be lost. */
  readonly unsaved?: boolean;
  /** May fail: what it throws is shown, and the dialog stays. It closes by `onClose` else. */
  readonly onConfirm: () => Promise<void>;
}

/** ```<ConfirmDialog open={…} onClose={…} title="Remove revenue?" typed="revenue" action="Remove" onConfirm={remove}>…</ConfirmDialog>``` */
export function ConfirmDialog(props: ConfirmDialogProps): ReactNode {
  return props.open && <OpenConfirmDialog {...props} />;
}

function OpenConfirmDialog({
  onClose,
  title,
  typed,
  action,
  unsaved = false,
  onConfirm,
  children,
}: ConfirmDialogProps): ReactNode {
  const form = useId();
  const [words, setWords] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setError(error);
    } finally {
      setBusy(false);
    }
  };
  const isRight = typed === undefined || words.trim() === typed;
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      shape="small"
      unsaved={unsaved}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="danger"
            type="submit"
            form={form}
            busy={isBusy}
            blocked={!isRight && `Type ${typed} first.`}
          >
            {action}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="grid gap-3 text-sm"
        onSubmit={(event) => {
          event.preventDefault();
          if (isRight && !isBusy) void confirm();
        }}
      >
        {children}
        {typed !== undefined && (
          <Field
            label={
              <>
                Type <span className="font-mono">{typed}</span> to go on
              </>
            }
          >
            {(control) => (
              <Input {...control} value={words} onChange={({ target }) => setWords(target.value)} />
            )}
          </Field>
        )}
        {error !== undefined && <Fault title="That did not work." error={error} />}
      </form>
    </Dialog>
  );
}
