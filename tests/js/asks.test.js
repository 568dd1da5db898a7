/**
 * @import { TypedByPath } from "ds/ui/asks/values.js"
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readSchema } from "ds/ui/asks/schema.js";
import { FieldError, toTyped, toValue, typedRows } from "ds/ui/asks/values.js";
import { mayAnswer } from "ds/ui/asks/wording.js";
import "./layout_shape.js"; // the sentences of the page

/** Returns kinds by path. @param {unknown} schema */
function kinds(schema) {
  const { fields } = readSchema(schema);
  return Object.fromEntries(fields.map(({ path, kind }) => [path, kind]));
}

/** @type {(schema: unknown, typed: TypedByPath) => unknown} */
function answer(schema, typed) {
  const field = readSchema(schema);
  return toValue(field, new Map([...toTyped(field), ...typed]));
}

/** @param {Record<string, unknown>} properties */
const object = (properties, required = Object.keys(properties)) => ({ type: "object", properties, required });

test("each type has a field of its own, and what has none is written as JSON", () => {
  const schema = object({
    name: { type: "string", maxLength: 40 },
    text: { type: "string" },
    day: { type: "string", format: "date" },
    mail: { type: "string", format: "email" },
    nights: { type: "integer" },
    price: { type: "number" },
    flexible: { type: "boolean" },
    way: { enum: ["train", 2] },
    meals: { type: "array", items: { oneOf: [{ const: "b", title: "Breakfast" }] } },
    stops: { type: "array", items: { type: "string" } },
    who: object({ adults: { type: "integer" } }),
    places: { type: "array", items: { type: "object" } },
    extra: { type: "object", additionalProperties: { type: "string" } },
    either: { type: ["string", "integer"] },
    anything: true,
  });

  assert.deepEqual(kinds(schema), {
    name: "line",
    text: "text",
    day: "date",
    mail: "email",
    nights: "integer",
    price: "number",
    flexible: "boolean",
    way: "choice",
    meals: "choices",
    stops: "lines",
    who: "group",
    places: "json",
    extra: "json",
    either: "json",
    anything: "json",
  });
});

test("a field has the words of its schema, or its name in words", () => {
  const schema = object(
    { city: { title: "Where to?", description: "A town.", type: "string" }, how_many: {} },
    ["city"],
  );
  const [city, many] = readSchema(schema).fields;

  assert.deepEqual([city?.label, city?.help, city?.required], ["Where to?", "A town.", true]);
  assert.deepEqual([many?.label, many?.help, many?.required], ["How many", "", false]);
});

test("references and optional types lead to the field, as pydantic and msgspec write them", () => {
  const schema = {
    $ref: "#/$defs/Trip",
    $defs: {
      Trip: object({
        way: { allOf: [{ $ref: "#/$defs/Way" }], default: "car" },
        nights: { anyOf: [{ type: "integer" }, { type: "null" }], default: null },
        "a/b": { $ref: "#/$defs/a~1b" },
      }),
      Way: { enum: ["train", "car"], title: "Way" },
      "a/b": { type: "boolean" },
    },
  };
  const [way, nights, slash] = readSchema(schema).fields;

  assert.deepEqual([way?.kind, way?.label, way?.initial], ["choice", "Way", "car"]);
  assert.deepEqual([nights?.kind, nights?.initial], ["integer", undefined]);
  assert.equal(slash?.kind, "boolean");
});

test("a schema that goes round in circles, or is none, ends in a field for JSON", () => {
  const round = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } };
  const tree = {
    $ref: "#/$defs/t",
    $defs: { t: object({ name: { type: "string" }, next: { $ref: "#/$defs/t" } }) },
  };
  const nested = readSchema(tree).fields[1];

  assert.equal(readSchema(round).kind, "json");
  assert.deepEqual(
    nested?.fields.map(({ path, kind }) => [path, kind]),
    [
      ["next.name", "text"],
      ["next.next", "json"],
    ],
  );
  for (const none of [null, 7, "x", [], { $ref: "https://example.com/x" }, { $ref: "#/__proto__/x" }])
    assert.equal(readSchema(none).kind, "json");
});

