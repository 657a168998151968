import type { Random } from "../kan/numeric/random.ts";

/** Bytes at which readers change their minds. */
const AWKWARD = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x5d, 0x7b, 0x7d, 0x0a, 0x1b];

/** Changes some bytes, or removes, repeats or inserts a run of them; at least one change. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let changed = bytes;
  for (let times = 1 + random.integer(3); times > 0; times--) changed = mutateOnce(random, changed);
  return changed;
}

function mutateOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.integer(bytes.length + 1);
  const count = 1 + random.integer(random.integer(4) === 0 ? 64 : 4);
  switch (random.integer(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return joined(bytes.subarray(0, at), bytes.subarray(at + count));
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + count), bytes.subarray(at));
    case 3:
      return joined(bytes.subarray(0, at), randomBytes(random, count), bytes.subarray(at));
    default: {
      const changed = bytes.slice();
      for (let i = at; i < Math.min(bytes.length, at + count); i++) {
        changed[i] = random.integer(2) === 0
          ? changed[i]! ^ (1 << random.integer(8))
          : AWKWARD[random.integer(AWKWARD.length)]!;
      }
      return changed;
    }
  }
}

/** Bytes without any order. */
export function randomBytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.integer(256));
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}
