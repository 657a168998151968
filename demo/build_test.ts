import assert from "node:assert";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withWorkFolder } from "../cli/testdata/work_folder.ts";
import { runCommandLine } from "../cli/testdata/command_line.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import { bundle, story } from "./testdata/demo_page.ts";

/** A host of static files at a path of its own, which knows nothing of the page. */
function staticHost(folder: string) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const [, path] = /^\/somebody\/site\/(.*)$/.exec(pathname) ?? [];
    if (path === undefined) return new Response("no", { status: 404 });
    const bytes = await readFile(join(folder, path || "index.html")).catch(() => undefined);
    if (bytes === undefined) return new Response("no", { status: 404 });
    const type = { html: "text/html", js: "text/javascript", css: "text/css" }[
      (path || "index.html").split(".").at(-1)!
    ];
    return new Response(new Uint8Array(bytes), {
      headers: { "content-type": type ?? "application/octet-stream" },
    });
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
    const server = staticHost(site);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(120_000);
      const problems: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") problems.push(message.text());
      });
      const { port } = server.addr;
      await page.goto(`http://127.0.0.1:${port}/somebody/site/`);
      await page.locator("#write:enabled").waitFor();
      await page.click("#write");
      await page.locator("#stop:enabled").waitFor();
      await page.locator("#stop:disabled").waitFor();
      assert.ok((await story(page, 0))!.length > 100);
      assert.match((await page.locator(".figures").first().textContent())!, /KL divergence/);
      assert.deepEqual(problems, []);
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
