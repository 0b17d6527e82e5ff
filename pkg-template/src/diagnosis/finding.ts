/** Findings of checks, and readers of metadata of any shape. */

import type { DiagnosisCheck } from "../types.js";

/** A check's result; which check it was is added to it. */
export type Finding = Omit<DiagnosisCheck, "id">;

/** Provider metadata by its discovery names, from whatever source. */
export type Metadata = Readonly<Record<string, unknown>>;

export const ok = (summary: string): Finding => ({ status: "ok", summary });

/** Users can sign in, but something is worth knowing. */
export const warning = (summary: string, remedy: string): Finding => ({
  status: "warning",
  summary,
  remedy,
});

/** Users can't sign in. */
export const problem = (summary: string, remedy: string): Finding => ({
  status: "problem",
  summary,
  remedy,
});

/** A member that is text. */
export function text(metadata: Metadata, name: string): string | undefined {
  const value = metadata[name];
  return typeof value === "string" ? value : undefined;
}

/** A member that is an array. */
export function list(metadata: Metadata, name: string): unknown[] | undefined {
  const value = metadata[name];
  return Array.isArray(value) ? value : undefined;
}
