import assert from "node:assert";
import { findRevision } from "../../data/hub_api.ts";
import type { HubSettings } from "../../data/hub_settings.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const settings: HubSettings = {
  endpoint: "https://hub.invalid",
  cacheDir: "none",
  offline: false,
  token: "hf_verysecret",
};

/** What the hub says of a model, and of its files. */
const SOUND: readonly Json[] = [
  { _id: "1", id: "someone/model", sha: COMMIT, gated: false },
  [
    { type: "directory", path: "onnx", size: 0, oid: COMMIT },
    { type: "file", path: "config.json", size: 20, oid: COMMIT },
    {
      type: "file",
      path: "model.safetensors",
      size: 135,
      oid: COMMIT,
      lfs: { oid: "ab".repeat(32), size: 5000, pointerSize: 135 },
    },
  ],
];
const STATUSES = [200, 200, 200, 200, 301, 400, 401, 403, 404, 418];
const TYPES = ["application/json", "application/json", "text/html", "application/octet-stream"];
const LINKS = ["", "", '<https://hub.invalid/api/x>; rel="next"', "<x>", '<>; rel="next"'];

/** The status, type, link and body of one answer. */
type Answer = readonly [number, string, string, string];

function answer(random: Random, sound: Json): Answer {
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)]!;
  const text = JSON.stringify(random.integer(4) === 0 ? sound : mutateJson(random, sound));
  const body = random.integer(6) === 0
    ? new TextDecoder().decode(mutateBytes(random, new TextEncoder().encode(text)))
    : text;
  return [pick(STATUSES), pick(TYPES), pick(LINKS), body];
}

/** Mutations of what the hub answers. */
export const target: FuzzTarget = {
  name: "hub_reply",
  description: "Answers of the hub about a model and its files, with other statuses and headers.",
  mutate(random) {
    const answers = SOUND.map((sound) => answer(random, sound));
    return new TextEncoder().encode(JSON.stringify(answers));
  },
  async read(input) {
    const answers: Answer[] = JSON.parse(new TextDecoder().decode(input));
    const { fetch } = globalThis;
    // The hub's part of the network; every other address answers as well.
    globalThis.fetch = (place) => {
      const isTree = String(place instanceof Request ? place.url : place).includes("/tree/");
      const [status, type, link, body] = answers[isTree ? 1 : 0]!;
      const headers = { "content-type": type, ...(link === "" ? {} : { link }) };
      return Promise.resolve(new Response(body, { status, headers }));
    };
    try {
      const options = { attempts: 1, firstDelay: 1 };
      const { commit, files } = await findRevision(settings, "someone/model", "main", options);
      assert.match(commit, /^[0-9a-f]{40}$/);
      for (const { path, size, digest } of files) {
        assert.ok(!path.includes("/") && Number.isSafeInteger(size), path);
        assert.match(digest.hex, /^([0-9a-f]{40}|[0-9a-f]{64})$/);
      }
    } catch (error) {
      assert.ok(!String(error).includes("secret"));
      throw error;
    } finally {
      globalThis.fetch = fetch;
    }
  },
};
