import process from "node:process";

/**
 * Loads BullMQ, without the native part of its message packer: Deno would ask for a permission to load
 * that library, in the middle of the progress line, and what it packs here is tiny.
 */
export async function loadBullmq(): Promise<typeof import("bullmq")> {
  process.env["MSGPACKR_NATIVE_ACCELERATION_DISABLED"] = "true";
  return await import("bullmq");
}
