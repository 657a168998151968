import assert from "node:assert";
import { parquetWriteBuffer } from "hyparquet-writer";
import { InputError } from "./input_error.ts";
import { memorySource } from "./memory_source.ts";
import { dataFileUrl, openDataFile } from "./open_data_file.ts";
import { readRecords } from "./records.ts";
import { rangeResponse, withServer } from "./testdata/server.ts";

const encode = (text: string) => memorySource(new TextEncoder().encode(text), "set");

Deno.test("JSON Lines, a JSON array and Parquet give the same records", async () => {
  const records = [{ text: "a\nb", label: 1 }, { text: "ü", label: 0 }];
  const lines = records.map((record) => JSON.stringify(record)).join("\n");
  assert.deepEqual(await readRecords(encode(`${lines}\r\n\n`)), records);
  assert.deepEqual(await readRecords(encode(` ${JSON.stringify(records)}`)), records);
  const parquet = parquetWriteBuffer({
    columnData: [
      { name: "text", data: records.map(({ text }) => text), type: "STRING" },
      { name: "label", data: records.map(({ label }) => BigInt(label)), type: "INT64" },
    ],
  });
  const source = memorySource(new Uint8Array(parquet), "set.parquet");
  assert.deepEqual(await readRecords(source), records);
});

Deno.test("what is not a data set is refused in one line", async () => {
  const rejects = (bytes: Uint8Array, message: RegExp) =>
    assert.rejects(
      readRecords(memorySource(bytes, "set")),
      (error) =>
        error instanceof InputError && message.test(error.message) && !/\n/.test(error.message),
    );
  const text = (value: string) => new TextEncoder().encode(value);
  await rejects(text(""), /set: has no records/);
  await rejects(text("[1]"), /list of JSON objects/);
  await rejects(text('{"a":1}\n2'), /set: line 2 is not a JSON object/);
  await rejects(text('{"a":1}\n{'), /set: line 2: is not valid JSON/);
  await rejects(Uint8Array.of(0xff, 0, 0, 0, 1), /neither Parquet nor UTF-8/);
  await rejects(text("PAR1 and nothing more PAR1"), /not a sound Parquet file/);
});

Deno.test("files of data sets on the hub have addresses", () => {
  const hub = { endpoint: "https://hub.test" };
  assert.equal(
    dataFileUrl("hf://datasets/a/b/data/x.jsonl", hub),
    "https://hub.test/datasets/a/b/resolve/main/data/x.jsonl",
  );
  assert.equal(
    dataFileUrl("hf://datasets/a/b@refs%2Fconvert%2Fparquet/c/0.parquet", hub),
    "https://hub.test/datasets/a/b/resolve/refs%2Fconvert%2Fparquet/c/0.parquet",
  );
  assert.throws(() => dataFileUrl("hf://a/b", hub), /write it as hf:\/\/datasets/);
});

Deno.test("a data set of the hub is read by ranges, with the token", async () => {
  const bytes = new TextEncoder().encode('{"text":"a"}\n');
  const seen: string[] = [];
  const handler = (request: Request) => {
    seen.push(new URL(request.url).pathname, request.headers.get("authorization") ?? "none");
    return rangeResponse(request, bytes);
  };
  await withServer(handler, async (origin) => {
    const environment = { HF_ENDPOINT: origin, HF_TOKEN: "secret" };
    const place = "hf://datasets/owner/name/data/x.jsonl";
    const source = await openDataFile(place, {}, environment);
    assert.deepEqual(await readRecords(source), [{ text: "a" }]);
    assert.equal(seen[0], "/datasets/owner/name/resolve/main/data/x.jsonl");
    assert.ok(seen.every((value, i) => i % 2 === 0 || value === "Bearer secret"));
    await assert.rejects(
      openDataFile(place, {}, { ...environment, HF_HUB_OFFLINE: "1" }),
      /HF_HUB_OFFLINE is set/,
    );
  });
});

Deno.test("a file that only has the name of Parquet is refused", async () => {
  const source = memorySource(new TextEncoder().encode('{"text":"a"}\n'), "set.parquet");
  await assert.rejects(readRecords(source), {
    name: "InputError",
    message: "set.parquet: is not a Parquet file; get it again, or rename JSON Lines",
  });
});
