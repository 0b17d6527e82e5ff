/**
 * The one door to what wasm-bindgen generates.
 *
 * @packageDocumentation
 */

import type { Glue } from "./core.js";
import { __wbg_reset_state, Core, setPanicListener, start } from "./wasm/classlink_spa.js";

/** The generated module under the names and types of {@link Glue}. */
export const glue = { start, Core, setPanicListener, reset: __wbg_reset_state } as unknown as Glue;
