import { UsageError } from "../terminal/errors.ts";
import { checkRedisAddress } from "../../distributed/redis_link.ts";
import { InvalidArgumentError } from "commander";
import { onnxTypes, type OnnxWeightType } from "../../eval/onnx/onnx_types.ts";
import { STATE_COUNTS } from "../../hierarchy/format/constants.ts";
import { existsSync } from "node:fs";
import { dirname } from "node:path";

/** Numbers in plain decimal notation only: `Number("")`, `"0x10"` and `"1e400"` are not options. */
const DECIMAL = /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i;

/** A parser of a number option within [`lowest`, `highest`]; commander reports what it throws. */
export function numberBetween(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = DECIMAL.test(text) ? Number(text) : NaN;
    if (!(value >= lowest && value <= highest)) {
      throw new InvalidArgumentError(`It must be a number from ${lowest} to ${highest}.`);
    }
    return value;
  };
}

/** A parser of a percentage such as `5%` within [`lowest`, `highest`] percent; gives a share of 1. */
export function percentageBetween(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const [, digits = ""] = /^(.*\d)\s*%$/.exec(text.trim()) ?? [];
    const value = DECIMAL.test(digits) ? Number(digits) : NaN;
    if (!(value >= lowest && value <= highest)) {
      throw new InvalidArgumentError(`It must be from ${lowest}% to ${highest}%, such as 5%.`);
    }
    return value / 100;
  };
}

/** As {@linkcode numberBetween}, for whole numbers. */
export function integerBetween(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= lowest && value <= highest)) {
      throw new InvalidArgumentError(`It must be a whole number from ${lowest} to ${highest}.`);
    }
    return value;
  };
}

/** Parses a number of trellis states. */
export function stateCount(text: string): number {
  const states = STATE_COUNTS.find((count) => String(count) === text);
  if (states !== undefined) return states;
  throw new InvalidArgumentError(`It must be one of ${STATE_COUNTS.join(", ")}.`);
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Parses a size such as `60MB`, `1.5 MiB` or `2000000` into bytes. */
export function fileSize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+\.?\d*|\.\d+)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * (SIZE_UNITS[unit.toLowerCase()] ?? NaN);
  if (digits === "" || !(bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER)) {
    throw new InvalidArgumentError("It must be a size such as 60MB, 1.5MiB, or a number of bytes.");
  }
  return Math.round(bytes);
}

/** Parses the address of a Redis server; what is wrong with it is told without its password. */
export function redisAddress(text: string): string {
  try {
    checkRedisAddress(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return text;
}

/** Parses `512,256,128`: the widths of the seed hierarchy, outermost first. */
export function hiddenDimensions(text: string): readonly number[] {
  const widths = text.split(",").map((part) => /^\s*\d+\s*$/.test(part) ? Number(part) : NaN);
  if (!widths.every((width) => width >= 1 && width <= 65536)) {
    throw new InvalidArgumentError(
      "It must be whole numbers from 1 to 65536 separated by commas, such as 512,256,128.",
    );
  }
  return widths;
}

/** The name of a picture: its ending chooses the format. */
export function figureFile(path: string): string {
  if (!/[^/\\]\.(png|svg|html|json)$/.test(path)) {
    throw new InvalidArgumentError("It must end in .png, .svg, .html or .json.");
  }
  // Said before the work that the picture is of.
  if (existsSync(dirname(path))) return path;
  throw new InvalidArgumentError(`There is no folder ${dirname(path)}; create it first.`);
}

/** Parses `f32,q8`. */
export function onnxTypeList(text: string): readonly OnnxWeightType[] {
  const found = onnxTypes.filter((type) => text.split(",").includes(type));
  if (found.length === text.split(",").length) return found;
  throw new InvalidArgumentError(
    `It must be some of ${onnxTypes.join(", ")}, separated by commas; write --onnx after the file.`,
  );
}

/** Rejects a text without a character; white space counts as one. */
export function someText(text: string): string {
  if (text === "") throw new InvalidArgumentError("It must not be empty.");
  return text;
}

/** Rejects an empty value, which is nearly always an unset shell variable. */
export function nonEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It must not be empty.");
  return text;
}

/** Parses an option that may be given several times, each with another file. */
export function severalFiles(text: string, before: readonly string[] = []): readonly string[] {
  if (before.includes(text)) throw new InvalidArgumentError(`${text} is there twice.`);
  return [...before, nonEmpty(text)];
}
