import assert from "node:assert";
import { formatTime } from "./format_time.ts";

Deno.test("times are written as Python's strftime does in its C locale", () => {
  const time = new Date(2024, 1, 29, 15, 4, 5);
  assert.equal(formatTime(time, "%d %b %Y"), "29 Feb 2024");
  assert.equal(
    formatTime(time, "%A %a %B %H:%M:%S %I %p %j %m %y %%"),
    "Thursday Thu February 15:04:05 03 PM 060 02 24 %",
  );
  assert.equal(formatTime(new Date(2023, 11, 31, 0, 30), "%j %I %p"), "365 12 AM");
  assert.equal(formatTime(time, "%Q 100% %"), "%Q 100% %");
});
