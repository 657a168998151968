import type { Command } from "commander";
import { addExamples, type Start } from "./options/command.ts";
import { fileSize, integerBetween, redisAddress } from "./options/options.ts";
import { addStoreOption } from "./options/shared_options.ts";

const PASSWORDS = `
The password is in the address or in KANPRESS_REDIS_PASSWORD; none is shown.
Ctrl-C gives tasks that are not done back: others take them.`;

/** Adds `worker` to the program. */
export function addWorker(program: Command, start: Start): void {
  const command = program.command("worker")
    .description("Code matrices for runs of compress --redis on other machines, until Ctrl-C.")
    .requiredOption(
      "--redis <url>",
      "the Redis server: redis://host:6379, or rediss:// with TLS",
      redisAddress,
    )
    .option(
      "--threads <n>",
      "tasks at once (default: all cores)",
      integerBetween(1, 256),
    )
    .option(
      "--memory <size>",
      "memory for tasks, such as 4GB; larger matrices are left to others " +
        "(default: most of what is free)",
      fileSize,
    )
    .option(
      "--tasks-per-minute <n>",
      "begin no more tasks in a minute (default: any number)",
      integerBetween(1, 1e6),
    );
  addStoreOption(command).action(start(async () => (await import("./worker.ts")).worker));
  command.addHelpText("after", PASSWORDS);
  addExamples(program, command, [
    "worker --redis redis://192.168.1.2",
    "worker --redis rediss://me@queue.example --threads 4 --memory 8GB",
    "worker --redis redis://192.168.1.2 --store /mnt/kanpress",
  ]);
}
