/// <reference lib="dom" />
import {
  formatBytes,
  formatCount,
  formatFixed,
  formatSeconds,
  formatTimeLeft,
} from "../../eval/report/number_text.ts";
import type { ServedModel } from "../served_model.ts";
import { droppedFiles } from "./dropped_files.ts";
import { costRows, factRows, keyFigures, sizeBars } from "./facts_view.ts";
import type {
  EngineName,
  LoadProgress,
  ModelFacts,
  ModelOrigin,
  ModelReply,
  ModelRequest,
  StoryOptions,
} from "./messages.ts";
import { TransferRate } from "./transfer_rate.ts";

/** After so many milliseconds without a byte, the connection is said to be waited for. */
const LONG_SILENCE = 8000;

/** What a panel is doing; `offered` waits for the user to begin a large download. */
export type PanelState = "empty" | "offered" | "loading" | "ready" | "writing";

/** What a panel needs of the page. */
export interface PanelPage {
  /** Models of the page's site. */
  readonly served: readonly ServedModel[];
  /** What is to compute. */
  engine(): EngineName;
  /** Reads the form; undefined where it cannot be used, which it then shows. */
  story(): StoryOptions | undefined;
  /** Called when a panel becomes ready or busy. */
  onChange(): void;
}

/** One of the models on the page: what it is, what it costs and what it writes. */
export class Panel {
  /** The panel's element, to be put on the page. */
  readonly element: HTMLElement;
  readonly #page: PanelPage;
  #worker: Worker | undefined;
  #origin: ModelOrigin | undefined;
  #state: PanelState = "empty";
  #chats = false;
  #rate = new TransferRate();
  #silence: ReturnType<typeof setTimeout> | undefined;
  #arrived = 0;

  /** A panel that offers the models of the site. */
  constructor(title: string, page: PanelPage) {
    const template = document.querySelector<HTMLTemplateElement>("#panel")!;
    const copy = template.content.cloneNode(true) as DocumentFragment;
    this.element = copy.querySelector<HTMLElement>(".panel")!;
    this.#page = page;
    this.#find("h2").textContent = title;
    this.#find(".served").setAttribute("aria-label", title);
    this.#find("input[type=file]").setAttribute("aria-label", `Open files as the ${title}`);
    this.#listen();
  }

  /** What the panel is doing. */
  get state(): PanelState {
    return this.#state;
  }

  /** Whether the model was trained to chat. */
  get chats(): boolean {
    return this.#chats;
  }

  /** Takes one of the site's models by its number, or none; loads it, or offers to. */
  choose(index: number, atOnce = true): void {
    const model = this.#page.served[index];
    this.#find<HTMLSelectElement>(".served").value = model === undefined ? "" : String(index);
    this.#find<HTMLInputElement>("input[type=file]").value = "";
    this.#take(model && { kind: "server", model }, atOnce);
  }

  /** Loads the model again, such as for another engine. */
  reload(): void {
    this.#take(this.#origin, this.#state !== "offered");
  }

