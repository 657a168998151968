/// <reference lib="dom" />
import type { ServedModel } from "../served_model.ts";
import { Panel } from "./panel.ts";

function find<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

const backend = find<HTMLSelectElement>("backend");
const chat = find<HTMLInputElement>("chat");
const writeButton = find<HTMLButtonElement>("write");
const stopButton = find<HTMLButtonElement>("stop");

const response = await fetch("models.json");
const served: ServedModel[] = await response.json();
const panels = ["First model", "Second model"].map((title) =>
  new Panel(title, served, () => backend.value === "webgpu" ? "webgpu" : "wasm", update)
);

function update(): void {
  const states = panels.map(({ state }) => state);
  const busy = states.includes("writing");
  writeButton.disabled = busy || !states.includes("ready");
  stopButton.disabled = !busy;
  const chats = panels.some((panel) => panel.chats);
  // A model that chats is talked to, unless the user wants otherwise.
  if (chats && chat.disabled) chat.checked = true;
  if (!chats) chat.checked = false;
  chat.disabled = !chats;
}

find<HTMLFormElement>("story-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const story = {
    prompt: find<HTMLTextAreaElement>("prompt").value,
    chat: chat.checked,
    maxTokens: find<HTMLInputElement>("tokens").valueAsNumber || 1,
    temperature: find<HTMLInputElement>("temperature").valueAsNumber || 0,
    seed: find<HTMLInputElement>("seed").valueAsNumber || 0,
  };
  for (const panel of panels) panel.write(story);
});
stopButton.addEventListener("click", () => panels.forEach((panel) => panel.stop()));
backend.addEventListener("change", () => panels.forEach((panel) => panel.reload()));

/** Offers WebGPU where the browser can give an adapter. */
async function offerWebGpu(): Promise<void> {
  if (await navigator.gpu?.requestAdapter() == null) return;
  const option = backend.querySelector<HTMLOptionElement>("option[value=webgpu]")!;
  option.disabled = false;
  option.textContent = "WebGPU";
}

find("panels").append(...panels.map(({ element }) => element));
panels.forEach((panel, index) => panel.choose(index));
await offerWebGpu();
