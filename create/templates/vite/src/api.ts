/** The application's own API, which knows the user by the gateway's session: see server/app.js. */
export async function fetchClasses(signal?: AbortSignal): Promise<string[]> {
  const response = await fetch("/api/classes", signal ? { signal } : {});
  if (!response.ok) throw new Error(`The classes cannot be read: HTTP ${String(response.status)}`);
  return (await response.json()) as string[];
}
