/** Your own API, which knows the user by the gateway's session: see own-api.md. */
export async function fetchClasses(signal?: AbortSignal): Promise<string[]> {
  const response = await fetch("/api/classes", signal ? { signal } : {});
  if (!response.ok) throw new Error(`The classes cannot be read: HTTP ${String(response.status)}`);
  return (await response.json()) as string[];
}
