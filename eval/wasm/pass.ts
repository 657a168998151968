import type {
  LayerDescription,
  LinearDescription,
  NormDescription,
} from "../architectures/description.ts";
import { activationKind } from "../kernels/activation_kind.ts";
import { attend } from "./attention.ts";
import {
  expandRow,
  forRows,
  multiplyPart,
  normalize,
  normalizeRows,
  partOf,
  type PassJob,
  type PassThread,
  rowAt,
} from "./pass_thread.ts";
import { multiply } from "./products.ts";
import type { Rows } from "./workspace.ts";

/** Runs a thread's part of a pass: the logits are there when all threads have returned. */
export function runPass(thread: PassThread, job: PassJob): void {
  const { model } = thread;
  embed(thread, job);
  thread.barrier();
  model.layers.forEach((layer, index) => runLayer(thread, job, layer, index));
  if (job.wantsLogits) runHead(thread, job);
}

function embed(thread: PassThread, { sequences, length, start }: PassJob): void {
  const { kernels, memory, model, workspace } = thread;
  const { embeddingScale, positionEmbedding, positionOffset = 0, embeddingNorm } = model;
  const { stream, branch } = workspace;
  const tokens = new Int32Array(memory.buffer, workspace.ids, sequences * length);
  forRows(thread, sequences * length, (row) => {
    const to = rowAt(stream, row);
    expandRow(thread, model.tokenEmbedding, tokens[row]!, to);
    if (embeddingScale !== undefined) kernels.scale(to, stream.bytes / 4, embeddingScale);
    if (positionEmbedding !== undefined) {
      const position = rowAt(branch, row);
      expandRow(thread, positionEmbedding, positionOffset + start + row % length, position);
      kernels.add(to, position, stream.bytes / 4, 1);
    }
    if (embeddingNorm !== undefined) normalize(thread, embeddingNorm, to, to);
  });
}

function runLayer(
  thread: PassThread,
  job: PassJob,
  layer: LayerDescription,
  index: number,
): void {
  const { stream, normed: [first, second] } = thread.workspace;
  const { residual, attentionNorm, feedForwardNorm, residualScale = 1 } = layer;
  const rows = job.sequences * job.length;
  const normsBefore = residual === "sequential" || residual === "parallel";
  if (normsBefore) {
    normalizeRows(thread, attentionNorm, rows, stream, first);
    if (residual === "parallel") normalizeRows(thread, feedForwardNorm, rows, stream, second);
    thread.barrier();
  }
  const normsBranch = residual === "outputNorm";
  const { attention, feedForward, attentionOutputNorm, feedForwardOutputNorm } = layer;
  const attended = attend(thread, job, attention, index, normsBefore ? first : stream);
  addBranch(
    thread,
    rows,
    attention.output,
    attended,
    normsBranch ? attentionNorm : attentionOutputNorm,
    residualScale,
  );
  if (residual === "postNorm") {
    normalizeRows(thread, attentionNorm, rows, stream, stream);
    thread.barrier();
  }
  if (residual === "sequential") {
    normalizeRows(thread, feedForwardNorm, rows, stream, second);
    thread.barrier();
  }
  widen(thread, layer, rows, normsBefore ? second : stream);
  addBranch(
    thread,
    rows,
    feedForward.down,
    thread.workspace.inner[0],
    normsBranch ? feedForwardNorm : feedForwardOutputNorm,
    residualScale,
  );
  if (residual === "postNorm") {
    normalizeRows(thread, feedForwardNorm, rows, stream, stream);
    thread.barrier();
  }
}

/** Adds the product of a block's last layer, normalized where asked and scaled, to the stream. */
function addBranch(
  thread: PassThread,
  rows: number,
  linear: LinearDescription,
  from: Rows,
  norm: NormDescription | undefined,
  scale: number,
): void {
  const { kernels, workspace: { stream, branch } } = thread;
  if (norm === undefined) {
    multiplyPart(thread, linear, from, rows, stream, { addTimes: scale });
    thread.barrier();
    return;
  }
  multiplyPart(thread, linear, from, rows, branch);
  thread.barrier();
  forRows(thread, rows, (row) => {
    const at = rowAt(branch, row);
    normalize(thread, norm, at, at);
    kernels.add(rowAt(stream, row), at, norm.size, scale);
  });
  thread.barrier();
}

/** What goes into the last product of a feed-forward block; ends with a barrier. */
function widen(
  thread: PassThread,
  { feedForward: { up, gate, joinedGate, activation, down } }: LayerDescription,
  rows: number,
  x: Rows,
): void {
  const { kernels, workspace: { inner: [first, second] } } = thread;
  const kind = activationKind(activation);
  const { inputs } = down;
  if (joinedGate) {
    multiplyPart(thread, up, x, rows, first);
    thread.barrier();
    forRows(thread, rows, (row) => {
      const at = rowAt(first, row);
      kernels.activate(kind, at, at + 4 * inputs, inputs);
    });
    thread.barrier();
    return;
  }
  // Each thread activates what it has multiplied itself.
  const [start, end] = partOf(thread, inputs, 4);
  multiply(thread, gate ?? up, [start, end], x, rows, first);
  if (gate !== undefined) multiply(thread, up, [start, end], x, rows, second);
  for (let row = 0; row < rows; row++) {
    const gated = gate === undefined ? 0 : rowAt(second, row) + 4 * start;
    kernels.activate(kind, rowAt(first, row) + 4 * start, gated, end - start);
  }
  thread.barrier();
}

function runHead(thread: PassThread, { sequences, length }: PassJob): void {
  const { kernels, model, workspace: { stream, states: [first, second], logits } } = thread;
  const { finalNorm, headTransform, head, logitScale, logitSoftCap } = model;
  forRows(thread, sequences, (sequence) => {
    const from = rowAt(stream, (sequence + 1) * length - 1);
    const to = rowAt(first, sequence);
    if (finalNorm !== undefined) normalize(thread, finalNorm, from, to);
    else kernels.copy(from, to, model.hiddenSize);
  });
  thread.barrier();
  let input = first;
  if (headTransform !== undefined) {
    const { linear, activation, norm } = headTransform;
    multiplyPart(thread, linear, first, sequences, second);
    thread.barrier();
    forRows(thread, sequences, (sequence) => {
      const at = rowAt(second, sequence);
      kernels.activate(activationKind(activation), at, 0, linear.outputs);
      if (norm !== undefined) normalize(thread, norm, at, at);
    });
    thread.barrier();
    input = second;
  }
  const [start, end] = partOf(thread, head.outputs, 4);
  multiply(thread, head, [start, end], input, sequences, logits);
  for (let sequence = 0; sequence < sequences; sequence++) {
    const at = rowAt(logits, sequence) + 4 * start;
    if (logitScale !== undefined) kernels.scale(at, end - start, logitScale);
    if (logitSoftCap !== undefined) kernels.capSoftly(at, end - start, logitSoftCap);
  }
  thread.barrier();
}
