import assert from "node:assert";
import { Pattern } from "./pattern.ts";

function pieces(source: string, text: string): string[] {
  return Array.from(new Pattern(source).matches(text), ({ start, end }) => text.slice(start, end));
}

Deno.test("alternatives are tried in order, and a match gives back what it must", () => {
  assert.deepEqual(pieces("a|ab", "ab"), ["a"]);
  assert.deepEqual(pieces("a*ab", "aaab ab"), ["aaab", "ab"]);
  assert.deepEqual(pieces("(?:ab){2,3}?c", "ababc"), ["ababc"]);
  assert.deepEqual(pieces("a*+a", "aaa"), []);
  assert.deepEqual(pieces("(?>a|ab)c", "abc"), []);
  assert.deepEqual(pieces("\\p{N}{1,3}", "1234567"), ["123", "456", "7"]);
  assert.deepEqual(pieces("[^𝄞]+", "a𝄞𝄞bc"), ["a", "bc"]);
});

Deno.test("GPT-2's pattern leaves the last of several spaces to the word", () => {
  const pattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  assert.deepEqual(pieces(pattern, "It's   a\n\n1st. "), [
    ...["It", "'s", "  ", " a", "\n", "\n", "1", "st", ".", " "],
  ]);
});

Deno.test("classes nest, intersect and ignore case", () => {
  assert.deepEqual(pieces("[a[b-d]&&[^c]]+", "abcd"), ["ab", "d"]);
  assert.deepEqual(pieces("(?i:'S|'re)", "it's we'RE 'ſ"), ["'s", "'RE", "'ſ"]);
  assert.deepEqual(pieces("[\\w--]+", "a-b c"), ["a-b", "c"]);
});

Deno.test("white space is Unicode's, without the byte order mark", () => {
  assert.deepEqual(pieces("\\s", "a\u0085\ufeff\u00a0"), ["\u0085", "\u00a0"]);
});

Deno.test("places, and looking ahead and behind", () => {
  assert.deepEqual(pieces("^.+$", "ab\ncd\n"), ["ab", "cd"]);
  assert.deepEqual(pieces("\\bb\\w+", "ab bc"), ["bc"]);
  assert.deepEqual(pieces("(?<=a|𝄞x)b(?=c)", "abc 𝄞xbc bc abd"), ["b", "b"]);
  assert.deepEqual(pieces("(?<![ab])c", "ac c"), ["c"]);
  assert.deepEqual(pieces("x*", "axb"), ["", "x", ""]);
});

Deno.test("what is not supported is named", () => {
  const cases: [string, RegExp][] = [
    ["(a)\\1", /it has \\1/],
    ["(?<name>a)", /group that begins/],
    ["(?:a?)*", /may be empty/],
    ["(?<=a+)b", /several lengths/],
    ["[[:alpha:]]", /POSIX/],
    ["\\p{Nonsense}", /property Nonsense/],
    ["\\p{constructor}", /property constructor/],
    ["(?i:strasse)", /one letter/],
    ["(?i:[a-z&&[^b]])", /class with another one taken out/],
    ["(a", /not closed/],
    ["a)", /unexpected \)/],
    ["[a", /too early/],
    ["*a", /repeats nothing/],
    ["a**", /repeats a repetition/],
    ["(?:ab){6000}", /too large/],
    ["(".repeat(5000), /too deeply/],
  ];
  for (const [source, message] of cases) {
    assert.throws(() => new Pattern(source), { name: "PatternError", message });
  }
});

Deno.test("a catastrophic pattern is given up, though trying all ways would take for ever", () => {
  for (const source of ["(?:a+)+b", "(?:a|a)*b", "(?:a|aa)+$"]) {
    assert.throws(() => pieces(source, "a".repeat(200) + "c"), /too long on this text/);
  }
});
