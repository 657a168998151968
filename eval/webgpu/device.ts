/** A graphics card that programs run on, and what was done on it. */
export class Device {
  /** The WebGPU device. */
  readonly gpu: GPUDevice;
  /** What has been done on it since it was opened. */
  readonly counts: DeviceCounts = { dispatches: 0, submissions: 0, bytesSent: 0, bytesRead: 0 };
  /** Whether programs read float16 numbers below the least normal one as they are. */
  readsSmallHalves = false;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  #failure: Error | undefined;

  /** Use {@linkcode openDevice}. */
  constructor(gpu: GPUDevice) {
    this.gpu = gpu;
    gpu.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      this.#failure ??= new Error(`WebGPU: ${error.message}`);
    });
    gpu.lost.then(({ message, reason }) => {
      if (reason !== "destroyed") {
        this.#failure ??= new Error(`the WebGPU device is lost: ${message}`);
      }
    });
  }

  /** Bytes that a program can see of one buffer. */
  get largestBinding(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.limits;
    return Math.min(maxStorageBufferBindingSize, maxBufferSize);
  }

  /** Compiles a program, or gives the one compiled before. */
  pipeline(code: string): GPUComputePipeline {
    const known = this.#pipelines.get(code);
    if (known !== undefined) return known;
    const made = this.gpu.createComputePipeline({
      layout: "auto",
      compute: { module: this.gpu.createShaderModule({ code }), entryPoint: "main" },
    });
    this.#pipelines.set(code, made);
    return made;
  }

  /** A buffer of some bytes, at least 16, that programs read and write. */
  allocate(bytes: number, usage = 0): GPUBuffer {
    return this.gpu.createBuffer({
      size: Math.max(16, Math.ceil(bytes / 16) * 16),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC | usage,
    });
  }

  /** Writes values to the beginning of a buffer, or from byte `start` on. */
  write(buffer: GPUBuffer, values: Float32Array | Uint32Array | Uint16Array, start = 0): void {
    // Through a copy where need be: browsers do not take views of shared memory.
    const own = values.buffer instanceof ArrayBuffer ? values : values.slice();
    this.gpu.queue.writeBuffer(
      buffer,
      start,
      own.buffer as ArrayBuffer,
      own.byteOffset,
      own.byteLength,
    );
    this.counts.bytesSent += own.byteLength;
  }

  /** Submits commands. */
  submit(encoder: GPUCommandEncoder): void {
    this.gpu.queue.submit([encoder.finish()]);
    this.counts.submissions++;
  }

  /** Reads the first bytes of a buffer after all that was submitted. */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const target = this.gpu.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    try {
      const encoder = this.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, target, 0, bytes);
      this.submit(encoder);
      await target.mapAsync(GPUMapMode.READ);
      this.check();
      this.counts.bytesRead += bytes;
      return target.getMappedRange().slice(0);
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      target.destroy();
    }
  }

  /** Throws what went wrong on the card since it was opened, if anything did. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Frees everything on the card. */
  close(): void {
    this.gpu.destroy();
  }
}

/** What was done on a device. */
export interface DeviceCounts {
  /** Programs that were started. */
  dispatches: number;
  /** Command buffers that were submitted. */
  submissions: number;
  /** Bytes that were written to buffers. */
  bytesSent: number;
  /** Bytes that came back. */
  bytesRead: number;
}
