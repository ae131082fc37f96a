/** How often each component was rendered, by name. Tests reach it as `renders`. */

declare global {
  var renders: Record<string, number>;
}

globalThis.renders = {};

export function counted(name: string): void {
  globalThis.renders[name] = (globalThis.renders[name] ?? 0) + 1;
}
