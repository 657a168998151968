import { InputError } from "../../data/input_error.ts";
import { Device } from "./device.ts";
import { makeStep, runSteps } from "./program.ts";

/** Limits that are asked for as high as the card has them. */
const wantedLimits = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

/**
 * Opens the machine's graphics card with all the memory that it grants. Throws
 * {@linkcode InputError} where there is none.
 */
export async function openDevice(): Promise<Device> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (adapter == null) {
    throw new InputError("no WebGPU adapter on this machine; choose the backend wasm or cpu");
  }
  const requiredLimits = Object.fromEntries(
    wantedLimits.map((name) => [name, adapter.limits[name]]),
  );
  const device = new Device(await adapter.requestDevice({ requiredLimits }));
  device.readsSmallHalves = await readsSmallHalves(device);
  return device;
}

/** Devices may take float16 numbers below the least normal one for 0: whether this one does not. */
async function readsSmallHalves(device: Device): Promise<boolean> {
  const buffer = device.allocate(16);
  const step = makeStep(device, {
    code: `
struct Numbers { halves: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read_write> found: array<vec2<f32>>;
@compute @workgroup_size(1)
fn main() { found[0] = 1024.0 * unpack2x16float(numbers.halves); }
`,
    numbers: [0x03ff_0001],
    buffers: [buffer],
    workgroups: [1, 1, 1],
  });
  runSteps(device, [step]);
  const [least, largest] = new Float32Array(await device.read(buffer, 8));
  buffer.destroy();
  return least === 2 ** -14 && largest === 1023 * 2 ** -14;
}
