/// <reference lib="dom" />
import type { StoryOptions } from "./messages.ts";

/** A field that takes a number. */
interface NumberField {
  readonly id: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly whole: boolean;
}

const FIELDS: readonly NumberField[] = [
  { id: "tokens", name: "Tokens", from: 1, to: 10_000, whole: true },
  { id: "temperature", name: "Temperature", from: 0, to: 100, whole: false },
  { id: "seed", name: "Seed", from: 0, to: 2 ** 32 - 1, whole: true },
];

/** What a field's text stands for: a number, or why it is none, for people. */
export function parseField(
  text: string,
  { name, from, to, whole }: Omit<NumberField, "id">,
): number | string {
  // A comma is what many people's keyboards write.
  const value = text.trim() === "" ? NaN : Number(text.trim().replace(",", "."));
  if (value >= from && value <= to && (!whole || Number.isInteger(value))) return value;
  return `${name}: give a ${whole ? "whole " : ""}number from ${from} to ${to}`;
}

/** Reads the form; undefined, with the reason shown and the field in focus, where it cannot be used. */
export function readStory(form: HTMLFormElement): StoryOptions | undefined {
  const problem = form.querySelector<HTMLElement>("#form-error")!;
  const inputs = form.querySelectorAll<HTMLElement>("[aria-invalid]");
  for (const input of inputs) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  problem.hidden = true;
  const values = new Map<string, number>();
  for (const field of FIELDS) {
    const input = form.querySelector<HTMLInputElement>(`#${field.id}`)!;
    const value = parseField(input.value, field);
    if (typeof value === "number") values.set(field.id, value);
    else return refuse(input, value);
  }
  const prompt = form.querySelector<HTMLTextAreaElement>("#prompt")!;
  if (prompt.value.trim() === "") return refuse(prompt, "Write a beginning first");
  return {
    prompt: prompt.value,
    chat: form.querySelector<HTMLInputElement>("#chat")!.checked,
    maxTokens: values.get("tokens")!,
    temperature: values.get("temperature")!,
    seed: values.get("seed")!,
  };

  function refuse(input: HTMLElement, message: string): undefined {
    problem.textContent = message;
    problem.hidden = false;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", problem.id);
    const details = input.closest("details");
    if (details !== null) details.open = true;
    input.focus();
  }
}
