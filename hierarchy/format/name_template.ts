/** The name with its first number that stands between dots replaced by `#`, undefined if there is none. */
export function templateOf(name: string): string | undefined {
  if (name.includes("#")) return undefined;
  const template = name.replace(/(?<=^|\.)\d+(?=\.|$)/, "#");
  return template === name ? undefined : template;
}
