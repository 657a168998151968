import type { TfjsBackend } from "../../eval/compute/backend.ts";
import { CompactModel } from "../../eval/generation/compact_model.ts";
import { createLanguageModel, type GenerativeModel } from "../../eval/mod.ts";
import { naming } from "../terminal/errors.ts";
import type { Run } from "../terminal/run.ts";
import { type ReadableSubject, readSubject } from "./evaluation_subject.ts";

/** A model that writes. */
export type Writer = GenerativeModel & { dispose(): void };

/**
 * Opens one of a subject's models, to write: with weights as they are stored where the backend is
 * WASM or WebGPU and our kernels or programs know the model, otherwise for tfjs. Undefined where the subject lacks it.
 */
export async function openWriter(
  subject: ReadableSubject,
  role: "original" | "compressed",
  backend: TfjsBackend,
  run: Run,
): Promise<Writer | undefined> {
  const { name, config, container, variant, original } = subject;
  const isCompressed = role === "compressed";
  const source = isCompressed ? variant : original;
  const file = isCompressed ? container : undefined;
  if (source === undefined && file === undefined) return undefined;
  const compact = backend === "cpu" ? undefined : await run.phase(
    file === undefined ? "read" : "decompress",
    async (progress) => {
      const onProgress = (share: number) => progress(share);
      const options = { backend, onProgress, signal: run.signal };
      return await naming(
        file === undefined ? source!.name : name,
        () =>
          file === undefined
            ? CompactModel.load({ config, weights: source!.weights }, options)
            : CompactModel.loadCompressed(file, config, options),
      );
    },
  );
  if (compact !== undefined) return compact;
  const alone = {
    name,
    config,
    ...(isCompressed
      ? { ...(container && { container }), ...(variant && { variant }) }
      : { ...(original && { original }) }),
  };
  return createLanguageModel(config, (await readSubject(alone, run))[role]!);
}
