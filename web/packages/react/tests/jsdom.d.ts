/** What the tests need of jsdom, which brings no types of its own. */
declare module "jsdom" {
  export class VirtualConsole {
    forwardTo(console: Console, options: { readonly jsdomErrors: readonly string[] }): this;
  }

  export class JSDOM {
    constructor(
      html: string,
      options: {
        readonly pretendToBeVisual?: boolean;
        readonly url?: string;
        readonly virtualConsole?: VirtualConsole;
      },
    );
    readonly window: Window & typeof globalThis;
  }
}
