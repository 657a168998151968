import type { Device } from "./device.ts";

/** What a device does in one go: a run of a program, or a copy. */
export type Step = ProgramStep | CopyStep;

/** A copy of a buffer's first bytes, or the emptying of it if there is no source. */
export interface CopyStep {
  readonly source?: GPUBuffer;
  readonly target: GPUBuffer;
  readonly bytes: number;
}

/** A program, the buffers and numbers that it is given, and how many workgroups run. */
export interface ProgramStep {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** A part of a buffer that a program sees. */
export type Binding = GPUBuffer | GPUBufferBinding;

/** What {@linkcode makeStep} is given. */
export interface StepOptions {
  /** WGSL whose binding 0 is the numbers, followed by the buffers. */
  readonly code: string;
  /** The numbers of the struct at binding 0, in its order: whole unless marked by {@linkcode real}. */
  readonly numbers: readonly (number | Real)[];
  /** The buffers at bindings 1 and on. */
  readonly buffers: readonly Binding[];
  /** Workgroups along each axis. */
  readonly workgroups: readonly [number, number, number];
}

/** A number that a program takes as f32. */
export interface Real {
  readonly real: number;
}

/** Marks a number that a program takes as f32. */
export function real(value: number): Real {
  return { real: value };
}

/** Prepares a run of a program, to be run any number of times. */
export function makeStep(
  device: Device,
  { code, numbers, buffers, workgroups }: StepOptions,
): Step {
  const pipeline = device.pipeline(code);
  const uniform = device.gpu.createBuffer({
    size: Math.ceil(4 * numbers.length / 16) * 16,
    usage: GPUBufferUsage.UNIFORM,
    mappedAtCreation: true,
  });
  const view = new DataView(uniform.getMappedRange());
  numbers.forEach((value, index) => {
    if (typeof value === "number") view.setUint32(4 * index, value, true);
    else view.setFloat32(4 * index, value.real, true);
  });
  uniform.unmap();
  const bindings = device.gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [uniform, ...buffers].map((buffer, binding) => ({
      binding,
      resource: "buffer" in buffer ? buffer : { buffer },
    })),
  });
  return { pipeline, bindings, workgroups };
}

/** Runs steps one after another, in one command buffer. */
export function runSteps(device: Device, steps: readonly Step[]): void {
  const encoder = device.gpu.createCommandEncoder();
  let pass: GPUComputePassEncoder | undefined;
  for (const step of steps) {
    if ("pipeline" in step) {
      pass ??= encoder.beginComputePass();
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.bindings);
      pass.dispatchWorkgroups(...step.workgroups);
      device.counts.dispatches++;
      continue;
    }
    pass?.end();
    pass = undefined;
    const { source, target, bytes } = step;
    if (source === undefined) encoder.clearBuffer(target, 0, bytes);
    else encoder.copyBufferToBuffer(source, 0, target, 0, bytes);
  }
  pass?.end();
  device.submit(encoder);
}
