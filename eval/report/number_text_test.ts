import assert from "node:assert";
import {
  formatBytes,
  formatBytesBriefly,
  formatCount,
  formatFixed,
  formatMeasure,
  formatSeconds,
  formatShare,
  formatTimeLeft,
  formatWithError,
} from "./number_text.ts";

Deno.test("sizes are shown in decimal units", () => {
  assert.equal(formatBytes(0), "0 bytes");
  assert.equal(formatBytes(999), "999 bytes");
  assert.equal(formatBytes(1000), "1.00 kB");
  assert.equal(formatBytes(8552392), "8.55 MB");
  assert.equal(formatBytes(3.5e12), "3,500.00 GB");
  assert.equal(formatBytesBriefly(0), "0 bytes");
  assert.equal(formatBytesBriefly(8552392), "8.55 MB");
  assert.equal(formatBytesBriefly(50397944), "50.4 MB");
  assert.equal(formatBytesBriefly(136_920_000), "137 MB");
});

Deno.test("numbers are shown with the digits that mean something", () => {
  assert.equal(formatCount(4273664), "4,273,664");
  assert.equal(formatShare(0.9714), "97.1 %");
  assert.equal(formatFixed(4.5375, 2), "4.54");
  assert.equal(formatFixed(-0.00001, 4), "0.0000");
  assert.equal(formatFixed(-0.0183, 4), "-0.0183");
  assert.equal(formatMeasure(53.789), "53.79");
  assert.equal(formatMeasure(0.0010142), "0.001014");
  assert.equal(formatMeasure(3.2e-7), "3.2e-7");
  assert.equal(formatMeasure(Infinity), "Infinity");
  assert.equal(formatSeconds(0.4211), "0.42 s");
  assert.equal(formatSeconds(12.34), "12.3 s");
});

Deno.test("a standard error decides how many decimals are shown", () => {
  assert.equal(formatWithError(53.7891, 0.7214), "53.79 ± 0.72");
  assert.equal(formatWithError(0.00101423, 0.0000123), "0.001014 ± 0.000012");
  assert.equal(formatWithError(53.7891, undefined), "53.79");
  assert.equal(formatWithError(53.7891, 0), "53.79");
});

Deno.test("time that is left is told in seconds, then in minutes, and rounded up", () => {
  assert.equal(formatTimeLeft(0.2), "1 s left");
  assert.equal(formatTimeLeft(119.5), "120 s left");
  assert.equal(formatTimeLeft(120), "2 min left");
  assert.equal(formatTimeLeft(121), "3 min left");
});
