import { tmpdir } from "node:os";
import { join } from "node:path";

/** Stands in for the user's cache folder: what tests keep is not to be mixed up with the user's. */
export const TEST_CACHE: string = join(tmpdir(), "kanpress-tests");