  /** Begins a story, if there is a model. */
  write(story: StoryOptions): void {
    if (this.#state !== "ready") return;
    this.#state = "writing";
    this.#find(".prompt").textContent = story.chat && this.#chats
      ? `${story.prompt}\n\n`
      : story.prompt;
    this.#find(".text").textContent = "";
    this.#showActivity("reading the beginning");
    this.#announce("writing");
    this.#post({ type: "write", story });
    this.#changed();
  }

  /** Ends the story that is being written. */
  stop(): void {
    if (this.#state === "writing") this.#post({ type: "stop" });
  }

  #listen(): void {
    const select = this.#find<HTMLSelectElement>(".served");
    const options = this.#page.served.map(({ name, bytes }, index) =>
      new Option(`${name} (${formatBytes(bytes)})`, String(index))
    );
    select.replaceChildren(new Option("none", ""), ...options);
    const input = this.#find<HTMLInputElement>("input[type=file]");
    select.addEventListener("change", () => {
      this.choose(select.value === "" ? -1 : Number(select.value));
    });
    input.addEventListener("change", () => {
      if (input.files !== null && input.files.length > 0) this.#open([...input.files]);
    });
    this.#find(".load").addEventListener("click", () => this.#take(this.#origin, true));
    this.#find(".write-this").addEventListener("click", () => {
      if (this.#state === "writing") return this.stop();
      const story = this.#page.story();
      if (story !== undefined) this.write(story);
    });
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.element.classList.add("dropping");
    });
    for (const type of ["dragleave", "drop"]) {
      this.element.addEventListener(type, () => this.element.classList.remove("dropping"));
    }
    this.element.addEventListener("drop", async (event) => {
      event.preventDefault();
      if (event.dataTransfer === null) return;
      input.value = "";
      this.#open(await droppedFiles(event.dataTransfer));
    });
  }

  #open(files: readonly File[]): void {
    this.#find<HTMLSelectElement>(".served").value = "";
    this.#take({ kind: "files", files, served: this.#page.served }, true);
  }

  #take(origin: ModelOrigin | undefined, atOnce: boolean): void {
    this.#clear();
    this.#origin = origin;
    if (origin === undefined) return;
    if (atOnce) return this.#load(origin);
    this.#state = "offered";
    this.#showActivity("");
    if (origin.kind === "server") this.#offer(`Load ${formatBytes(origin.model.bytes)}`);
    this.#changed();
  }

  /** Shows the button that begins a download. */
  #offer(text: string): void {
    const button = this.#find(".load");
    button.hidden = false;
    button.textContent = text;
  }

  #load(origin: ModelOrigin): void {
    this.#state = "loading";
    this.#rate = new TransferRate();
    this.#worker = new Worker("model_worker.js", { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<ModelReply>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      this.#receive({ type: "error", message: event.message || "the worker could not be started" });
    };
    this.#showActivity("loading", "unknown");
    this.#expectBytes("loading");
    this.#announce("loading");
    this.#post({ type: "load", origin, engine: this.#page.engine() });
    this.#changed();
  }

  #clear(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    clearTimeout(this.#silence);
    this.#arrived = 0;
    this.#state = "empty";
    this.#chats = false;
    for (const part of [".figures", ".story", ".own-actions", ".about", ".error", ".load"]) {
      this.#find(part).hidden = true;
    }
    this.#find(".prompt").textContent = "";
    this.#find(".text").textContent = "";
    this.#showActivity("no model");
    this.#announce("");
    this.#changed();
  }

  #receive(reply: ModelReply): void {
    if (reply.type === "progress") {
      this.#showProgress(reply.progress);
    } else if (reply.type === "story") {
      this.#find(".text").textContent = reply.text;
      this.#showActivity(`writing: ${formatCount(reply.tokens)} tokens`);
      this.#showSpeed(reply.tokens, reply.seconds);
    } else if (reply.type === "error") {
      this.#clear();
      this.#showActivity("");
      const error = this.#find(".error");
      error.textContent = reply.message;
      error.hidden = false;
      if (this.#origin?.kind === "server") this.#offer("Try again");
    } else {
      clearTimeout(this.#silence);
      this.#state = "ready";
      if (reply.type === "ready") this.#showFacts(reply.facts);
      else {
        const { tokens, seconds } = reply;
        this.#showActivity(`${formatCount(tokens)} tokens in ${formatSeconds(seconds)}`);
        this.#showSpeed(tokens, seconds);
        this.#announce(`done: ${this.#find(".text").textContent}`);
      }
      this.#changed();
    }
  }

  /** Says after a while without a byte what is being waited for. */
  #expectBytes(soFar: string, share: number | "unknown" = "unknown"): void {
    clearTimeout(this.#silence);
    if (this.#origin?.kind !== "server") return;
    this.#silence = setTimeout(
      () => this.#showActivity(`${soFar}, waiting for the connection`, share),
      LONG_SILENCE,
    );
  }

  #showProgress({ activity, bytes, layers }: LoadProgress): void {
    if (bytes === undefined) return this.#showActivity(activity, "unknown");
    const [here, total] = bytes;
    if (here === total) clearTimeout(this.#silence);
    else if (here > this.#arrived) {
      this.#expectBytes(
        `${activity}: ${formatBytes(here)} of ${formatBytes(total)}`,
        here / total,
      );
    }
    this.#arrived = here;
    // On a fast line it is the decoding that takes its time.
    if (here === total && layers !== undefined) {
      const [decoded, all] = layers;
      return this.#showActivity(`${activity}: ${decoded} of ${all} layers`, decoded / all);
    }
    const transfer = this.#rate.add(here, total, performance.now());
    const parts = [`${formatBytes(here)} of ${formatBytes(total)}`];
    if (transfer !== undefined && here < total) {
      parts.push(`${formatBytes(transfer.speed)}/s`);
      parts.push(formatTimeLeft(transfer.secondsLeft));
    }
    if (layers !== undefined) parts.push(`${layers[0]} of ${layers[1]} layers decoded`);
    this.#showActivity(`${activity}: ${parts.join(", ")}`, total === 0 ? "unknown" : here / total);
  }

  /** The first token comes with the reading of the prompt, which is other work. */
  #showSpeed(tokens: number, seconds: number): void {
    if (tokens < 2 || seconds <= 0) return;
    const speed = (tokens - 1) / seconds;
    this.#find(".speed").textContent = formatFixed(speed, speed < 10 ? 1 : 0);
  }

  #showFacts(facts: ModelFacts): void {
    this.#chats = facts.chats;
    this.#find(".figures").replaceChildren(...keyFigures(facts));
    this.#find(".sizes").replaceChildren(...sizeBars(facts));
    const costs = costRows(facts.measured);
    this.#find(".costs tbody").replaceChildren(...costs);
    this.#find(".costs").hidden = costs.length === 0;
    this.#find(".unmeasured").hidden = costs.length > 0;
    this.#find(".facts").replaceChildren(...factRows(facts));
    for (const part of [".figures", ".story", ".own-actions", ".about"]) {
      this.#find(part).hidden = false;
    }
    const on = `ready, computes on ${facts.engine}`;
    this.#showActivity(facts.engineNote === undefined ? on : `${on}; ${facts.engineNote}`);
    this.#announce("ready");
  }

  #changed(): void {
    const writing = this.#state === "writing";
    this.#find(".write-this").textContent = writing ? "Stop this one" : "Write with this one";
    this.#page.onChange();
  }

  #showActivity(activity: string, share?: number | "unknown"): void {
    this.#find(".activity").textContent = activity;
    const bar = this.#find<HTMLProgressElement>("progress");
    bar.hidden = share === undefined;
    if (share === "unknown") bar.removeAttribute("value");
    else if (share !== undefined) bar.value = share;
    bar.setAttribute("aria-label", activity.split(":")[0]!);
  }

  /** Tells those who do not see the page; the lines that change all the time would be read out. */
  #announce(text: string): void {
    this.#find(".announcement").textContent = text;
  }

  #post(request: ModelRequest): void {
    this.#worker?.postMessage(request);
  }

  #find<E extends HTMLElement = HTMLElement>(selector: string): E {
    return this.element.querySelector<E>(selector)!;
  }
}
