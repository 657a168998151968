import type { StateDict } from "../../data/tensor.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { type Container, encodeContainer } from "../../hierarchy/file/container.ts";
import {
  gainedTensors,
  gainsOf,
  roundGains,
  roundVerbatim,
  withGains,
  withoutGains,
  withVerbatim,
} from "../../hierarchy/gains.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import type { BackendName } from "../compute/backend.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { createTrainer } from "./create_trainer.ts";
import { layOut } from "./parameter_vector.ts";
import { requireTrainable, startTrainables } from "./trainables.ts";
import type { Trainables, Trainer } from "./trainer.ts";
import { tune, type TuneOptions, type TuneResult } from "./tune.ts";

/** What {@linkcode tuneCompressed} is given. */
export interface TuneCompressedOptions
  extends Omit<TuneOptions, "trainer" | "start" | "layout" | "round"> {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The original's weights. */
  readonly original: StateDict;
  /** The compressed model. */
  readonly container: Container;
  /** What computes it. */
  readonly backend: BackendName;
  /** Number of threads. */
  readonly threads: number;
  /** Bytes that the file may have: gains are made coarser, or left out, where they do not fit. */
  readonly mostBytes?: number;
  /**
   * What trains, given the engine's trainer; that by default. For experiments, such as training the codes.
   *
   * @internal
   */
  readonly trainerThrough?: (trainer: Trainer) => Trainer;
}

/** A tuned model. */
export interface TunedModel {
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** What tuning won. */
  readonly result: TuneResult;
}

/** Gains are stored in multiples of this from 1: coarser ones would be seen at 4 bits a weight. */
const GAIN_STEP = 2 ** -6;
/** The coarsest multiples that are tried where a file would be too large. */
const COARSEST_STEP = 2 ** -4;

/** Bits that a gain takes, about. */
export const GAIN_BITS = 3.5;

/**
 * Tunes a compressed model's gains, norms and biases to its original, codes left as they are. Throws
 * {@linkcode InputError} where the model cannot be trained or its file cannot have gains.
 */
export async function tuneCompressed(options: TuneCompressedOptions): Promise<TunedModel> {
  const {
    config,
    original,
    container,
    backend,
    threads,
    mostBytes = Infinity,
    trainerThrough = (trainer: Trainer) => trainer,
    ...tuning
  } = options;
  const model = describeModel(config, original.keys());
  requireTrainable(model);
  const plain = withoutGains(container);
  const nameInFile = (name: string) => container.aliases.get(name) ?? name;
  const inFile = gainedTensors(container);
  const shared = backend !== "native";
  const decoded = await decodeContainer(plain, tuning.signal ? { signal: tuning.signal } : {});
  const compressed = prepareWeights(model, decoded, shared);
  const start = startTrainables(model, compressed);
  const gained = new Set([...start.gains.keys()].filter((name) => inFile.has(nameInFile(name))));
  const present = gainsOf(container);
  const given: Trainables = {
    ...start,
    gains: new Map(
      [...start.gains.entries()].map((
        [name, gains],
      ) => [name, present.get(nameInFile(name)) ?? gains]),
    ),
  };
  const trainer = trainerThrough(
    await createTrainer(backend, {
      model,
      original: prepareWeights(model, original, shared),
      compressed,
      threads,
    }),
  );
  try {
    const result = await tune({
      ...tuning,
      trainer,
      start: given,
      layout: layOut(given, gained),
      round: (values) => roundTrainables(container, gained, values),
    });
    return { bytes: await tunedFile(result), result };
  } finally {
    await trainer.close();
  }

  /** The file with what was found, as long as it fits. */
  async function tunedFile({ values: { gains, vectors }, step }: TuneResult): Promise<Uint8Array> {
    const own = new Map(
      [...gains.entries()].filter(([name]) => gained.has(name))
        .map(([name, values]) => [nameInFile(name), values]),
    );
    const tuned = withVerbatim(plain, vectors);
    for (let size = GAIN_STEP; step > 0 && size <= COARSEST_STEP; size *= 2) {
      const bytes = await encodeContainer(withGains(tuned, own, size));
      if (bytes.length <= mostBytes) return bytes;
    }
    return await encodeContainer(container);
  }
}

/** What the file would hold. */
function roundTrainables(
  container: Container,
  gained: ReadonlySet<string>,
  { gains, vectors }: Trainables,
): Trainables {
  return {
    gains: new Map(
      [...gains.entries()].map(([name, { rows, columns }]) => [
        name,
        gained.has(name)
          ? { rows: roundGains(rows, GAIN_STEP), columns: roundGains(columns, GAIN_STEP) }
          : { rows, columns },
      ]),
    ),
    vectors: new Map(
      [...vectors.entries()].map((
        [name, values],
      ) => [name, roundVerbatim(container, name, values)]),
    ),
  };
}
