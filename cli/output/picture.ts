import { basename, join } from "node:path";
import { printableLine } from "../../data/printable.ts";
import { writeFigure } from "../../eval/plots/export_figure.ts";
import type { Figure } from "../../eval/plots/figure.ts";
import type { Run } from "../terminal/run.ts";
import { picture } from "./kinds.ts";
import { openOutput } from "./output.ts";

/** The place of a picture that is drawn when all else is done. */
export interface PictureOutput extends Disposable {
  /** Draws the figure, and says so. */
  draw(figure: Figure): Promise<void>;
}

/** Opens the place that `--plot` names, where it does; throws as {@linkcode openOutput} does. */
export async function openPicture(
  path: string | undefined,
  run: Run,
): Promise<PictureOutput | undefined> {
  if (path === undefined) return undefined;
  const output = await openOutput(path, picture);
  return {
    async draw(figure) {
      await output.publish((folder) => writeFigure(join(folder, basename(path)), figure));
      run.writeLine(`drawn to ${printableLine(path)}`);
    },
    [Symbol.dispose]: () => output.release(),
  };
}
