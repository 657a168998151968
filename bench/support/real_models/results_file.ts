import { existsSync } from "node:fs";
import { InputError } from "../../../data/mod.ts";
import { isJsonObject } from "../../../data/json_file.ts";
import type { EvaluationResult } from "../../../eval/mod.ts";
import type { TaskMetric } from "../../../eval/tasks/evaluate_task.ts";

/** What every line of a model's results depends on. */
export interface Setup {
  /** The model as it was named. */
  readonly model: string;
  /** Digest of its weights. */
  readonly sha256: string;
  /** Its parameters. */
  readonly parameters: number;
  /** Weights of its layers' linear maps. */
  readonly linearParameters: number;
  /** What everybody calibrated on. */
  readonly calibration: { readonly text: string; readonly tokens: number; readonly key: string };
  /** What ran the models. */
  readonly backend: string;
}

/** What making a file took, and its size. */
export interface FileResult {
  /** `kanpress` or `llama.cpp`. */
  readonly program: string;
  /** Bytes on disk. */
  readonly bytes: number;
  /** Bytes that are compared: of llama.cpp's files, those of the tensors. */
  readonly counted: number;
  /** Bytes of the layers' linear maps. */
  readonly linear: number;
  /** Seconds of making it, without calibration. */
  readonly seconds: number;
  /** Peak of the resident memory meanwhile in bytes; 0 where it is not known. */
  readonly peak: number;
}

/** What measuring on a text gave, without what only later runs need. */
export type TextResult = Omit<EvaluationResult, "chunkMeans">;

/** One line of the file: a result of a method, or what calibration took. */
export type ResultLine =
  | { readonly kind: "setup"; readonly setup: Setup; readonly machine: string }
  | { readonly kind: "calibration"; readonly what: string; readonly seconds: number }
  | { readonly kind: "file"; readonly method: string; readonly file: FileResult }
  | {
    readonly kind: "text";
    readonly method: string;
    readonly text: string;
    readonly result: TextResult;
    readonly seconds: number;
  }
  | {
    readonly kind: "task";
    readonly method: string;
    readonly task: string;
    readonly questions: number;
    readonly metrics: Readonly<Record<string, TaskMetric>>;
    readonly seconds: number;
  };

/** Results of one model, kept as JSON lines: each is written as soon as it is known. */
export class ResultsFile {
  /** Where it is. */
  readonly path: string;
  readonly #lines: ResultLine[];

  /** Of lines that are in the file already. */
  constructor(path: string, lines: readonly ResultLine[]) {
    this.path = path;
    this.#lines = [...lines];
  }

  /** All lines. */
  get lines(): readonly ResultLine[] {
    return this.#lines;
  }

  /** Adds a line to the file. */
  async add(line: ResultLine): Promise<void> {
    const dated = { ...line, date: new Date().toISOString() };
    await Deno.writeTextFile(this.path, `${JSON.stringify(dated)}\n`, { append: true });
    this.#lines.push(line);
  }
}

/**
 * Opens a model's results, or begins them. The last line may be cut short, by a machine that stopped:
 * it is dropped. Throws {@linkcode InputError} where the file is damaged, or of another setup.
 */
export async function openResults(
  path: string,
  setup: Setup,
  machine: string,
): Promise<ResultsFile> {
  const lines = existsSync(path) ? await readResults(path) : [];
  const results = new ResultsFile(path, lines);
  const [first] = lines;
  if (first === undefined) await results.add({ kind: "setup", setup, machine });
  else if (first.kind !== "setup" || !isSame(first.setup, setup)) {
    throw new InputError(
      `${path}: is of another model, calibration or backend; remove it or choose another --out`,
    );
  }
  return results;
}

function isSame(a: Setup, b: Setup): boolean {
  // A model is the same wherever it is.
  const told = ({ sha256, calibration: { key }, backend }: Setup) => [sha256, key, backend];
  return JSON.stringify(told(a)) === JSON.stringify(told(b));
}

/** Reads all whole lines; drops from the file what comes after them. */
export async function readResults(path: string): Promise<ResultLine[]> {
  const text = await Deno.readTextFile(path);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await Deno.writeTextFile(path, whole);
  return whole.split("\n").slice(0, -1).map((line, i) => {
    const fail = () => new InputError(`${path}: line ${i + 1} is damaged; remove that line`);
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw fail();
    }
    if (!isJsonObject(value) || typeof value["kind"] !== "string") throw fail();
    return value as unknown as ResultLine;
  });
}
