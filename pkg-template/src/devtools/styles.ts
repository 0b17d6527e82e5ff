/** The panel's style sheet: light and dark by the user's setting, whatever the page's own colors are. */
export const STYLES = `
:host {
  all: initial;
  --text: #1d2733;
  --surface: #ffffff;
  --border: #7b8794;
  --accent: #0b5cad;
  color-scheme: light;
  position: fixed;
  inset-block-end: 0.5rem;
  inset-inline-end: 0.5rem;
  z-index: 2147483647;
  max-inline-size: calc(100vw - 1rem);
  font: 0.8125rem/1.5 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :host {
    --text: #eef2f6;
    --surface: #18212b;
    --border: #75828f;
    --accent: #8ec5ff;
    color-scheme: dark;
  }
}
@media print {
  :host { display: none; }
}
details {
  inline-size: fit-content;
  max-inline-size: 100%;
  color: var(--text);
  background: var(--surface);
  border: 1px solid var(--border);
  border-radius: 0.5rem;
}
summary {
  padding: 0.25rem 0.75rem;
  cursor: pointer;
}
.body {
  box-sizing: border-box;
  inline-size: min(32rem, calc(100vw - 1rem));
  max-inline-size: 100%;
  max-block-size: min(36rem, 70vh);
  padding: 0.5rem 0.75rem;
  overflow: auto;
  border-block-start: 1px solid var(--border);
}
:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}
h2 {
  margin: 0.75rem 0 0.25rem;
  font-size: 0.875rem;
}
p {
  margin: 0.25rem 0;
  white-space: pre-wrap;
}
.buttons {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem;
}
button {
  padding: 0.125rem 0.5rem;
  color: var(--accent);
  background: none;
  border: 1px solid var(--border);
  border-radius: 0.25rem;
  font: inherit;
  cursor: pointer;
}
table {
  inline-size: 100%;
  margin-block-end: 0.5rem;
  border-collapse: collapse;
}
caption {
  font-weight: bold;
  text-align: start;
}
th,
td {
  padding: 0.125rem 0.5rem 0.125rem 0;
  border-block-end: 1px solid var(--border);
  font-weight: normal;
  text-align: start;
  vertical-align: top;
  overflow-wrap: anywhere;
}
th {
  inline-size: 35%;
}
ol,
ul {
  margin: 0;
  padding-inline-start: 2rem;
}
`;
