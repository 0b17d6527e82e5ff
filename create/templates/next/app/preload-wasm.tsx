"use client";

import { preload } from "react-dom";

const wasm = new URL("classlink-spa/classlink_spa_bg.wasm", import.meta.url);

/** Has the page's head ask for the WebAssembly, which the script needs. */
export function PreloadWasm() {
  preload(wasm.href, { as: "fetch", type: "application/wasm", crossOrigin: "anonymous" });
  return null;
}
