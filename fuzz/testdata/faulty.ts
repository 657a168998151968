import { InputError } from "../../data/input_error.ts";
import type { FuzzTarget } from "../target.ts";

/** Does with an input what its first byte says: everything that a reader can do wrong. */
export const target: FuzzTarget = {
  name: "faulty",
  description: "For the test of the supervisor.",
  mutate: (random) => Uint8Array.of(random.integer(7)),
  async read([what]) {
    await Promise.resolve();
    if (what === 1) throw new InputError("refused");
    if (what === 2) throw new TypeError("a bug");
    if (what === 3) { for (;;); }
    if (what === 4) Deno.exit(3);
    if (what === 5) { for (const taken = new Uint8Array(2 ** 29).fill(1);;) taken.fill(1); }
    if (what === 6) await new Promise(() => setTimeout(() => {}, 1e6));
  },
};
