/** Whether a Python, by its name or path, is there and has what executing notebooks needs. */
export async function hasNbclient(python: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(python, {
      args: ["-c", "import nbclient, nbformat"],
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
