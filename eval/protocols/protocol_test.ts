import assert from "node:assert";
import fc from "fast-check";
import { InputError } from "../../data/input_error.ts";
import { describeModel } from "../architectures/registry.ts";
import { chooseProtocol, planWindows, type ProtocolChoice } from "./protocol.ts";
import type { Window, WindowText } from "./window.ts";

const causal = describeModel({
  model_type: "gpt2",
  n_embd: 4,
  n_head: 1,
  n_layer: 1,
  n_positions: 4096,
  vocab_size: 100,
}, []);
const distilBert = {
  model_type: "distilbert",
  dim: 4,
  hidden_dim: 4,
  n_heads: 1,
  n_layers: 1,
  max_position_embeddings: 512,
  vocab_size: 100,
};
const masked = describeModel({ ...distilBert, architectures: ["DistilBertForMaskedLM"] }, []);

function windowsOf(
  length: number,
  choice: ProtocolChoice,
  special: Partial<WindowText> = {},
): Window[] {
  const model = choice.protocol === "pseudo" ? masked : causal;
  const tokens = Int32Array.from({ length }, (_, i) => 10 + i);
  return planWindows(model, chooseProtocol(model, choice), { ...special, tokens });
}

function plain(windows: readonly Window[]) {
  return windows.map((
    { tokens, rows, labels, chunk },
  ) => [[...tokens], [...rows], [...labels], chunk]);
}

Deno.test("llama.cpp: the second half of whole chunks, each beginning with BOS", () => {
  const windows = windowsOf(9, { protocol: "llama.cpp", contextLength: 4 }, { bosTokenId: 1 });
  assert.deepEqual(plain(windows), [
    [[1, 10, 11, 12], [2], [12], 0],
    [[1, 14, 15, 16], [2], [16], 1],
  ]);
});

Deno.test("gptq: every prediction of whole windows, BOS before the text only", () => {
  const windows = windowsOf(6, { protocol: "gptq", contextLength: 3 }, { bosTokenId: 1 });
  assert.deepEqual(plain(windows), [
    [[1, 10, 11], [0, 1], [10, 11], 0],
    [[12, 13, 14], [0, 1], [13, 14], 1],
  ]);
});

Deno.test("huggingface: overlapping windows, the last one shorter", () => {
  const choice = { protocol: "huggingface", contextLength: 4, stride: 2 } as const;
  assert.deepEqual(plain(windowsOf(7, choice)), [
    [[10, 11, 12, 13], [0, 1, 2], [11, 12, 13], 0],
    [[12, 13, 14, 15], [1, 2], [14, 15], 1],
    [[14, 15, 16], [1], [16], 2],
  ]);
});

Deno.test("huggingface: without overlap, first tokens are not predicted", () => {
  const choice = { protocol: "huggingface", contextLength: 2, stride: 2 } as const;
  assert.deepEqual(plain(windowsOf(5, choice)), [
    [[10, 11], [0], [11], 0],
    [[12, 13], [0], [13], 1],
  ]);
});

Deno.test("huggingface: every token but the first is predicted once, by what comes before", () => {
  fc.assert(fc.property(
    fc.integer({ min: 2, max: 60 }),
    fc.integer({ min: 2, max: 20 }),
    fc.integer({ min: 1, max: 20 }),
    (length, contextLength, wanted) => {
      const stride = Math.min(wanted, contextLength - 1);
      const windows = windowsOf(length, { protocol: "huggingface", contextLength, stride });
      const labels = windows.flatMap((window) => [...window.labels]);
      assert.deepEqual(labels, Array.from({ length: length - 1 }, (_, i) => 11 + i));
      for (const { tokens, rows, labels } of windows) {
        assert.ok(tokens.length <= contextLength);
        rows.forEach((row, i) => assert.equal(tokens[row], labels[i]! - 1));
      }
    },
  ));
});

Deno.test("pseudo: each token masked in turn among those of its chunk", () => {
  const special = { bosTokenId: 1, eosTokenId: 2, maskTokenId: 3 };
  const windows = windowsOf(3, { protocol: "pseudo", contextLength: 4 }, special);
  assert.deepEqual(plain(windows), [
    [[1, 3, 11, 2], [1], [10], 0],
    [[1, 10, 3, 2], [2], [11], 0],
    [[1, 3, 2], [1], [12], 1],
  ]);
  assert.throws(() => windowsOf(3, { protocol: "pseudo" }), /mask_token/);
});

Deno.test("usual contexts and strides", () => {
  const chosen = (protocol: ProtocolChoice["protocol"]) =>
    chooseProtocol(causal, protocol === undefined ? {} : { protocol });
  assert.deepEqual(chosen(undefined), { name: "llama.cpp", contextLength: 512 });
  assert.deepEqual(chosen("gptq"), { name: "gptq", contextLength: 2048 });
  assert.deepEqual(chosen("huggingface"), {
    name: "huggingface",
    contextLength: 1024,
    stride: 512,
  });
  assert.deepEqual(chooseProtocol(masked, {}), { name: "pseudo", contextLength: 128 });
});

Deno.test("choices that do not suit the model or the text are refused", () => {
  const rejects = (run: () => unknown, message: RegExp) =>
    assert.throws(run, (error) => error instanceof InputError && message.test(error.message));
  rejects(() => chooseProtocol(causal, { protocol: "pseudo" }), /choose llama.cpp or gptq or hugg/);
  rejects(
    () => chooseProtocol(masked, { protocol: "gptq" }),
    /this distilbert model; choose pseudo/,
  );
  const architectures = ["DistilBertForSequenceClassification"];
  const classifier = describeModel({ ...distilBert, architectures }, []);
  rejects(() => chooseProtocol(classifier, {}), /classifier predicts no tokens/);
  rejects(() => chooseProtocol(causal, { contextLength: 5000 }), /longer than the model's 4096/);
  rejects(() => chooseProtocol(causal, { contextLength: 3 }), /at least 4/);
  rejects(() => chooseProtocol(causal, { stride: 3 }), /llama.cpp has no stride/);
  const choice = { protocol: "huggingface", contextLength: 8, stride: 9 } as const;
  rejects(() => chooseProtocol(causal, choice), /stride of 9 is not from 1 to the context of 8/);
  rejects(() => windowsOf(0, {}), /text is empty/);
  rejects(() => windowsOf(1, { protocol: "huggingface" }), /one chunk needs/);
  rejects(() => windowsOf(20, { contextLength: 32 }), /20 tokens, but one chunk needs 32/);
  rejects(() => windowsOf(95, { contextLength: 32 }), /token id 100 at position 90/);
});
