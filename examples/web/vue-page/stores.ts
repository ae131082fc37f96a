import type { Store } from "@vagus/client";
import { onScopeDispose, type ShallowRef, shallowRef } from "vue";

/** A store of the client as a ref, as long as the component (or effect scope) lives that asks for it. */
export function useStore<T>(store: Store<T>): Readonly<ShallowRef<T>> {
  const value = shallowRef(store.get());
  onScopeDispose(
    store.subscribe(() => {
      value.value = store.get();
    }),
  );
  return value;
}
