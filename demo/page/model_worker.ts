import { type LoadedModel, loadModel } from "./loaded_model.ts";
import type { ModelReply, ModelRequest, StoryOptions } from "./messages.ts";
import { writeStory } from "./write_story.ts";

interface WorkerScope {
  onmessage: ((event: { data: ModelRequest }) => void) | null;
  postMessage(reply: ModelReply): void;
}

const scope = globalThis as unknown as WorkerScope;
let loaded: LoadedModel | undefined;
let writing: AbortController | undefined;

scope.onmessage = ({ data }) => {
  answer(data).catch((error) => {
    scope.postMessage({
      type: "error",
      message: error instanceof Error ? error.message : String(error),
    });
  });
};

async function answer(request: ModelRequest): Promise<void> {
  if (request.type === "stop") {
    writing?.abort();
  } else if (request.type === "load") {
    loaded = await loadModel(request.origin, request.engine, (progress) => {
      scope.postMessage({ type: "progress", progress });
    });
    scope.postMessage({ type: "ready", facts: loaded.facts });
  } else if (loaded !== undefined) {
    await write(loaded, request.story);
  }
}

async function write(model: LoadedModel, story: StoryOptions): Promise<void> {
  const controller = new AbortController();
  writing = controller;
  // Reading the prompt and writing are different work: the clock starts at the first token.
  let start: number | undefined;
  let tokens = 0;
  const seconds = () => start === undefined ? 0 : (performance.now() - start) / 1000;
  try {
    for await (const soFar of writeStory(model, story, controller.signal)) {
      ({ tokens } = soFar);
      scope.postMessage({ type: "story", ...soFar, seconds: seconds() });
      start ??= performance.now();
      await yieldToEventLoop();
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
  scope.postMessage({ type: "done", tokens, seconds: seconds() });
}

/** Lets a stop message come in; timers would wait four milliseconds. */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