test("what was typed becomes the answer, and an empty field is absent", () => {
  const schema = object({
    city: { type: "string", maxLength: 20 },
    nights: { type: "integer" },
    price: { type: "number" },
    way: { enum: ["train", 2] },
    meals: { type: "array", items: { enum: ["b", "d"] } },
    stops: { type: "array", items: { type: "string" } },
    flexible: { type: "boolean" },
    extra: {},
    left: { type: "string" },
    who: object({ adults: { type: "integer" } }),
  });
  /** @type {TypedByPath} */
  const typed = new Map(
    Object.entries({
      city: " Oslo ",
      nights: "3",
      price: "2,5",
      way: [1],
      meals: [0, 1],
      stops: "Rome\n\n Bern ",
      flexible: true,
      extra: '{"a": [1]}',
      "who.adults": "2",
    }),
  );

  assert.deepEqual(answer(schema, typed), {
    city: " Oslo ",
    nights: 3,
    price: 2.5,
    way: 2,
    meals: ["b", "d"],
    stops: ["Rome", "Bern"],
    flexible: true,
    extra: { a: [1] },
    who: { adults: 2 },
  });
});

test("a form that nobody touches answers with its defaults", () => {
  const schema = object({
    city: { type: "string", default: "Oslo" },
    way: { enum: ["train", "car"], default: "car" },
    meals: { type: "array", items: { enum: ["b", "d"] }, default: ["d"] },
    flexible: { type: "boolean", default: true },
    extra: { default: { a: 1 } },
  });

  const whole = { city: "Oslo", way: "car", meals: ["d"], flexible: true, extra: { a: 1 } };
  assert.deepEqual(answer(schema, new Map()), whole);
  assert.deepEqual(answer({ type: "object" }, new Map()), {});
  assert.equal(answer({ type: "string" }, new Map([["", "yes"]])), "yes");
});

test("what cannot be read is an error of its field", () => {
  const schema = object({
    who: object({ adults: { type: "integer" } }),
    price: { type: "number" },
    extra: {},
  });
  for (const [path, text, message] of [
    ["who.adults", "2.5", "Write a whole number, such as 1000."],
    ["price", "much", "Write a number, such as 1000 or 2.5."],
    ["price", "1,000", "Write a number, such as 1000 or 2.5."],
    ["price", "Infinity", "Write a number, such as 1000 or 2.5."],
    ["extra", "{", "This is not JSON yet. Mind the quotes and brackets."],
  ])
    assert.throws(() => answer(schema, new Map([[path ?? "", text ?? ""]])), {
      path,
      message,
      constructor: FieldError,
    });
});

test("what was typed and not sent is shown in words", () => {
  const schema = object({
    way: { enum: ["train", "car"] },
    city: { title: "Where", type: "string" },
    ok: { type: "boolean" },
  });

  const rows = typedRows(readSchema(schema), new Map(Object.entries({ way: [1], city: "Oslo", ok: true })));

  assert.deepEqual(rows, [
    ["Way", "car"],
    ["Where", "Oslo"],
    ["Ok", "Yes"],
  ]);
  assert.deepEqual(typedRows(readSchema(schema), new Map([["city", ""]])), []);
});

test("owner and editors may answer, unless the question names others", () => {
  /** @type {(by: object | undefined, role: string) => boolean} */
  const may = (by, role) => mayAnswer(/** @type {any} */ ({ by }), { me: "7", role, agents: {} });

  assert.deepEqual(
    ["owner", "editor", "viewer"].map((role) => may(undefined, role)),
    [true, true, false],
  );
  assert.deepEqual(
    ["owner", "viewer"].map((role) => may({ roles: ["viewer"] }, role)),
    [false, true],
  );
  assert.deepEqual([may({ users: ["7"] }, "viewer"), may({ users: ["8"] }, "owner")], [true, false]);
});
