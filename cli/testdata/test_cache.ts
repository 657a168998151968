import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";

const folder = new TemporaryFolder();
globalThis.addEventListener("unload", () => folder[Symbol.dispose]());

/** Stands in for the user's cache folder for a file of tests. */
export const TEST_CACHE: string = folder.path;
