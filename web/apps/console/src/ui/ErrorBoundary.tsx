/** Where something broke: says what happened and offers to try again, in the place of what broke and nowhere else. */

import { RotateCw, TriangleAlert } from "lucide-react";
import { Component, type ReactNode } from "react";
import { Button } from "./Button.js";

interface Props {
  readonly children: ReactNode;
}

export class ErrorBoundary extends Component<Props, { readonly error: unknown }> {
  override readonly state: { readonly error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return <Fault error={this.state.error} retry={() => this.setState({ error: undefined })} />;
  }
}

export interface FaultProps {
  /** An `ApiError` or any other. */
  readonly error: unknown;
  /** What did not work, in words; "This could not be shown." by default. */
  readonly title?: string;
  readonly retry?: () => void;
}

/** ```{error && <Fault title="The sources could not be read." error={error} retry={refetch} />}``` */
export function Fault({ error, title = "This could not be shown.", retry }: FaultProps): ReactNode {
  return (
    <div
      role="alert"
      className="grid justify-items-start gap-2 rounded-control border border-bad/50 p-pad text-sm"
    >
      <p className="flex items-center gap-2 font-medium">
        <TriangleAlert size={16} className="shrink-0 text-bad" />
        {title}
      </p>
      <p className="break-words text-muted">{error instanceof Error ? error.message : String(error)}</p>
      {retry && (
        <Button size="small" icon={RotateCw} onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
