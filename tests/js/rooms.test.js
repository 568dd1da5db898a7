import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path/posix";
import { test } from "node:test";

const SCRIPTS = new URL("../../static/js/", import.meta.url);

/** The folders of static/js by floor, lowest first. A module imports from its own folder and from lower floors. */
const FLOORS = [
  ["core"],
  ["net", "ui/lib"],
  ["ui/markdown", "ui/asks"],
  ["ui/conversation", "ui/frame"],
  ["ui/composer"],
  ["pages"],
];

/** The paths that each module imports, also for types; all below static/js. @typedef {Map<string, string[]>} Graph */

/** @returns {Graph} */
function readGraph() {
  const files = readdirSync(SCRIPTS, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".js"),
  );
  return new Map(files.map((name) => [name.replaceAll("\\", "/"), importsOf(name)]));
}

/** @param {string} name */
function importsOf(name) {
  const source = readFileSync(new URL(name, SCRIPTS), "utf8");
  return [...source.matchAll(/"ds\/([^"]+)"/g)].map(([, imported]) => imported ?? "");
}

/** @param {string} name */
function floorOf(name) {
  return FLOORS.findIndex((folders) => folders.includes(dirname(name)));
}

/** @param {Graph} graph */
function withoutFloor(graph) {
  return [...graph.keys()].filter((name) => floorOf(name) < 0);
}

/** @param {Graph} graph */
function forbiddenImports(graph) {
  const arrows = [...graph].flatMap(([name, imported]) => imported.map((other) => [name, other]));
  return arrows
    .filter(([from = "", to = ""]) => dirname(from) !== dirname(to) && floorOf(to) >= floorOf(from))
    .map((arrow) => arrow.join(" -> "));
}

/**
 * Returns the modules that import a circle: takes out modules without imports until none can be taken out.
 *
 * @param {Graph} graph
 */
function circles(graph) {
  const left = new Map(graph);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [name, imported] of left) if (!imported.some((other) => left.has(other))) left.delete(name);
  }
  return [...left.keys()];
}

test("every module lies in a folder that has a floor", () => {
  assert.deepEqual(withoutFloor(readGraph()), []);
  assert.deepEqual(
    withoutFloor(
      new Map([
        ["core/a.js", []],
        ["ui/a.js", []],
        ["ui/new/a.js", []],
      ]),
    ),
    ["ui/a.js", "ui/new/a.js"],
  );
});

test("imports go down only", () => {
  assert.deepEqual(forbiddenImports(readGraph()), []);
  assert.deepEqual(forbiddenImports(new Map([["core/a.js", ["core/b.js", "net/a.js"]]])), [
    "core/a.js -> net/a.js",
  ]);
  assert.deepEqual(forbiddenImports(new Map([["net/a.js", ["core/a.js", "ui/lib/a.js"]]])), [
    "net/a.js -> ui/lib/a.js",
  ]);
});

test("no modules import each other in a circle", () => {
  assert.deepEqual(circles(readGraph()), []);
  const graph = new Map([
    ["a.js", ["b.js"]],
    ["b.js", ["c.js"]],
    ["c.js", ["b.js"]],
    ["d.js", []],
  ]);
  assert.deepEqual(circles(graph), ["a.js", "b.js", "c.js"]);
});

test("no module is longer than 150 lines", () => {
  const lines = (/** @type {string} */ name) =>
    readFileSync(new URL(name, SCRIPTS), "utf8").split("\n").length - 1;
  assert.deepEqual(
    [...readGraph().keys()].filter((name) => lines(name) > 150),
    [],
  );
});

test("only ui/markdown imports packages of others", () => {
  const importing = [...readGraph().keys()].filter((name) => {
    const source = readFileSync(new URL(name, SCRIPTS), "utf8");
    return [...source.matchAll(/^(?:import\b.*|\} from )"([^"]+)";$/gm)].some(
      ([, from]) => !from?.startsWith("ds/"),
    );
  });
  assert.deepEqual(importing, ["ui/markdown/parser.js"]);
});
