import assert from "node:assert";
import { InputError } from "./input_error.ts";
import { hideCredentials, shownUrl } from "./shown_url.ts";

Deno.test("addresses are shown without what is secret in them", () => {
  assert.equal(shownUrl("https://me:pass@host:1/a@b/c"), "https://host:1/a@b/c");
  assert.equal(shownUrl("https://token@host"), "https://host");
  assert.equal(shownUrl("https://host/file?X-Signature=abc&a=1#part"), "https://host/file?…");
  assert.equal(shownUrl("https://host/file#part"), "https://host/file");
  assert.equal(shownUrl("http://127.0.0.1:80/x"), "http://127.0.0.1:80/x");
});

Deno.test("passwords do not get into errors, wherever an address stands", () => {
  assert.equal(
    hideCredentials("x http://a:p@ss@h/ and ftp://b@h y@z"),
    "x http://h/ and ftp://h y@z",
  );
  assert.equal(
    hideCredentials("hf://datasets/owner/name@main/x"),
    "hf://datasets/owner/name@main/x",
  );
  assert.equal(new InputError("https://me:secret@host: no").message, "https://host: no");
});
