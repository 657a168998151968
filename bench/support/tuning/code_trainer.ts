import type { Trainer } from "../../../eval/training/trainer.ts";
import { transpose } from "../../../data/transpose.ts";
import { type CodePath, type CodePaths, nextLevel, searchPath, weightsOf } from "./code_paths.ts";

/** How codes are trained. */
export interface CodeTraining {
  /** Adam's rate at the start, in steps of a scalar quantizer; it falls to 0 along half a cosine. */
  readonly rate: number;
  /** Number of steps that will be taken. */
  readonly steps: number;
  /** How many times all paths are searched anew around the targets, in place of single codes that follow. */
  readonly searches?: number | undefined;
}

/** A trainer whose steps also train the codes. */
export interface CodeTrainer extends Trainer {
  /** The codes of the least loss that was asked for, and the share of all that had changed then. */
  best(): { readonly codes: CodePaths; readonly changed: number };
}

const DECAY = { first: 0.9, second: 0.999 };
const EPSILON = 1e-12;

/** A matrix' codes, where its weights are to go, and Adam's means of gradients, all in steps. */
interface TrainedPath {
  readonly path: CodePath;
  readonly targets: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/**
 * Trains codes by a straight-through gradient: each weight has a target, which begins at its value and is
 * moved by Adam as if it were the weight; the code changes when the target comes nearer to the next level
 * that leaves the rest of the path as it is, or where the path that is next to the targets passes
 * elsewhere. So a code stays unless gradients agree for long.
 */
export function trainCodes(
  inner: Trainer,
  codes: CodePaths,
  { rate, steps, searches = 0 }: CodeTraining,
): CodeTrainer {
  const { trellis } = codes;
  const unit = trellis.states === 1 ? 1 : 2;
  const original = codes.paths.map(({ levels }) => levels.slice());
  const trained = codes.paths.map((path): TrainedPath => {
    const zeros = () => new Float32Array(path.levels.length);
    return { path, targets: path.levels.slice(), first: zeros(), second: zeros() };
  });
  let done = 0;
  const every = searches === 0 ? 1 : Math.max(1, Math.floor(steps / searches));
  const follow = (own: TrainedPath): boolean => {
    if (searches === 0) return followTargets(own, trellis);
    return done % every === 0 && searchPath(trellis, own.path, own.targets) > 0;
  };
  let best = { loss: Infinity, levels: original };
  return {
    async step(chunks, at, options) {
      const result = await inner.step(chunks, at, { ...options, weightGradients: true });
      const size = unit * rate * (1 + Math.cos(Math.PI * done / steps)) / 2;
      done++;
      const changed = new Map<string, Float32Array>();
      for (const own of trained) {
        moveTargets(own, result.weights!.get(own.path.name)!, size, done);
        if (follow(own)) changed.set(own.path.name, weightsOf(own.path));
      }
      if (changed.size > 0) inner.replaceWeights!(changed);
      return result;
    },
    async loss(chunks, at, options) {
      const loss = await inner.loss(chunks, at, options);
      if (loss < best.loss) best = { loss, levels: trained.map(({ path }) => path.levels.slice()) };
      return loss;
    },
    close: () => inner.close(),
    best() {
      let count = 0, all = 0;
      best.levels.forEach((levels, i) => {
        all += levels.length;
        levels.forEach((level, at) => count += level === original[i]![at] ? 0 : 1);
      });
      const paths = codes.paths.map((path, i) => ({ ...path, levels: best.levels[i]! }));
      return { codes: { trellis, paths }, changed: count / all };
    },
  };
}

/** A step of Adam on targets. */
function moveTargets(
  { path: { transposed, rows, columns, factors }, targets, first, second }: TrainedPath,
  stored: Float32Array,
  size: number,
  step: number,
): void {
  const gradient = transposed ? transpose(stored, columns, rows) : stored;
  const unbias = { first: 1 - DECAY.first ** step, second: 1 - DECAY.second ** step };
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const slope = gradient[at]! * factors.rows[row]! * factors.columns[column]!;
      first[at] = DECAY.first * first[at]! + (1 - DECAY.first) * slope;
      second[at] = DECAY.second * second[at]! + (1 - DECAY.second) * slope * slope;
      const deviation = Math.sqrt(second[at]! / unbias.second) + EPSILON;
      targets[at]! -= size * first[at]! / unbias.first / deviation;
    }
  }
}

/** Changes the codes whose targets are nearer to the next level; says whether there were any. */
function followTargets(
  { path: { levels, quantizers }, targets }: TrainedPath,
  trellis: CodePaths["trellis"],
): boolean {
  const least = trellis.states === 1 ? 0.5 : 1;
  let changes = false;
  for (let at = 0; at < levels.length; at++) {
    const level = levels[at]!, distance = targets[at]! - level;
    if (Math.abs(distance) <= least) continue;
    const next = nextLevel(trellis, { quantizer: quantizers[at]!, level, up: distance > 0 });
    if (Math.abs(targets[at]! - next) >= Math.abs(distance)) continue;
    levels[at] = next;
    changes = true;
  }
  return changes;
}
