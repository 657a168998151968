import assert from "node:assert";
import { continuationText, replyText } from "./continuation.ts";

Deno.test("two continuations stand side by side, one stands alone", () => {
  const both = continuationText("It was", { original: " late.", compressed: " early." }, 43);
  assert.equal(both, "original               compressed\n\nIt was late.           It was early.");
  assert.equal(continuationText("It was", { compressed: " early." }, 43), "It was early.");
});

Deno.test("a conversation shows who said what, and answers side by side", () => {
  const messages = [{ role: "user", content: "Hi" }];
  const both = replyText(messages, { original: " Hello.", compressed: "Hey. " }, 43);
  assert.equal(
    both,
    "user: Hi\n\noriginal               compressed\n\nHello.                 Hey.",
  );
  assert.equal(replyText(messages, { compressed: "Hey." }, 43), "user: Hi\n\nassistant: Hey.");
});
