import assert from "node:assert";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withWorkFolder } from "../cli/testdata/work_folder.ts";
import { runCommandLine } from "../cli/testdata/command_line.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import { bundle } from "./testdata/demo_page.ts";

/** A host of static files at a path of its own, which knows nothing of the page, on a slow line. */
function staticHost(folder: string, requests: string[]) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const [, path] = /^\/somebody\/site\/(.*)$/.exec(pathname) ?? [];
    if (path === undefined) return new Response("no", { status: 404 });
    const bytes = await readFile(join(folder, path || "index.html")).catch(() => undefined);
    if (bytes === undefined) return new Response("no", { status: 404 });
    requests.push(path);
    const type = { html: "text/html", js: "text/javascript", css: "text/css" }[
      (path || "index.html").split(".").at(-1)!
    ];
    const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
    const part = bytes.subarray(Number(start ?? 0), end ? Number(end) + 1 : bytes.length);
    const range = `bytes ${start}-${Number(start) + part.length - 1}/${bytes.length}`;
    return new Response(path.endsWith(".safetensors") ? slowly(part) : new Uint8Array(part), {
      status: start === undefined ? 200 : 206,
      headers: {
        "content-type": type ?? "application/octet-stream",
        "content-length": String(part.length),
        ...(start !== undefined && { "content-range": range }),
      },
    });
  });
}

/** 1 MB a second. */
function slowly(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      controller.enqueue(bytes.slice(at, at += 50_000));
      if (at >= bytes.length) controller.close();
    },
  });
}

Deno.test("a page that is written works on any host, and is known again", {
  ...needsChromium,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, () =>
  withWorkFolder(async (folder) => {
    await bundle();
    const build = () => runCommandLine(["demo", "--build", "site"], { cwd: folder, task: "demo" });
    const { code, out, error } = await build();
    assert.equal(code, 0, error);
    assert.match(out, /MB written to site; put it on any host of static files/);
    const site = join(folder, "site");
    const requests: string[] = [];
    const server = staticHost(site, requests);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(120_000);
      const problems: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") problems.push(message.text());
      });
      const { port } = server.addr;
      // By a name that is not taken for this machine.
      await page.goto(`http://site.localhost:${port}/somebody/site/`);
      const downloading = /^downloading: [\d.]+ .?B of 2\.13 MB, [\d.]+ .?B\/s, \d+ s left/;
      await page.locator(".activity").first().filter({ hasText: downloading }).waitFor();
      await page.locator("#write:enabled").waitFor();
      await page.locator(".about:visible").nth(1).waitFor();
      await page.click("#write");
      // It may have been written before anyone looks whether it can be stopped.
      await page.locator(".panel").first().locator(".story .text").filter({ hasText: /.{100}/s })
        .waitFor();
      await page.locator("#stop:disabled").waitFor();
      assert.match((await page.locator(".figures").first().textContent())!, /KL divergence/);
      assert.deepEqual(problems, []);
      const weights = () => requests.filter((path) => path.endsWith(".safetensors")).length;
      const before = weights();
      await page.reload();
      await page.locator(".about:visible").nth(1).waitFor();
      // The server is asked for a byte of each, and gives no more.
      assert.deepEqual([before, weights()], [4, 6]);
      // Its own rules hold where the host sends none.
      const elsewhere = await page.evaluate(() =>
        fetch("http://localhost:9/").then(() => "asked", () => "refused")
      );
      assert.equal(elsewhere, "refused");
      assert.match(problems.join(), /Content Security Policy/);
    } finally {
      await browser.close();
      await server.shutdown();
    }
    assert.match((await build()).error, /replacing the page in site/);
    await writeFile(join(site, "CNAME"), "example.org");
    const refused = await build();
    assert.equal(refused.code, 1);
    assert.match(refused.error, /site: has CNAME, which kanpress did not write/);
    assert.ok((await readdir(site)).includes("CNAME"));
  }));
