import { InputError } from "../../../data/mod.ts";
import type { Run } from "../../../cli/terminal/run.ts";
import { openBenchModel } from "./opened_model.ts";
import type { RealModelsOptions } from "./options.ts";
import { measureModel } from "./run.ts";
import { isDriftCorrected } from "./kanpress_candidate.ts";
import { type Goals, sharesTable, timesTable } from "./shares.ts";

/** What is aimed at, by a piece of the model's name. */
const GOALS: readonly (readonly [name: RegExp, goals: Goals])[] = [
  [/smollm2-135m/i, { Q4_K_M: 0.52, Q3_K_M: 0.48, IQ3_XXS: 0.41 }],
  [/prose-4m/, { Q4_K_M: 0.48, IQ3_XXS: 0.44, IQ2_S: 0.41, Q2_K: 0.33 }],
];

/** Measures models one after another, and prints shares of llama.cpp's bytes. */
export async function quality(
  names: readonly string[],
  options: Omit<RealModelsOptions, "task">,
  run: Run,
): Promise<void> {
  for (const name of names) {
    const all = { ...options, task: [] };
    const model = await openBenchModel(name, all, run);
    if (!options.tables) {
      try {
        await measureModel(model, all, run);
      } catch (error) {
        if (!(error instanceof InputError) || options.types.length === 0) throw error;
        // What llama.cpp did may be in the results already.
        run.writeLine(`${error.message} (going on without llama.cpp)`);
        await measureModel(model, { ...all, types: [] }, run);
      }
    }
    const correctsDrift = options.correctDrift !== false;
    const lines = model.results.lines.filter((line) =>
      !("method" in line) || !line.method.startsWith("kanpress") ||
      correctsDrift === isDriftCorrected(line.method)
    );
    const goals = GOALS.find(([pattern]) => pattern.test(name))?.[1] ?? {};
    const shares = sharesTable(lines, goals);
    run.print(
      [
        `${model.source.name}: kanpress beside llama.cpp at the same mean divergence`,
        shares === "" ? "nothing of llama.cpp has been measured yet" : shares,
        timesTable(lines),
      ].join("\n\n") + "\n",
    );
  }
}
