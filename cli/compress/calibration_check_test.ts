import assert from "node:assert";
import type { EvaluationResult } from "../../eval/mod.ts";
import { type CalibrationCheck, calibrationLines } from "./calibration_check.ts";

function lines(
  check: Partial<CalibrationCheck>,
  measured: { perplexity: number; kl: number },
  textName = "my.txt",
) {
  const result = {
    perplexity: { original: measured.perplexity },
    klDivergence: { mean: measured.kl },
  } as EvaluationResult;
  const sound = {
    tokens: 16384,
    origin: "given" as const,
    widestInput: 1024,
    perplexity: 45,
    klDivergence: 0.001,
  };
  return calibrationLines({ ...sound, ...check }, result, textName);
}

Deno.test("a sound calibration is told in one line", () => {
  assert.deepEqual(lines({}, { perplexity: 47, kl: 0.0011 }), [
    "calibrated on 16,384 tokens; on that text perplexity 45.00, mean KL divergence 0.001000",
  ]);
});

Deno.test("a text that is too short, of another kind or too far off is warned of, with figures", () => {
  const short = lines({ tokens: 512 }, { perplexity: 47, kl: 0.004 });
  assert.equal(short.length, 2);
  assert.match(short[1]!, /^warning: 512 tokens .* 1,024 inputs; .* is 4\.00 times that/);
  const foreign = lines({ perplexity: 812 }, { perplexity: 47, kl: 0.002 });
  assert.equal(foreign.length, 2);
  assert.match(foreign[1]!, /^warning: .*another language or kind.* 812.*47.*2\.00 times/);
  const other = lines({}, { perplexity: 60, kl: 0.002 });
  assert.match(other[1]!, /^warning: the divergence on the measured text is 2\.00 times that/);
  assert.equal(lines({}, { perplexity: 60, kl: 0.0014 }).length, 1);
});

Deno.test("divergences of 0 are compared without NaN", () => {
  const both = lines({ tokens: 512, klDivergence: 0 }, { perplexity: 257, kl: 0 });
  assert.match(both.join("\n"), /is 1\.00 times that/);
  assert.ok(!/NaN/.test(both.join()));
  assert.match(lines({ klDivergence: 0 }, { perplexity: 45, kl: 0.1 })[1]!, /Infinity times that/);
});

Deno.test("the embedded text is blamed where a model was calibrated on what it wrote", () => {
  const own = { origin: "model" as const, perplexity: 12 };
  const [told, warning] = lines(own, { perplexity: 60, kl: 0.003 }, "the embedded text");
  assert.match(told!, /^calibrated on 16,384 tokens that the model wrote; on that text/);
  assert.match(warning!, /embedded text, .* 60\.00 against 12\.00, .*of its kind with --text$/);
  assert.equal(lines(own, { perplexity: 13, kl: 0.0011 }, "the embedded text").length, 1);
  assert.match(lines(own, { perplexity: 60, kl: 0.003 })[1]!, /another language or kind/);
  const [, short] = lines({ origin: "model", tokens: 512 }, { perplexity: 47, kl: 0.004 });
  assert.match(short!, /have the model write more: --calibration-tokens$/);
});

Deno.test("of a mixture of texts only the divergence tells whether it fits", () => {
  const several = { origin: "several kinds" as const, perplexity: 812 };
  const [told, ...none] = lines(several, { perplexity: 47, kl: 0.0014 });
  assert.match(
    told!,
    /^calibrated on 16,384 tokens of texts of several kinds and of what the model wrote; on that text/,
  );
  assert.deepEqual(none, []);
  const far = lines(several, { perplexity: 47, kl: 0.002 });
  assert.match(far[1]!, /2\.00 times that: .*give some of its kind with --calibration$/);
  const few = lines({ ...several, tokens: 512 }, { perplexity: 47, kl: 0.002 });
  assert.match(few.slice(1).join(), /^warning: 512 tokens .*allow more: --calibration-tokens$/);
});
