/** A user name and password before a host. */
const credentials = /\b([a-z][a-z\d+.-]*:\/\/)[^\s/?#]*@/gi;

/** A text in which addresses stand without the user names and passwords that they may have. */
export function hideCredentials(text: string): string {
  return text.replaceAll(credentials, "$1");
}

/**
 * An address as messages and reports may show it: without user name and password, and without the
 * values of its query, which may be keys and signatures.
 */
export function shownUrl(url: string): string {
  return hideCredentials(url).replace(/[?#].*$/s, (rest) => rest.startsWith("?") ? "?…" : "");
}
