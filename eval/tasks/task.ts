import type { Entry } from "./fields.ts";

/** A text to go on from and how it might go on. */
export interface Continuation {
  /** What the model reads first. */
  readonly context: string;
  /** What is scored, its leading space included. */
  readonly continuation: string;
}

/** A question whose answer is the likeliest of some continuations. */
export interface ChoiceQuestion {
  /** The continuations. */
  readonly choices: readonly Continuation[];
  /** Characters of each answer, for the accuracy by likelihood a character. */
  readonly lengths: readonly number[];
  /** Number of the right one. */
  readonly answer: number;
}

/** A text of a certain class. */
export interface LabelledText {
  /** The text. */
  readonly text: string;
  /** Number of its class. */
  readonly label: number;
}

/** A task: how each record of its data set is asked. */
export type Task =
  & {
    /** Name on the command line; that of lm-eval where it has the task. */
    readonly name: string;
    /** Where its data set is, for when none is named. */
    readonly data: string;
  }
  & (
    | {
      /** The likeliest continuation is the answer. */
      readonly kind: "choice";
      /** Whether likelihood a character is reported too (acc_norm). */
      readonly normalizes: boolean;
      /** Reads a record; throws {@linkcode InputError} if a field is missing. */
      readonly read: (entry: Entry) => ChoiceQuestion;
    }
    | {
      /** The continuation is right if each of its tokens is the likeliest one. */
      readonly kind: "completion";
      /** Reads a record. */
      readonly read: (entry: Entry) => Continuation;
    }
    | {
      /** The likeliest class is the answer. */
      readonly kind: "classification";
      /** Reads a record. */
      readonly read: (entry: Entry) => LabelledText;
    }
  );

/** A question with one context and several answers, a space before each. */
export function choiceQuestion(
  context: string,
  answers: readonly string[],
  answer: number,
): ChoiceQuestion {
  return {
    choices: answers.map((text) => ({ context, continuation: ` ${text}` })),
    lengths: answers.map(characterCount),
    answer,
  };
}

/** Unicode code points of a text, which is what Python counts. */
export function characterCount(text: string): number {
  return [...text].length;
}
