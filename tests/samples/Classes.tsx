export function Classes() {
  return <button type="button">New class</button>;
}
