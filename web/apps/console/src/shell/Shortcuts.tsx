/** The help overlay: every shortcut that works from here, and the switch for those of a single key (WCAG 2.1.4). */

import type { ReactNode } from "react";
import { type Action, useAllActions } from "../actions.js";
import { changeSettings, useSettings } from "../settings.js";
import { Dialog } from "../ui/Dialog.js";
import { Switch } from "../ui/Field.js";
import { Kbd } from "../ui/Kbd.js";

export function Shortcuts({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { singleKeys } = useSettings();
  const withKeys = useAllActions().filter(({ keys }) => keys !== undefined);
  const groups = Map.groupBy(withKeys, ({ group }) => group);
  return (
    <Dialog open onClose={onClose} title="Shortcuts" shape="medium">
      <div className="grid gap-5">
        <Switch
          label="Shortcuts of a single key"
          hint="Those with Ctrl or ⌘ always work."
          checked={singleKeys}
          onChange={(singleKeys) => changeSettings({ singleKeys })}
        />
        <div className="gap-8 sm:columns-2">
          {[...groups].map(([group, actions]) => (
            <section key={group} className="mb-5 break-inside-avoid">
              <h3 className="eyebrow mb-1">{group}</h3>
              <dl>
                {actions.map((action) => (
                  <Shortcut key={action.id} action={action} isOff={!singleKeys} />
                ))}
              </dl>
            </section>
          ))}
        </div>
      </div>
    </Dialog>
  );
}

function Shortcut({ action, isOff }: { readonly action: Action; readonly isOff: boolean }): ReactNode {
  const { title, keys = "", alsoKeys } = action;
  return (
    <div className="flex min-h-8 items-center justify-between gap-3 border-t border-line text-sm">
      <dt>{title}</dt>
      <dd className={isOff && !keys.startsWith("mod+") ? "line-through opacity-60" : "flex gap-2"}>
        <Kbd keys={keys} />
        {alsoKeys && <Kbd keys={alsoKeys} />}
      </dd>
    </div>
  );
}
