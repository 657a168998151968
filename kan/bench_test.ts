import assert from "node:assert";

// What the library must show takes seconds to minutes; CI sets KANPRESS_SLOW=1 and runs it. The
// commands end with an error if one of their figures misses its bound. The one that measures speed
// is left to hands: a busy machine would fail it.
for (const name of ["kan_hello", "kan_product", "kan_scaling"]) {
  Deno.test({
    name: `bench/${name}.ts keeps its bounds`,
    ignore: Deno.env.get("KANPRESS_SLOW") !== "1",
    async fn() {
      const script = new URL(`../bench/${name}.ts`, import.meta.url).pathname;
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-read", "--allow-env", script],
      });
      const { success, stdout, stderr } = await command.output();
      const text = new TextDecoder();
      assert.ok(success, text.decode(stdout) + text.decode(stderr));
    },
  });
}
