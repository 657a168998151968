import { existsSync } from "node:fs";
import { join } from "node:path";
import { endFor } from "../command_line.ts";

/** What llama.cpp needs for a type, and what kanpress is to reach. */
export interface LlamaCppPoint {
  /** Name of the quantization type. */
  readonly type: string;
  /** Bytes of llama.cpp's tensors, without its metadata. */
  readonly bytes: number;
  /** Mean divergence from the original model, nats per token. */
  readonly klDivergence: number;
  /** Its 99.9th percentile, where it was recorded. */
  readonly p999?: number;
  /** Share of tokens whose most likely successor stays the same. */
  readonly sameTop1: number;
  /** Perplexity. */
  readonly perplexity: number;
  /** Bytes that kanpress' whole file may have. */
  readonly budget: number;
  /** Divergence that it must not exceed; llama.cpp's if omitted. */
  readonly target?: number;
}

/** A model, its texts, and how llama.cpp does on it with an importance matrix. */
export interface LlamaCppModel {
  /** Folder under `models/`. */
  readonly name: string;
  /** File under `data/` that both calibrate on. */
  readonly calibration: string;
  /** File under `data/` that both are evaluated on, to its end. */
  readonly evaluation: string;
  /** Tokens a chunk. */
  readonly contextLength: number;
  /** llama.cpp's perplexity of the original. */
  readonly perplexity: number;
  /** What is to be beaten. */
  readonly points: readonly LlamaCppPoint[];
}

/** Row of prose-4m's table: figures as its README.md lists them, budget as a share of the bytes. */
function prose(
  type: string,
  bytes: number,
  perplexity: number,
  klDivergence: number,
  p999: number,
  sameTop1: number,
  share: number,
): LlamaCppPoint {
  const budget = Math.floor(share * bytes);
  return { type, bytes, perplexity, klDivergence, p999, sameTop1, budget };
}

/** The models whose figures for llama.cpp are recorded beside them. */
export const LLAMA_CPP_MODELS: readonly LlamaCppModel[] = [
  {
    name: "prose-4m",
    calibration: "prose-calibration.txt",
    evaluation: "prose-eval.txt",
    contextLength: 256,
    perplexity: 53.789,
    points: [
      prose("Q6_K", 3_758_080, 53.910, 0.00160, 0.0128, 0.965, 0.58),
      prose("Q4_K_M", 3_180_544, 54.174, 0.00587, 0.0663, 0.937, 0.54),
      prose("Q3_K_M", 2_807_808, 54.591, 0.0201, 0.268, 0.887, 0.48),
      prose("IQ3_XXS", 2_254_848, 55.691, 0.0375, 0.424, 0.845, 0.51),
      prose("IQ2_S", 1_984_512, 57.610, 0.0854, 0.925, 0.776, 0.49),
      prose("Q2_K", 2_342_912, 58.299, 0.0915, 1.23, 0.768, 0.41),
    ],
  },
  {
    name: "stories260K",
    calibration: "tinystories-calibration.txt",
    evaluation: "tinystories-eval.txt",
    contextLength: 512,
    perplexity: 4.9392,
    points: [
      {
        type: "Q5_0",
        bytes: 195_000,
        perplexity: 5.079,
        klDivergence: 0.0271,
        sameTop1: 0.904,
        budget: 150_000,
      },
      {
        type: "Q4_0",
        bytes: 160_000,
        perplexity: 5.425,
        klDivergence: 0.126,
        sameTop1: 0.806,
        budget: 120_000,
      },
      {
        type: "Q4_0 (same bytes)",
        bytes: 160_000,
        perplexity: 5.425,
        klDivergence: 0.126,
        sameTop1: 0.806,
        budget: 160_000,
        target: 0.018,
      },
    ],
  },
];

/** Where the files of a {@linkcode LlamaCppModel} are. */
export interface LlamaCppFiles {
  readonly model: string;
  readonly calibration: string;
  readonly evaluation: string;
}

/**
 * The files of a model in the folder of `--folder`, which is not part of the repository; ends the
 * bench with a line where one is missing.
 */
export function findFiles(
  folder: string | undefined,
  { name, calibration, evaluation }: LlamaCppModel,
): LlamaCppFiles {
  if (folder === undefined) {
    return endFor(
      "give the folder of the models and texts that llama.cpp was measured with, which holds " +
        `models/${name}, data/${calibration} and data/${evaluation}: --folder FOLDER`,
    );
  }
  const files = {
    model: join(folder, "models", name),
    calibration: join(folder, "data", calibration),
    evaluation: join(folder, "data", evaluation),
  };
  const missing = Object.values(files).find((path) => !existsSync(path));
  return missing === undefined ? files : endFor(`${missing}: does not exist; check --folder`);
}
