/// <reference lib="dom" />
import { isThisMachine, type ServedModels } from "../served_model.ts";
import { Panel, type PanelPage } from "./panel.ts";
import { readStory } from "./story_form.ts";

/** Larger models are not downloaded before somebody asks for them, except from this machine. */
const LARGEST_AT_ONCE = 10e6;
/** What a model that chats is asked, until the user writes something else. */
const QUESTION = "Tell me about the Moon.";

function find<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

const engine = find<HTMLSelectElement>("engine");
const chat = find<HTMLInputElement>("chat");
const prompt = find<HTMLTextAreaElement>("prompt");
const form = find<HTMLFormElement>("story-form");
const writeButton = find<HTMLButtonElement>("write");
const stopButton = find<HTMLButtonElement>("stop");

const beginning = prompt.value;
const { models, first } = await listModels();
const page: PanelPage = {
  served: models,
  engine: () => engine.value === "webgpu" ? "webgpu" : "wasm",
  story: () => readStory(form),
  onChange: update,
};
const panels = ["First model", "Second model"].map((title) => new Panel(title, page));

async function listModels(): Promise<ServedModels> {
  const response = await fetch("models.json");
  return response.ok ? await response.json() : { models: [], first: [] };
}

function update(): void {
  const states = panels.map(({ state }) => state);
  writeButton.disabled = !states.includes("ready");
  stopButton.disabled = !states.includes("writing");
  const chats = panels.some((panel) => panel.chats);
  // A model that chats is talked to, unless the user wants otherwise.
  if (chats && chat.disabled) setChat(true);
  if (!chats && chat.checked) setChat(false);
  chat.disabled = !chats;
}

function setChat(checked: boolean): void {
  chat.checked = checked;
  if (checked && prompt.value === beginning) prompt.value = QUESTION;
  if (!checked && prompt.value === QUESTION) prompt.value = beginning;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (writeButton.disabled) return;
  const story = readStory(form);
  if (story !== undefined) { for (const panel of panels) panel.write(story); }
});
prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
stopButton.addEventListener("click", () => panels.forEach((panel) => panel.stop()));
engine.addEventListener("change", () => panels.forEach((panel) => panel.reload()));
// A file that misses its panel would take the place of the page.
for (const type of ["dragover", "drop"]) {
  document.addEventListener(type, (event) => event.preventDefault());
}

/** Offers WebGPU where the browser gives an adapter, and takes it where that is a graphics card. */
async function offerWebGpu(): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (adapter == null) return;
  const option = engine.querySelector<HTMLOptionElement>("option[value=webgpu]")!;
  option.disabled = false;
  const inSoftware = adapter.info?.isFallbackAdapter === true ||
    /swiftshader|llvmpipe/i.test(`${adapter.info?.architecture} ${adapter.info?.description}`);
  option.textContent = inSoftware ? "WebGPU (in software, slow)" : "WebGPU (graphics card)";
  if (!inSoftware) engine.value = "webgpu";
}

find("panels").append(...panels.map(({ element }) => element));
await offerWebGpu();
for (const [place, panel] of panels.entries()) {
  const index = first[place] ?? -1;
  panel.choose(
    index,
    isThisMachine(location.hostname) || (models[index]?.bytes ?? 0) <= LARGEST_AT_ONCE,
  );
}
