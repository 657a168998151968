import type { Random } from "../kan/numeric/random.ts";
import { mutateBytes } from "./mutate_bytes.ts";
import { type Json, mutateJson } from "./mutate_json.ts";

/** Changes a packed value: mostly its description, whose arrays then need not be as it says. */
export function mutatePacked(random: Random, entry: Uint8Array): Uint8Array {
  const changed = random.integer(4) === 0 ? entry : changeDescription(random, entry);
  return changed === entry || random.integer(4) === 0 ? mutateBytes(random, changed) : changed;
}

function changeDescription(random: Random, entry: Uint8Array): Uint8Array {
  const length = new DataView(entry.buffer, entry.byteOffset).getUint32(0, true);
  const described: Json = JSON.parse(new TextDecoder().decode(entry.subarray(4, 4 + length)));
  const text = new TextEncoder().encode(JSON.stringify(mutateJson(random, described)));
  const head = 8 * Math.ceil((4 + text.length) / 8);
  const arrays = entry.subarray(8 * Math.ceil((4 + length) / 8));
  const changed = new Uint8Array(head + arrays.length);
  new DataView(changed.buffer).setUint32(0, text.length, true);
  changed.set(text, 4);
  changed.set(arrays, head);
  return changed;
}
