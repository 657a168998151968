import { type KeptBytes, sha256Now } from "../../data/file_array.ts";
import { keptParts, PartsInFile, PartWriter } from "../../data/parts_in_file.ts";
import { putIntegers } from "../entropy/integer_vector.ts";
import { RansEncoder } from "../entropy/rans.ts";
import { symbolTables } from "../entropy/symbol_model.ts";
import { planSegments } from "../scan/pieces.ts";
import type { EncodeTask } from "../workers/coding_tasks.ts";
import type { KeptCode, PassResult } from "../workers/packed_pass.ts";
import type { RunTasks } from "../workers/task_runner.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import type { EntropyModelFit } from "./fit_entropy_model.ts";
import type { EncodedLevel } from "./level.ts";
import { codesName } from "./trellis_codec.ts";

type Streams = EncodedLevel["streams"];

/** Segments that are in memory at once where streams go to a file: some 25 MB. */
const SEGMENTS_AT_ONCE = 256;
const FIELDS = "fields";

/** How {@linkcode encodeStreams} is watched and stopped, and where its streams go to. */
export interface EncodeStreamsOptions {
  /** The file that the streams go to; to memory if omitted. */
  readonly file: string | undefined;
  /** Called with the share that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Codes the indices of a pass. */
export async function encodeStreams(
  states: number,
  { matrices, model }: EntropyModelFit,
  shapes: readonly MatrixShape[],
  run: RunTasks,
  { file, onProgress, signal }: EncodeStreamsOptions,
): Promise<Streams> {
  const tasks = segmentTasks(states, { matrices, model });
  async function* codes() {
    const atOnce = file === undefined ? tasks.length : SEGMENTS_AT_ONCE;
    for (let first = 0; first < tasks.length; first += atOnce) {
      yield* await run("encode", tasks.slice(first, first + atOnce), {
        onDone: (done) => onProgress?.((first + done) / tasks.length),
        ...(signal && { signal }),
      });
    }
  }
  const scales = matrices.map(({ scales }) => scales);
  return (await collectStreams(fieldsStream({ model, scales }, shapes), codes(), file))!;
}

/** What codes each segment. */
export function segmentTasks(
  states: number,
  { matrices, model }: EntropyModelFit,
): EncodeTask[] {
  const tables = symbolTables(model);
  return planSegments(matrices).map((segment) => {
    const first = segment[0]!.matrix, last = segment.at(-1)!.matrix;
    return {
      states,
      tables,
      segment: segment.map((piece) => ({ ...piece, matrix: piece.matrix - first })),
      matrices: matrices.slice(first, last + 1),
    };
  });
}

/** The code streams of {@linkcode encodeStreams}, in order. */
export function codesIn(streams: Streams): KeptBytes[] {
  return Array.from(keptParts(streams)).flatMap(([name, kept]) => name === FIELDS ? [] : [kept]);
}

/** The streams of a pass whose codes were removed: lengths and hashes, which are all that is wanted. */
export function lostStreams(pass: PassResult, shapes: readonly MatrixShape[]): Streams {
  const fields = fieldsStream(pass, shapes);
  const place = ({ key, length, sha256 }: Pick<KeptCode, "key" | "length" | "sha256">) =>
    ({ file: key, start: 0, length, kind: "Uint8Array", sha256 }) as const;
  return new PartsInFile(
    new Map([
      [FIELDS, place({ key: FIELDS, length: fields.length, sha256: sha256Now(fields) })],
      ...pass.codes.map((code, i) => [codesName(i), place(code)] as const),
    ]),
  );
}

/** The streams of a pass that is kept; undefined where one of them is there no more. */
export async function keptStreams(
  pass: PassResult,
  shapes: readonly MatrixShape[],
  readCode: (code: KeptCode) => Promise<Uint8Array | undefined>,
  { file, signal }: EncodeStreamsOptions,
): Promise<Streams | undefined> {
  async function* codes() {
    for (const code of pass.codes) {
      signal?.throwIfAborted();
      yield await readCode(code);
    }
  }
  return await collectStreams(fieldsStream(pass, shapes), codes(), file);
}

/** What stands before the codes: the entropy model. */
export function fieldsStream(
  { model, scales }: Pick<PassResult, "model" | "scales">,
  shapes: readonly MatrixShape[],
): Uint8Array {
  const side = new RansEncoder();
  putIntegers(side, model.coefficients);
  scales.forEach(({ rows, columns }, i) => {
    // Where steps are large quotients are small: what is coded is the scale of their product.
    const { rowColumnSteps } = shapes[i]!;
    putIntegers(side, rows.map((value, row) => value + (rowColumnSteps?.rows[row] ?? 0)));
    putIntegers(side, columns.map((value, j) => value + (rowColumnSteps?.columns[j] ?? 0)));
  });
  return side.finish();
}

/** Streams in memory or in a file; undefined where a code is. */
async function collectStreams(
  fields: Uint8Array,
  codes: AsyncIterable<Uint8Array | undefined>,
  file: string | undefined,
): Promise<Streams | undefined> {
  if (file === undefined) {
    const streams = new Map([[FIELDS, fields]]);
    for await (const bytes of codes) {
      if (bytes === undefined) return undefined;
      streams.set(codesName(streams.size - 1), bytes);
    }
    return streams;
  }
  const writer = new PartWriter(file);
  try {
    await writer.write(FIELDS, fields);
    let count = 0;
    for await (const bytes of codes) {
      if (bytes === undefined) return undefined;
      await writer.write(codesName(count++), bytes);
    }
  } finally {
    writer.close();
  }
  return writer.parts();
}
