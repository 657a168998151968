import { type Command, InvalidArgumentError } from "commander";
import { isHubId } from "../data/hub_model.ts";
import { addExamples, OUT_EXAMPLE, type Start } from "./options/command.ts";
import { nonEmpty } from "./options/options.ts";

/** Adds `publish-model` to the program. */
export function addPublishModel(program: Command, start: Start): void {
  const command = program.command("publish-model")
    .description(
      "Make the folder that one would upload to a hub: the model, a card with what was measured and " +
        "how to use it, a decoder in Python, and checksums. Nothing is uploaded.",
    )
    .argument("<folder>", "folder that compress wrote", nonEmpty)
    .option("--out <folder>", "folder to write (default: published/<name>)", nonEmpty)
    .option("--repo <owner/name>", "where it is going to be on the hub, for the card", repository)
    .option("--dry-run", "only print what would be written, and where")
    .option("--json", "one JSON object on stdout")
    .action(start(async () => (await import("./publish_model.ts")).publishModel));
  addExamples(program, command, [
    `publish-model ${OUT_EXAMPLE} --dry-run`,
    `publish-model ${OUT_EXAMPLE} --repo me/prose-4m-kan`,
  ]);
}

function repository(value: string): string {
  if (isHubId(value) && value.includes("/")) return value;
  throw new InvalidArgumentError("must be owner/name, as on the hub");
}
