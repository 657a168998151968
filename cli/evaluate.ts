import { describeModel } from "../eval/mod.ts";
import { continuationText, continuePrompt } from "./continuation.ts";
import { evaluationFields, type EvaluationOutcome, evaluationText } from "./evaluation_report.ts";
import { openSubject, type Subject } from "./evaluation_subject.ts";
import { measureModels, readMeasuredText } from "./measure.ts";
import { Phases } from "./phases.ts";
import type { EvaluateOptions } from "./program.ts";
import type { Session } from "./session.ts";

/** `evaluate`: measures a model, or shows how it continues a prompt. */
export async function evaluate(
  argument: string | undefined,
  options: EvaluateOptions,
  session: Session,
): Promise<void> {
  const phases = new Phases(session, session.signal);
  const subject = await openSubject(argument, options.original, phases, session.signal);
  if (options.prompt === undefined) await measure(subject, options, phases, session);
  else await showContinuations(options.prompt, subject, options, phases, session);
}

async function measure(
  { name, config, tokenizer, original, compressed, sizes }: Subject,
  options: EvaluateOptions,
  phases: Phases,
  session: Session,
): Promise<void> {
  const models = original === undefined || compressed === undefined
    ? { config, original: original ?? compressed ?? new Map() }
    : { config, original, compressed };
  const { contextLength } = describeModel(config, models.original.keys());
  const text = await readMeasuredText(options, tokenizer, contextLength);
  const result = await phases.run(
    "evaluate",
    (report) => measureModels(models, text, options, { report, signal: session.signal }),
  );
  const outcome: EvaluationOutcome = {
    model: name,
    result,
    seconds: phases.seconds(),
    ...(sizes === undefined ? {} : { sizes }),
  };
  session.print(
    options.json ? JSON.stringify(evaluationFields(outcome)) : evaluationText(outcome, text.name),
  );
}

async function showContinuations(
  prompt: string,
  subject: Subject,
  options: EvaluateOptions,
  phases: Phases,
  session: Session,
): Promise<void> {
  const continuations = await phases.run(
    "generate",
    (report) => continuePrompt(prompt, subject, options, report, session.signal),
  );
  session.print(
    options.json
      ? JSON.stringify({ model: subject.name, prompt, continuations })
      : continuationText(prompt, continuations, session.width),
  );
}
