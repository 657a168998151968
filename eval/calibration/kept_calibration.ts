import type { KeepValues } from "../../hierarchy/metric/factor_metrics.ts";
import type { PackedCalibration, PackedMoment } from "./packed_calibration.ts";

/** The calibration with its second moments kept elsewhere than in memory. */
export function keepMoments(calibration: PackedCalibration, keep: KeepValues): PackedCalibration {
  return { ...calibration, moments: calibration.moments.map((moment) => keptMoment(moment, keep)) };
}

function keptMoment({ size, triangle }: PackedMoment, keep: KeepValues): PackedMoment {
  const read = keep(triangle);
  return {
    size,
    get triangle() {
      return read();
    },
  };
}

/**
 * One calibration of several over the same text, each of other layers: a linear layer that more than
 * one of them has, such as the head, is taken from the last.
 */
export function joinCalibrations(parts: readonly PackedCalibration[]): PackedCalibration {
  const moments: PackedMoment[] = [];
  const linears = new Map<string, PackedCalibration["linears"][number]>();
  let first = 0;
  for (const part of parts) {
    first = moments.length;
    moments.push(...part.moments);
    for (const linear of part.linears) {
      linears.delete(linear.weight);
      linears.set(linear.weight, {
        ...linear,
        moment: first + linear.moment,
        ...(linear.outputMoments && {
          outputMoments: linear.outputMoments.map(({ start, moment }) => ({
            start,
            moment: first + moment,
          })),
        }),
      });
    }
  }
  const { embeddingMoment, ...last } = parts.at(-1)!;
  return {
    ...last,
    linears: [...linears.values()],
    moments,
    ...(embeddingMoment !== undefined && { embeddingMoment: first + embeddingMoment }),
  };
}
