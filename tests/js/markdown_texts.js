/**
 * Markdown that is hard to read piece by piece, and random mixtures of it.
 */

export const HARD = [
  "para\n***\nnext **bold *both* end** _x_ ~~gone~~",
  "a\n***b***\nc",
  "title\n===\n\nsub\n---\n\ntext\n-\n",
  "- a\n- b\n\n- c\n  more\n\n  - d\n    - e\n\n      para\n  - f\n+ other\n",
  "1. a\n2. b\n3) c\n7) d\n\n   para\n8) e\nlazy\n\nafter",
  "- a | b\n- c | d\n--|--\n- e",
  "   - a\n   - b\n - c\n    - d\n- e\n\n\n- f\n",
  "- \n- x\n-\n\n  y\n",
  "x\na | b\n--|--\n1 | 2\n3 | `4|5`\n6\n| 7 | 8 | 9 |\n> quote\n",
  "| l | c | r |\n|:-|:-:|-:|\n| 1 | **2** | [3](https://x.y) |\n| 4 |\nno pipe\n\nafter",
  "```js\nlet a = '<b>';\n\n```\ntext\n~~~\nopen fence\n```\n- no list\n",
  "    indented\n\n    more\n\ntext\n\tcode by tab\n",
  "> quote\n> - list\n>   more\nlazy\n\n> again\n>> deeper\n> ```\n> code\n\ndone",
  "see [foo], [Foo][] and [text][foo]\n\n- [bar] item\n- two\n\n| a |\n|---|\n| [bar] |\n\nmid\n\n[foo]: https://foo.example 'Title'\n[bar]: <https://bar.example>\n\nend [foo]\n",
  "[foo]\n\n[foo]: https://a.example\n'title\nmore'\n",
  "[foo]\n\n[foo]: https://a.example\n'not a\n\ntitle'\n\n[foo]\n",
  "[a]: https://first.example\n[a]: https://second.example\n\n[a] and ![img][a]\n",
  "# one\n## two ##\n####### seven\n#nospace\n",
  '[js](javascript:alert(1)) [data](data:text/html,x) [rel](/x) [m](mailto:a@b.c) [h](HTTPS://X.y/ä?q=1&r="2") <https://auto.example> <a@b.c>\n',
  '![i](https://x.y/z.png "t") ![](https://x.y/z.png) [![in](https://x.y/i.png)](https://x.y) ![d](data:image/png;base64,AAAA)\n',
  "<script>alert(1)</script>\n\n<b onclick=x>hi</b> <!-- c --> &lt;&amp;&#35;&copy;&nbsp;x\n",
  "hard  \nbreak\\\nagain \\* \\_ \\< `` a`b `` ` c `\n",
  "emoji 👍🏽 é 日本語 **太字** *a*b*c* __x__y \u00a0end\n",
  "a\r\nb\rc\n\n- x\r\n- y\r\n",
  "\0nul & <x> \"quotes\" 'q'\n",
  "* * *\n* a\n* * *\n- - -\n",
  "1. one\n   ```py\n   x = 1\n   ```\n2. two\n\n   | a | b |\n   |---|---|\n   | 1 | 2 |\n3. three\n",
  "- [ ] todo\n- [x] done\n",
  "term\n: def\n\n$$x$$ $y$\n",
  "- a\n\n\n\n  b\n- c\n    - d\n        - e\n            - f\n",
  "> 1. a\n> 2. b\n>\n> 3. c\n\n1986\\. x\n1986. y\n",
  "- a\n  [r]: https://r.example\n- [r]\n\n[r]\n",
];

const PIECES = [
  "- ",
  "1. ",
  "2) ",
  "> ",
  "# ",
  "```\n",
  "~~~py\n",
  "| a | b |\n|---|---|\n",
  "| x | y |\n",
  "--|--\n",
  "***",
  "**",
  "*",
  "`",
  "[foo]",
  "[foo]: https://foo.example\n",
  "[bar]: https://bar.example 'T'\n",
  "[bar][foo]",
  "](https://x.y)",
  "[",
  "!",
  "\n",
  "\n",
  "\n\n",
  "\n\n",
  "  ",
  "    ",
  "   ",
  "\t",
  "word ",
  "word",
  "a | b\n",
  "---\n",
  "===\n",
  "\\",
  "<b>",
  "&amp;",
  "👍",
  "'title'\n",
  "+ ",
  "-\n",
  "_",
  "~~",
];

/**
 * A small generator of the same numbers for the same seed (mulberry32).
 *
 * @param {number} seed
 */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {() => number} random */
export function randomText(random) {
  if (random() < 0.3) {
    const pick = () => HARD[Math.floor(random() * HARD.length)] ?? "";
    return pick() + (random() < 0.5 ? "\n" : "") + pick();
  }
  return Array.from(
    { length: 2 + Math.floor(random() * 30) },
    () => PIECES[Math.floor(random() * PIECES.length)],
  ).join("");
}
