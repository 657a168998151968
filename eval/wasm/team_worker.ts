import { workerScope } from "../../workers/web_worker.ts";
import { Barrier } from "./barrier.ts";
import { startKernels } from "./kernels.ts";
import { runPass } from "./pass.ts";
import type { PassThread } from "./pass_thread.ts";
import { createThread, type TeamMessage, type TeamReply } from "./team_thread.ts";

const scope = workerScope();
let thread: PassThread | undefined;
let barrier: Barrier | undefined;

scope.onmessage = ({ data }) => {
  const message = data as TeamMessage;
  const reply = (reply: TeamReply) => scope.postMessage(reply, []);
  try {
    if (message.kind === "pass") return runPass(thread!, message.job);
    const { setup, index } = message;
    const kernels = startKernels(setup.memory);
    if (kernels === undefined) return reply({ failure: "it cannot run the kernels" });
    barrier = new Barrier(setup.barrier, setup.count);
    thread = createThread(setup, index, kernels);
    reply("ready");
  } catch (error) {
    barrier?.fail();
    reply({ failure: error instanceof Error ? error.message : String(error) });
  }
};
