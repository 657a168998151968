import type { Command } from "commander";
import { PRESETS } from "../../hierarchy/compressor_options.ts";
import { UsageError } from "../terminal/errors.ts";

/** Options that would have no effect beside another, or without it. */
interface Conflict {
  /** The other option, `--no-evaluate` included, if it must not be there. */
  readonly beside?: string;
  /** Whether its value is one that matters; any if omitted. */
  readonly matters?: (value: unknown) => boolean;
  /** Other options, if one of them must be there. */
  readonly without?: readonly string[];
  /** Options that it leaves without effect. */
  readonly ignored: readonly string[];
  /** Why, with the other option as the subject or the object. */
  readonly because: string;
}

const TEXT = ["--text", "--by-part", "--tokens", "--protocol", "--context", "--stride"];
const TASK = ["--data", "--limit", "--log-samples"];
const SAMPLING = ["--max-tokens", "--temperature", "--top-k", "--top-p", "--seed"];

const CALIBRATION: Conflict = {
  beside: "--data-free",
  ignored: [
    "--calibration",
    "--calibration-tokens",
    "--calibration-loss",
    "--correct-drift",
    "--tune",
  ],
  because: "--data-free does without calibration",
};
const UNIFORM: Conflict = {
  beside: "--data-free",
  ignored: ["--uniform"],
  because: "with --data-free all matrices have about the same rate",
};
const STATES: Conflict = {
  beside: "--states",
  ignored: ["--effort"],
  because: "an effort only chooses the states, which --states names",
};
const QUESTIONS: Conflict = {
  without: ["--task"],
  ignored: TASK,
  because: "it is about the questions of a task; name one with --task",
};

const NOT_MEASURED = [
  ...["--task", "--against", "--plot", "--low-memory", "--threads"],
  ...TASK,
  ...TEXT,
];

/** What each command refuses, so that no option is ignored without a word. */
const CONFLICTS: Readonly<Record<string, readonly Conflict[]>> = {
  compress: [
    {
      without: ["--redis"],
      ignored: ["--store"],
      because: "it is for other machines; name their Redis server with --redis",
    },
    QUESTIONS,
    CALIBRATION,
    UNIFORM,
    STATES,
    {
      beside: "--no-evaluate",
      ignored: ["--task", "--max-kl", ...TEXT],
      because: "--no-evaluate measures nothing",
    },
    {
      beside: "--task",
      ignored: ["--max-kl", ...TEXT],
      because: "--task measures by questions, not on a text",
    },
  ],
  sweep: [CALIBRATION, UNIFORM, STATES, {
    beside: "--presets",
    matters: (names) => !PRESETS.some((preset) => (names as readonly string[]).includes(preset)),
    ignored: ["--effort", "--states", "--uniform"],
    because: "it is about kanpress' own presets, and only baselines are swept",
  }],
  evaluate: [
    QUESTIONS,
    {
      beside: "--prompt",
      ignored: ["--chat", ...NOT_MEASURED],
      because: "--prompt shows continuations and measures nothing",
    },
    {
      beside: "--chat",
      ignored: NOT_MEASURED,
      because: "--chat shows answers and measures nothing",
    },
    {
      without: ["--chat"],
      ignored: ["--system"],
      because: "it begins a chat; say something with --chat",
    },
    {
      without: ["--prompt", "--chat"],
      ignored: SAMPLING,
      because: "it is about continuations; give a text to continue with --prompt",
    },
    {
      beside: "--temperature",
      matters: (value) => value === 0,
      ignored: ["--top-k", "--top-p", "--seed"],
      because: "--temperature 0 always takes the likeliest token",
    },
    {
      beside: "--task",
      ignored: ["--against", "--plot", "--low-memory", ...TEXT],
      because: "--task measures by questions, not on a text",
    },
    {
      beside: "--low-memory",
      ignored: ["--plot", "--threads", "--by-part"],
      because: "--low-memory runs one layer after the other, and draws nothing",
    },
  ],
};

/**
 * Throws {@linkcode UsageError} if an option was given that another leaves without effect. Only
 * options of the command line count, not defaults.
 */
export function refuseIgnoredOptions(command: Command): void {
  const given = new Set(
    command.options
      .filter((option) => command.getOptionValueSource(option.attributeName()) === "cli")
      // `--x` and `--no-x` are of one value.
      .filter((option) => option.negate === (command.opts()[option.attributeName()] === false))
      .map(({ long }) => long!),
  );
  const options = Object.fromEntries(
    command.options.map((option) => [option.long!, command.opts()[option.attributeName()]]),
  );
  for (const { beside, matters, without, ignored, because } of CONFLICTS[command.name()] ?? []) {
    const applies = beside === undefined
      ? !without!.some((name) => given.has(name))
      : given.has(beside);
    if (!applies || matters?.(options[beside!]) === false) continue;
    const option = ignored.find((name) => given.has(name));
    if (option === undefined) continue;
    const mend = beside === undefined ? "" : `; leave ${beside} or ${option} out`;
    throw new UsageError(`${option} has no effect here: ${because}${mend}`);
  }
}
