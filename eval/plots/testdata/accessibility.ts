import axe from "axe-core";
import type { Page } from "playwright-core";

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe-core finds wrong with a page by WCAG 2.2, levels A and AA, and by good practice. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // As an expression of the debugger, which the page's content security policy does not stop.
  await page.evaluate(`${axe.source}; undefined`);
  const violations = await page.evaluate<Violation[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  );
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html.slice(0, 200)}`);
}
