import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { needsNative } from "../eval/testdata/needs_native.ts";
import { runCommandLine } from "./testdata/command_line.ts";
import { fileNames, withWorkFolder } from "./testdata/work_folder.ts";

Deno.test(
  "ONNX Runtime collects nothing that it would send, with a task's permissions",
  needsNative,
  () =>
    withWorkFolder(async (folder) => {
      const temporary = join(folder, "temporary"), cache = join(folder, "cache");
      for (const path of [temporary, cache]) await Deno.mkdir(path);
      const { code, error } = await runCommandLine(
        ["evaluate", "model", "--text", "text.txt", "--backend", "native"],
        {
          cwd: folder,
          task: "evaluate",
          // It collects nothing either where it takes its user for a program that tests others.
          env: { TMPDIR: temporary, XDG_CACHE_HOME: cache, CI: "" },
        },
      );
      assert.equal(code, 0, error);
      assert.deepEqual(fileNames(temporary), []);
      assert.ok(!existsSync(join(cache, "Microsoft")));
    }),
);
