/** Declarations of files that the build writes, until it has run. */

/** The version in `Cargo.toml`. */
declare const __VERSION__: string;

declare module "*/wasm/classlink_spa.js" {
  const init: unknown;
  export default init;
  export const Core: unknown;
  export const setPanicListener: unknown;
  export const __wbg_reset_state: unknown;
}

declare module "*.wasm" {
  /** The file's bytes in base64. */
  const base64: string;
  export default base64;
}

declare module "next/headers.js" {
  export function headers(): Headers | Promise<Headers>;
}

declare module "next/server.js" {
  /** Absent before Next.js 15. */
  export const connection: (() => Promise<void>) | undefined;
}

interface Uint8ArrayConstructor {
  /** Decodes Base64 (ECMA-262 2026). Chrome has it since 140, Firefox since 133, Safari since 18.2. */
  readonly fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
}
