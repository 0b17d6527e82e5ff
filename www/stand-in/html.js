/** Writes HTML as template strings, in which every value is escaped unless it is HTML itself. */

/** A piece of HTML that needs no escaping. */
export class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/**
 * Tags a template: arrays are joined, `undefined` and `false` become empty.
 *
 * @param {TemplateStringsArray} strings
 * @param {...unknown} values
 * @returns {Html}
 */
export function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(render)));
}

/** @param {unknown} value @returns {string} */
function render(value) {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(render).join("");
  return String(value).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/**
 * Writes a value as JSON that may be inside a `<script>`.
 *
 * @param {unknown} value
 * @returns {Html}
 */
export function scriptJson(value) {
  return new Html(JSON.stringify(value).replace(/[<\u2028\u2029]/g, unicodeEscape));
}

/** @param {string} char */
function unicodeEscape(char) {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
