const missing = await navigator.gpu?.requestAdapter() == null;
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
if (missing && !required) {
  console.warn(
    "skipping tests on WebGPU: without a GPU, Debian's packages mesa-vulkan-drivers and libvulkan1 " +
      "give an adapter",
  );
}

/** Options of a test on WebGPU: left out without an adapter, unless everything must run. */
export const needsWebGpu: { readonly ignore: boolean } = { ignore: missing && !required };
