import assert from "node:assert";
import { TransferRate } from "./transfer_rate.ts";

Deno.test("a steady transfer has its speed and its rest", () => {
  const rate = new TransferRate();
  for (let second = 0; second <= 10; second++) {
    const transfer = rate.add(500 * second, 10_000, 1000 * second);
    if (second === 0) assert.equal(transfer, undefined);
    else assert.deepEqual(transfer, { speed: 500, secondsLeft: 20 - second });
  }
});

Deno.test("the speed follows a connection that becomes slower", () => {
  const rate = new TransferRate();
  for (let second = 0; second <= 10; second++) rate.add(1000 * second, 1e6, 1000 * second);
  let last;
  for (let second = 1; second <= 6; second++) {
    last = rate.add(10_000 + 10 * second, 1e6, 10_000 + 1000 * second);
  }
  assert.equal(last!.speed, 10);
});

Deno.test("no speed is told before there is one", () => {
  const rate = new TransferRate();
  rate.add(0, 100, 0);
  assert.equal(rate.add(10, 100, 100), undefined);
  assert.equal(rate.add(0, 100, 5000), undefined);
});
