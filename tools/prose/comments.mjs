/**
 * A textlint plugin for the comments of Rust, TypeScript and JavaScript: a paragraph for each comment that fills whole
 * lines, without the code in it. A comment behind code on its line is not read.
 *
 * @module
 */

/** A block comment or a run of line comments, from the start of a line. */
const COMMENT = /^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*)/gm;
/** Code spans, links, and the types and names of JSDoc's tags. */
const CODE =
  /```[\s\S]*?```|`[^`]*`|@import\b[^\n]*|@(?:param|property)\s+(?:\{(?:[^{}]|\{[^{}]*\})*\}\s+)?\[?[\w.$]+|@\w+\s*\{(?:[^{}]|\{[^{}]*\})*\}(?:\s+\w+)?|\{@\w+ [^}]*\}|https?:\S+/g;

/** @param {string} text */
function parse(text) {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  /** @param {number} index */
  const position = (index) => {
    const line = lineStarts.findLastIndex((start) => start <= index);
    return { line: line + 1, column: index - lineStarts[line] };
  };
  /** @type {(type: string, start: number, end: number, more: object) => any} */
  const node = (type, start, end, more) => ({
    type,
    raw: text.slice(start, end),
    range: [start, end],
    loc: { start: position(start), end: position(end) },
    ...more,
  });
  /** @type {(start: number, end: number) => any[]} */
  const prose = (start, end) => {
    const strings = [];
    for (const code of [...text.slice(start, end).matchAll(CODE), { index: end - start, 0: "" }]) {
      const from = strings.at(-1)?.next ?? start;
      const to = start + code.index;
      strings.push({ from, to, next: to + code[0].length });
    }
    return strings
      .filter(({ from, to }) => from < to)
      .map(({ from, to }) => node("Str", from, to, { value: text.slice(from, to) }));
  };
  const paragraphs = [...text.matchAll(COMMENT)].map(({ 0: comment, index }) => {
    const end = index + comment.length;
    return node("Paragraph", index, end, { children: prose(index, end) });
  });
  return node("Document", 0, text.length, { children: paragraphs });
}

/** The plugin. @public */
export const Processor = class {
  /** @returns {string[]} */
  availableExtensions() {
    return [".rs", ".ts", ".tsx", ".mts", ".js", ".mjs"];
  }

  processor() {
    return {
      preProcess: parse,
      /** @type {(messages: object[], filePath?: string) => object} */
      postProcess: (messages, filePath) => ({ messages, filePath: filePath ?? "<text>" }),
    };
  }
};
