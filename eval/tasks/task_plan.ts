import type { TextTokenizer } from "../../data/tokenizer.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { Window } from "../protocols/window.ts";
import { classificationWindow, continuationWindow } from "./encode_continuation.ts";
import type { Entry } from "./fields.ts";
import type { Continuation, Task } from "./task.ts";

/** What a model is asked: to go on from a text, or to classify one. */
export type TaskRequest = Continuation | { readonly text: string };

/** A question as it is put to a model. */
export interface PlannedQuestion {
  /** What is asked: each of the choices, or one thing. */
  readonly requests: readonly TaskRequest[];
  /** Number of the right choice or class, where there are several. */
  readonly answer?: number;
  /** Figures of one question by metric, from the answers to its requests. */
  measure(answers: readonly RequestAnswer[]): Readonly<Record<string, number>>;
}

/** How a model answered one request. */
export interface RequestAnswer {
  /** Natural logarithm of the probability of the continuation, or of the right class. */
  readonly logLikelihood: number;
  /** Whether each of its tokens (the right class) was the likeliest. */
  readonly isGreedy: boolean;
}

/** The metric whose values a question are losses, and which is exp of their mean. */
export const PERPLEXITY = "perplexity";

/** Reads the questions of a task out of the records of its data set. */
export function planQuestions(task: Task, entries: readonly Entry[]): PlannedQuestion[] {
  if (task.kind === "classification") {
    return entries.map(task.read).map(({ text, label }) => ({
      requests: [{ text }],
      answer: label,
      measure: ([found]) => ({ acc: Number(found!.isGreedy) }),
    }));
  }
  if (task.kind === "completion") {
    return entries.map(task.read).map((request) => ({
      requests: [request],
      measure: ([found]) => ({
        [PERPLEXITY]: -found!.logLikelihood,
        acc: Number(found!.isGreedy),
      }),
    }));
  }
  return entries.map(task.read).map(({ choices, lengths, answer }) => ({
    requests: choices,
    answer,
    measure(answers) {
      const likelihoods = answers.map(({ logLikelihood }) => logLikelihood);
      const acc = Number(indexOfLargest(likelihoods) === answer);
      if (!task.normalizes) return { acc };
      const byCharacter = likelihoods.map((likelihood, i) => likelihood / lengths[i]!);
      return { acc, acc_norm: Number(indexOfLargest(byCharacter) === answer) };
    },
  }));
}

/** The windows of a question, one for each request; `chunk` is the question's number from 0. */
export function questionWindows(
  { requests, answer = 0 }: PlannedQuestion,
  tokenizer: TextTokenizer,
  { contextLength }: TransformerDescription,
  chunk: number,
): Window[] {
  return requests.map((request) =>
    "text" in request
      ? classificationWindow(
        { text: request.text, label: answer },
        tokenizer,
        contextLength,
        chunk,
      )
      : continuationWindow(request, tokenizer, contextLength, chunk)
  );
}

function indexOfLargest(values: readonly number[]): number {
  return values.reduce((best, value, i) => value > values[best]! ? i : best, 0);
}
