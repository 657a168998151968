import assert from "node:assert";
import { formatFrontMatter, parseFrontMatter } from "../../data/front_matter.ts";
import { memorySource } from "../../data/memory_source.ts";
import { compressedCard, readCardOrigin, restoredCard } from "../../cli/compress/model_card.ts";
import { cardWithList, isOwnCard } from "../../cli/output/written_files.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

const HEAD: { [key: string]: Json } = {
  license: "other",
  license_name: "llama",
  license_link: "LICENSE.md",
  language: ["en", "no"],
  pipeline_tag: "text-generation",
  widget: [{ text: "a: b" }],
};
const YAML = "license: mit\nlanguage: &a [en, 'no']\ntags:\n- *a\n- >\n  folded\n? x\n: {y: 1}\n";
const SIZES = {
  parameters: 1000,
  originalBytes: 2000,
  originalDtype: "F16" as const,
  compressedBytes: 500,
  bitsPerWeight: 4,
};

/** Mutations of models' cards. */
export const target: FuzzTarget = {
  name: "model_card",
  description: "Cards of models with changed heads: read, and made cards of what was compressed.",
  mutate(random) {
    const encode = (text: string) => new TextEncoder().encode(text);
    const kind = random.integer(4);
    if (kind === 0) return mutateBytes(random, encode(`---\n${YAML}---\n# A model\n`));
    // JSON is YAML.
    const json = JSON.stringify(mutateJson(random, HEAD));
    const page = encode(`---\n${json}\n---\n\n# A model\n`);
    if (kind === 1) return mutateBytes(random, page);
    if (kind === 2) return encode(cardWithList(compressedCard(ORIGIN, SIZES), { a: json }));
    return page;
  },
  async read(input) {
    const documents = [memorySource(input, "README.md")];
    const origin = await readCardOrigin("hf://owner/name", documents);
    const how = { dtype: "f16", onnx: ["q8"] as const, architecture: "x" };
    for (const card of [compressedCard(origin, SIZES), restoredCard(origin, how)]) {
      const values = parseFrontMatter(card);
      assert.equal(values["base_model"], "owner/name");
      assert.equal(typeof values["library_name"], "string");
      assert.deepEqual(parseFrontMatter(formatFrontMatter(values)), values);
      assert.ok(isOwnCard(cardWithList(card, {})));
    }
  },
};

const ORIGIN = { source: "hf://owner/name", head: {}, licences: [] };
