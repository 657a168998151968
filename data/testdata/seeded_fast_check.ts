/**
 * fast-check as tests import it: every run of a test draws the same cases, so that a failure is seen
 * again by running it again. `KANPRESS_TEST_SEED=random` draws others, and a number draws those of it.
 *
 * @module
 */
import process from "node:process";
import fc from "npm:fast-check@4.10.2";

const SEED = 2026;

const wanted = process.env.KANPRESS_TEST_SEED ?? `${SEED}`;
if (wanted !== "random") fc.configureGlobal({ seed: Number(wanted) });

export * from "npm:fast-check@4.10.2";
export default fc;
