/**
 * Colours code with highlight.js. The library and each language are loaded when a code block needs them.
 *
 * @module
 */

const LONGEST = 60_000; // UTF-16 units; longer code stays plain, since colouring it would block the page
const BASE = "@highlightjs/cdn-assets/es";
/** The languages that the server has (chatapp/pages/assets.py). */
export const LANGUAGES = new Set(
  (
    "bash c cpp csharp css diff dockerfile go graphql ini java javascript json kotlin lua makefile markdown nginx perl " +
    "php plaintext powershell python r ruby rust scss shell sql swift typescript xml yaml"
  ).split(" "),
);
/** @type {Record<string, string>} */
const ALIASES = {
  "c#": "csharp",
  "c++": "cpp",
  cc: "cpp",
  cjs: "javascript",
  conf: "ini",
  console: "shell",
  cs: "csharp",
  docker: "dockerfile",
  golang: "go",
  gql: "graphql",
  h: "c",
  hpp: "cpp",
  htm: "xml",
  html: "xml",
  js: "javascript",
  jsonc: "json",
  jsx: "javascript",
  kt: "kotlin",
  make: "makefile",
  md: "markdown",
  mjs: "javascript",
  patch: "diff",
  pl: "perl",
  ps1: "powershell",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  svg: "xml",
  toml: "ini",
  ts: "typescript",
  tsx: "typescript",
  yml: "yaml",
  zsh: "bash",
};

/** A result of highlight.js: texts, and pieces with a scope. @typedef {{scope?: string, children: (string | Piece)[]}} Piece */
/**
 * @typedef {{
 *   registerLanguage(name: string, language: unknown): void,
 *   highlight(code: string, options: {language: string, ignoreIllegals: boolean}): {_emitter: {rootNode: Piece}},
 * }} Highlighter
 */

/** @type {Map<string, Promise<Highlighter>>} */
const loaded = new Map();
/** The text of each block when it was coloured. @type {WeakMap<Element, string>} */
const coloured = new WeakMap();

/**
 * Colours the code blocks in `container` that are not coloured yet.
 *
 * @param {Element} container
 * @param {{except?: Element | null | undefined}} [options] `except`: a block that is being written
 */
export async function colourCode(container, { except = null } = {}) {
  for (const code of container.querySelectorAll('pre > code[class^="language-"]')) {
    const name = languageOf(code);
    const text = code.textContent ?? "";
    if (isChanged(code)) continue;
    if (!name || text.length > LONGEST || coloured.get(code) === text || except?.contains(code)) continue;
    coloured.set(code, text);
    const highlighter = await load(name).catch(() => null);
    if (!highlighter || code.textContent !== text || isChanged(code)) {
      coloured.delete(code);
      continue;
    }
    const { _emitter } = highlighter.highlight(text, { language: name, ignoreIllegals: true });
    code.replaceChildren(...nodes(_emitter.rootNode, code.ownerDocument));
  }
}

/**
 * Returns whether the code is coloured, or somebody else has put elements into it, whose text may be none of the code.
 *
 * @param {Element} code
 */
function isChanged(code) {
  return code.childElementCount > 0;
}

/** @param {Element} code */
function languageOf(code) {
  const label = code.className.slice("language-".length).toLowerCase();
  const name = ALIASES[label] ?? label;
  return LANGUAGES.has(name) ? name : null;
}

/** @param {string} name */
function load(name) {
  const already = loaded.get(name);
  if (already) return already;
  const loading = Promise.all([
    import(`${BASE}/core.min.js`),
    import(`${BASE}/languages/${name}.min.js`),
  ]).then(([core, language]) => {
    core.default.registerLanguage(name, language.default);
    return core.default;
  });
  loaded.set(name, loading);
  loading.catch(() => loaded.delete(name)); // the network failed: the next block tries again
  return loading;
}

/**
 * @param {Piece} piece
 * @param {Document} document
 * @returns {(string | Node)[]}
 */
function nodes(piece, document) {
  return piece.children.map((child) => {
    if (typeof child === "string") return child;
    const span = document.createElement("span");
    span.className = classOf(child.scope ?? "");
    span.append(...nodes(child, document));
    return span;
  });
}

/**
 * Returns the classes of a scope by highlight.js's own rule: `title.function` is `hljs-title function_`.
 *
 * @param {string} scope
 */
function classOf(scope) {
  if (scope.startsWith("language:")) return scope.replace("language:", "language-");
  const [first, ...rest] = scope.split(".");
  return [`hljs-${first}`, ...rest.map((name, i) => name + "_".repeat(i + 1))].join(" ");
}
