/**
 * Runs the examples of pages and of modules, those of folders too, as tests: `deno task test:docs`.
 * Examples do not tidy up after them, since readers need not; their temporary files go in the end.
 */
const folder = await Deno.makeTempDir({ prefix: "kanpress-examples-" });
try {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "--allow-all", "--parallel", "--doc", "--permit-no-files"],
      ...["--ignore=**/*_test.ts", ...Deno.args],
    ],
    // Unix has the first, Windows the others.
    env: { TMPDIR: folder, TMP: folder, TEMP: folder },
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(folder, { recursive: true });
}
