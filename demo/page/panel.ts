/// <reference lib="dom" />
import {
  formatBytes,
  formatCount,
  formatFixed,
  formatSeconds,
} from "../../eval/report/number_text.ts";
import type { ServedModel } from "../served_model.ts";
import type {
  ModelFacts,
  ModelOrigin,
  ModelReply,
  ModelRequest,
  StoryOptions,
} from "./messages.ts";

/** One of the models on the page: what it is, what it costs and what it writes. */
export class Panel {
  /** The panel's element, to be put on the page. */
  readonly element: HTMLElement;
  readonly #served: readonly ServedModel[];
  readonly #backend: () => "wasm" | "webgpu";
  readonly #onChange: () => void;
  #worker: Worker | undefined;
  #state: "empty" | "loading" | "ready" | "writing" = "empty";
  #chats = false;

  /** A panel that offers `served` models and tells `onChange` when it becomes ready or busy. */
  constructor(
    title: string,
    served: readonly ServedModel[],
    backend: () => "wasm" | "webgpu",
    onChange: () => void,
  ) {
    const template = document.querySelector<HTMLTemplateElement>("#panel")!;
    const copy = template.content.cloneNode(true) as DocumentFragment;
    this.element = copy.querySelector<HTMLElement>(".panel")!;
    this.#served = served;
    this.#backend = backend;
    this.#onChange = onChange;
    this.#find("h2").textContent = title;
    this.#listen();
  }

  /** What the panel is doing. */
  get state(): "empty" | "loading" | "ready" | "writing" {
    return this.#state;
  }

  /** Whether the model was trained to chat. */
  get chats(): boolean {
    return this.#chats;
  }

  /** Loads one of the served models by its number, or nothing if there is no such model. */
  choose(index: number): void {
    const model = this.#served[index];
    this.#find<HTMLSelectElement>(".served").value = model === undefined ? "" : String(index);
    if (model === undefined) this.#clear();
    else this.#load({ kind: "server", folder: model.folder, name: model.name });
  }

  /** Loads the model again, such as on another backend. */
  reload(): void {
    const files = this.#find<HTMLInputElement>("input[type=file]").files;
    if (files !== null && files.length > 0) this.#loadFiles(files);
    else {
      const { value } = this.#find<HTMLSelectElement>(".served");
      this.choose(value === "" ? -1 : Number(value));
    }
  }

  /** Begins a story, if there is a model. */
  write(story: StoryOptions): void {
    if (this.#state !== "ready") return;
    this.#state = "writing";
    this.#find(".prompt").textContent = story.chat && this.#chats
      ? `${story.prompt}\n\n`
      : story.prompt;
    this.#find(".text").textContent = "";
    this.#showActivity("writing");
    this.#post({ type: "write", story });
    this.#onChange();
  }

  /** Ends the story that is being written. */
  stop(): void {
    if (this.#state === "writing") this.#post({ type: "stop" });
  }

  #listen(): void {
    const select = this.#find<HTMLSelectElement>(".served");
    const options = this.#served.map(({ name, bytes }, index) =>
      new Option(`${name} (${formatBytes(bytes)})`, String(index))
    );
    select.replaceChildren(new Option("none", ""), ...options);
    const input = this.#find<HTMLInputElement>("input[type=file]");
    select.addEventListener("change", () => {
      input.value = "";
      this.choose(select.value === "" ? -1 : Number(select.value));
    });
    input.addEventListener("change", () => {
      if (input.files !== null && input.files.length > 0) this.#loadFiles(input.files);
    });
  }

  #loadFiles(files: FileList): void {
    this.#find<HTMLSelectElement>(".served").value = "";
    const fallback = this.#served[0]?.folder;
    this.#load({
      kind: "files",
      files: [...files],
      ...(fallback === undefined ? {} : { fallback }),
    });
  }

  #load(origin: ModelOrigin): void {
    this.#clear();
    this.#state = "loading";
    this.#worker = new Worker("model_worker.js", { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<ModelReply>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      this.#receive({ type: "error", message: event.message || "the worker could not be started" });
    };
    this.#showActivity("loading", 0);
    this.#post({ type: "load", origin, backend: this.#backend() });
    this.#onChange();
  }

  #clear(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#state = "empty";
    this.#chats = false;
    this.#find(".facts").hidden = true;
    this.#find(".error").hidden = true;
    this.#find(".prompt").textContent = "";
    this.#find(".text").textContent = "";
    this.#showActivity("no model");
    this.#onChange();
  }

  #receive(reply: ModelReply): void {
    if (reply.type === "progress") {
      this.#showActivity(reply.activity, reply.share ?? "unknown");
    } else if (reply.type === "story") {
      this.#find(".text").textContent = reply.text;
      this.#showActivity(`writing: ${formatCount(reply.tokens)} tokens`);
    } else if (reply.type === "error") {
      this.#clear();
      this.#showActivity("");
      const error = this.#find(".error");
      error.textContent = reply.message;
      error.hidden = false;
    } else {
      this.#state = "ready";
      if (reply.type === "ready") this.#showFacts(reply.facts);
      else this.#showSpeed(reply.tokens, reply.seconds);
      this.#onChange();
    }
  }

  #showSpeed(tokens: number, seconds: number): void {
    const speed = seconds > 0 ? `, ${formatFixed(tokens / seconds, 0)} tokens per second` : "";
    this.#showActivity(`${formatCount(tokens)} tokens in ${formatSeconds(seconds)}${speed}`);
  }

  #showFacts(facts: ModelFacts): void {
    this.#chats = facts.chats;
    const { load, decode, start } = facts.seconds;
    const rows: [string, string][] = [
      ["file", facts.name],
      ["size", formatBytes(facts.fileBytes)],
      ["parameters", formatCount(facts.parameters)],
      ["bits per weight", formatFixed(8 * facts.fileBytes / facts.parameters, 2)],
      ["loaded in", formatSeconds(load)],
      ["decoded in", formatSeconds(decode)],
      [
        "started in",
        `${formatSeconds(start)} on ${facts.backend === "webgpu" ? "WebGPU" : "WASM"}`,
      ],
      [
        "memory",
        `${formatBytes(facts.weightBytes)} weights, ${formatBytes(facts.backendBytes)} tfjs`,
      ],
      ["SHA-256", facts.hash],
    ];
    const list = this.#find(".facts");
    list.replaceChildren(...rows.flatMap(([term, value]) => {
      const name = document.createElement("dt");
      const text = document.createElement("dd");
      name.textContent = term;
      text.textContent = value;
      return [name, text];
    }));
    list.hidden = false;
    this.#showActivity("ready");
  }

  #showActivity(activity: string, share?: number | "unknown"): void {
    this.#find(".activity").textContent = activity;
    const bar = this.#find<HTMLProgressElement>("progress");
    bar.hidden = share === undefined;
    if (share === "unknown") bar.removeAttribute("value");
    else if (share !== undefined) bar.value = share;
    bar.setAttribute("aria-label", activity);
  }

  #post(request: ModelRequest): void {
    this.#worker?.postMessage(request);
  }

  #find<E extends HTMLElement = HTMLElement>(selector: string): E {
    return this.element.querySelector<E>(selector)!;
  }
}
