/** Whether this process has one of Deno's permissions; on other platforms, nothing is forbidden. */
export function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return typeof Deno === "undefined" || Deno.permissions.querySync(descriptor).state === "granted";
}
