import assert from "node:assert";
import { homedir } from "node:os";
import { join } from "node:path";
import { hubSettings } from "./hub_settings.ts";

Deno.test("without an environment the public hub and the usual cache are meant", () => {
  assert.deepStrictEqual(hubSettings({}), {
    endpoint: "https://huggingface.co",
    cacheDir: join(homedir(), ".cache", "huggingface", "hub"),
    offline: false,
  });
});

Deno.test("the variables of huggingface_hub are respected, in its order", () => {
  const all = {
    HF_ENDPOINT: "http://127.0.0.1:8000/mirror/",
    HF_TOKEN: " hf_x\n",
    HF_HUB_CACHE: "/cache",
    HF_HOME: "/home",
    XDG_CACHE_HOME: "/xdg",
    HF_HUB_OFFLINE: "1",
  };
  assert.deepStrictEqual(hubSettings(all), {
    endpoint: "http://127.0.0.1:8000/mirror",
    token: "hf_x",
    cacheDir: "/cache",
    offline: true,
  });
  assert.equal(hubSettings({ ...all, HF_HUB_CACHE: "" }).cacheDir, join("/home", "hub"));
  assert.equal(
    hubSettings({ XDG_CACHE_HOME: "/xdg", HF_TOKEN: "" }).cacheDir,
    join("/xdg", "huggingface", "hub"),
  );
});

Deno.test("unusable variables are named, and a token is not shown", () => {
  assert.throws(() => hubSettings({ HF_ENDPOINT: "huggingface.co" }), {
    name: "InputError",
    message: "HF_ENDPOINT: huggingface.co is not an http or https address; correct or unset it",
  });
  assert.throws(() => hubSettings({ HF_TOKEN: "hf_a\nb" }), {
    name: "InputError",
    message: "HF_TOKEN: has characters that no token has; set it again",
  });
});
