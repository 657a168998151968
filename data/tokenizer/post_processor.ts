import type { Fields } from "./fields.ts";

/** The ids that a tokenizer puts before a single text, by its `post_processor`. */
export function readBeginning(fields: Fields): readonly number[] {
  switch (fields.type) {
    case "ByteLevel":
      return [];
    case "BertProcessing":
    case "RobertaProcessing":
      return [idOf(fields, fields.list("cls")[1])];
    case "TemplateProcessing":
      return readTemplate(fields);
    case "Sequence":
      // Each wraps what the one before it made.
      return fields.components("processors").flatMap(readBeginning).reverse();
    default:
      throw fields.unsupported(fields.type, "no such post-processor is known");
  }
}

function readTemplate(fields: Fields): number[] {
  const ids: number[] = [];
  const known = fields.component("special_tokens");
  for (const part of fields.components("single")) {
    if (part.value("Sequence") !== undefined) return ids;
    const name = part.component("SpecialToken").text("id");
    for (const id of known.component(name).list("ids")) ids.push(idOf(fields, id));
  }
  throw fields.error("has no place for the text in single");
}

function idOf(fields: Fields, id: unknown): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0) return id;
  throw fields.error("names a special token whose id is none");
}
