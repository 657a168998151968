/**
 * A figure of a process's resident memory in bytes, its peak (`VmHWM`) or what it is now (`VmRSS`);
 * 0 if it has ended. Linux only: /proc.
 */
export function residentMemory(pid: number, figure: "VmHWM" | "VmRSS"): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return 1024 * Number(new RegExp(`${figure}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Lets the peak of this process's resident memory start anew, where the system can. */
export function resetPeakMemory(): void {
  try {
    Deno.writeTextFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Not Linux: the peak is that since the start.
  }
}
