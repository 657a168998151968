import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../../kan/numeric/random.ts";
import { runCommandLine, startCommandLine } from "../testdata/command_line.ts";
import { fileNames, withWorkFolder } from "../testdata/work_folder.ts";

/** CI sets KANPRESS_SLOW=1. */
const KILLS = Deno.env.get("KANPRESS_SLOW") === "1" ? 20 : 3;

/** Compresses the tiny model of a folder; its calibration is kept nowhere else. */
function command(out: string, ...more: readonly string[]): string[] {
  const calibration = ["--calibration", "text.txt", "--no-cache", "--backend", "wasm"];
  const measure = more.includes("--max-kl") ? ["--text", "text.txt"] : ["--no-evaluate"];
  return ["compress", "model", ...calibration, ...measure, "--out", out, ...more];
}

const OUT = "out.kan.safetensors";
const OWN = `.${OUT}.work-kanpress`;

/** Runs the command line to its end; gives what it wrote to stderr, and the file. */
async function finish(folder: string, args: readonly string[], out = OUT) {
  const { code, error } = await runCommandLine(args, { cwd: folder });
  assert.equal(code, 0, error);
  return { error, bytes: await Deno.readFile(join(folder, out)) };
}

Deno.test(`after ${KILLS} ends at random moments, by kill -9 and Ctrl-C, the same command gives the same file`, () =>
  withWorkFolder(async (folder) => {
    const random = createRandom(KILLS);
    for (const more of [["--work", "work"], [], ["--max-kl", "0.001", "--work", "work"]]) {
      const start = performance.now(), alone = "whole.kan.safetensors";
      const target = more.filter((part) => !part.includes("work"));
      const expected = (await finish(folder, command(alone, ...target), alone)).bytes;
      const whole = performance.now() - start;
      const args = command(OUT, ...more);
      // A folder that a large model would have made.
      if (!more.includes("--work")) await Deno.mkdir(join(folder, OWN));
      let kills = 0, latest = whole;
      for (let i = 0; i < KILLS || kills === 0; i++) {
        const how = i % 3 === 1 ? "SIGINT" : "SIGKILL";
        const process = startCommandLine(args, { cwd: folder });
        const timer = setTimeout(() => process.kill(how), latest * random.uniform());
        const { signal } = await process.output();
        clearTimeout(timer);
        if (signal === "SIGKILL") kills++;
        // It ended by itself: the others are faster than the first one was.
        else if (how === "SIGKILL") latest /= 2;
        if (existsSync(join(folder, OUT))) {
          assert.deepEqual(await Deno.readFile(join(folder, OUT)), expected);
        }
      }
      assert.deepEqual((await finish(folder, args)).bytes, expected);
      const left = fileNames(folder).filter((name) => name.startsWith("."));
      assert.deepEqual(left, [], "nothing hidden is left");
      if (more.includes("--work")) {
        await Deno.remove(join(folder, OUT));
        const again = await finish(folder, args);
        assert.match(again.error, /going on: 100 % of the calibration was found in work/);
        assert.match(again.error, /going on: all matrices were found in work/);
        assert.deepEqual(again.bytes, expected);
      }
      await Deno.remove(join(folder, OUT));
      await Deno.remove(join(folder, alone));
    }
  }));

Deno.test("an entry that is damaged is told and made again", () =>
  withWorkFolder(async (folder) => {
    const args = command(OUT, "--work", "work");
    const { bytes: expected } = await finish(folder, args);
    const work = join(folder, "work");
    const names = ["pass-", "sums-", "encode-"].map((kind) =>
      fileNames(work).find((found) => found.startsWith(kind))!
    );
    for (const name of names) {
      const bytes = await Deno.readFile(join(work, name));
      bytes[bytes.length - 1]! ^= 1;
      await Deno.writeFile(join(work, name), bytes);
    }
    const { error, bytes } = await finish(folder, args);
    for (const name of names) {
      assert.match(error, new RegExp(`work/${name}: was damaged; it is made again`));
    }
    assert.deepEqual(bytes, expected);
    assert.doesNotMatch((await finish(folder, args)).error, /damaged/);
  }));

Deno.test("work that nobody goes on with is told, and so is a folder that is no work folder", () =>
  withWorkFolder(async (folder) => {
    const dead = join(folder, ".other.work-kanpress");
    await Deno.mkdir(dead);
    await Deno.writeFile(join(dead, "blob-1"), new Uint8Array(2000));
    const { error } = await finish(
      folder,
      command(OUT, "--data-free").filter((part) => part !== "--calibration" && part !== "text.txt"),
    );
    assert.match(
      error,
      /\.other\.work-kanpress: has 2\.00 kB of work on other that was not finished/,
    );
    const refused = await runCommandLine(command(OUT, "--work", "model"), { cwd: folder });
    assert.equal(refused.code, 1);
    assert.match(refused.error, /model: is not empty and no work folder of kanpress; name another/);
  }));

/** Whether this system lets a user mount disks that only the user's processes see. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || !existsSync("/usr/bin/unshare")) return false;
  const args = ["-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"];
  return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
}

Deno.test({
  name: "a full disk ends the run with an error, and with more room it goes on",
  ignore: !canMount(),
  fn: () =>
    withWorkFolder(async (folder) => {
      const { bytes: expected } = await finish(folder, command(OUT));
      await Deno.remove(join(folder, OUT));
      await Deno.mkdir(join(folder, "small"));
      const cli = new URL("../../cli.ts", import.meta.url).pathname;
      const run = (script: string, args: readonly string[]) =>
        new Deno.Command("unshare", {
          args: [
            ...["-rm", "sh", "-c", `mount -t tmpfs -o size=160k tmpfs small; ${script}`],
            ...[Deno.execPath(), "run", "-q", "-A", "--no-check", cli, ...args],
          ],
          cwd: folder,
        }).output();
      const script = `"$0" "$@"; echo "first $?" >&2
        mount -o remount,size=100m small; "$0" "$@"; echo "second $?" >&2`;
      const { stderr } = await run(script, command(OUT, "--work", "small"));
      const error = new TextDecoder().decode(stderr);
      assert.match(error, /small\/[a-z0-9-]+: no space left on the disk[^]*first 1\n/);
      assert.match(error, /going on:[^]*second 0\n$/);
      assert.deepEqual(await Deno.readFile(join(folder, OUT)), expected);
      // Where nobody named the folder, the disk is the output's: work is given up, not the run.
      const own = await run(
        `mkdir small/.${OUT}.work-kanpress; "$0" "$@" && ls -A small && cp small/${OUT} again`,
        command(`small/${OUT}`),
      );
      assert.equal(own.code, 0, new TextDecoder().decode(own.stderr));
      assert.match(new TextDecoder().decode(own.stderr), /going on without keeping what is done/);
      assert.match(new TextDecoder().decode(own.stdout), new RegExp(`\\n${OUT}\\n$`));
      assert.deepEqual(await Deno.readFile(join(folder, "again")), expected);
    }),
});
