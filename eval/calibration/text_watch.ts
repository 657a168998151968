import type { TransformerDescription } from "../architectures/description.ts";
import type { SharedMoments } from "./calibrate_chunks.ts";
import { finiteTextLoss } from "./finite_text_loss.ts";
import { checkLoss } from "./loss_range.ts";
import type { MomentTriangle } from "./second_moment.ts";
import { tokensPerDraw } from "./tokens_per_draw.ts";

/** Tokens of the smallest step from one look to the next, unless one chunk is longer. */
const STEP_TOKENS = 1024;
/** Steps from one look to the next at most double after so many. */
const LOOKS_PER_OCTAVE = 4;

/** The sums that are looked at, after some tokens. */
export interface WatchedSums {
  readonly tokens: number;
  /** Of the head's inputs; and, with a backward pass, of the embedding's gradients. */
  readonly triangles: readonly MomentTriangle[];
}

/**
 * Watches a run over a text, and finds when more of it would lower the divergence by little. It looks
 * at two moments alone, since what a token tells of those is much the same in all layers: how far they
 * differ between the first half of what was read and the second tells how many draws each is worth.
 * Where it looks depends on nothing but the length of a chunk.
 */
export class TextWatch {
  readonly #model: TransformerDescription;
  readonly #moments: SharedMoments;
  readonly #largestLoss: number;
  readonly #step: number;
  /** What the sums were at earlier looks: those that may be a first half. */
  #marks: WatchedSums[] = [];
  #found: { readonly tokens: number; readonly loss: number } | undefined;

  /**
   * A watch that ends runs at a loss of at most `largestLoss`; throws {@linkcode InputError} as
   * {@linkcode checkLoss} does.
   */
  constructor(
    model: TransformerDescription,
    moments: SharedMoments,
    contextLength: number,
    largestLoss: number,
  ) {
    checkLoss(largestLoss);
    this.#model = model;
    this.#moments = moments;
    this.#largestLoss = largestLoss;
    this.#step = contextLength * Math.max(1, Math.floor(STEP_TOKENS / contextLength));
  }

  /** The share of the divergence that was last found to be due to how short the text is. */
  get loss(): number | undefined {
    return this.#found?.loss;
  }

  /** Tokens that were read when more would lower the divergence by less than was asked for. */
  get enough(): number | undefined {
    if (this.#found === undefined || this.#found.loss > this.#largestLoss) return undefined;
    return this.#found.tokens;
  }

  /** Whether that is so. */
  get isEnough(): boolean {
    return this.enough !== undefined;
  }

  /** Tokens after which it is looked next, when `tokens` were read. */
  next(tokens: number): number {
    const steps = Math.floor(tokens / this.#step);
    const stride = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, steps) / LOOKS_PER_OCTAVE)));
    return (Math.floor(steps / stride) + 1) * stride * this.#step;
  }

  /** Tokens that will be read in all, as far as is known, of a text of `available`. */
  expected(available: number): number {
    if (this.#found === undefined) return available;
    const { tokens, loss } = this.#found;
    return Math.min(available, Math.max(tokens, tokens * loss / this.#largestLoss));
  }

  /**
   * Looks at the sums where it is time to, and at the text's end. `read` gets them if they are not in
   * the moments.
   */
  async look(
    tokens: number,
    available: number,
    read: () => Promise<readonly MomentTriangle[]> = () =>
      Promise.resolve(watchedSums(this.#moments)),
  ): Promise<void> {
    const last = this.#marks.at(-1)?.tokens ?? 0;
    if (tokens <= last || tokens < available && tokens < this.next(last)) return;
    const triangles = await read();
    const half = this.#half(tokens);
    if (half !== undefined && this.#isLong(tokens, available)) {
      this.#found = { tokens, loss: this.#lossOf(half, { tokens, triangles }) };
    }
    this.#marks.push({ tokens, triangles: triangles.map((triangle) => triangle.slice()) });
    const first = this.#marks.findLastIndex((mark) => 2 * mark.tokens <= tokens);
    this.#marks = this.#marks.slice(Math.max(0, first));
  }

  /** What was found so far, for a run to go on from. */
  get marks(): readonly WatchedSums[] {
    return this.#marks;
  }

  /** Takes up what an earlier run over `available` tokens kept, with the sums in the moments. */
  async restore(marks: readonly WatchedSums[], tokens: number, available: number): Promise<void> {
    this.#marks = marks.filter((mark) => mark.tokens < tokens);
    // What was found then is found again.
    if (marks.some((mark) => mark.tokens === tokens)) await this.look(tokens, available);
  }

  /** Before that, too few draws are in a half to tell. */
  #isLong(tokens: number, available: number): boolean {
    return tokens >= LOOKS_PER_OCTAVE * this.#step || tokens === available;
  }

  /** The earlier look that is nearest to half the tokens. */
  #half(tokens: number): WatchedSums | undefined {
    const distance = (mark: WatchedSums) => Math.abs(2 * mark.tokens - tokens);
    return this.#marks.toSorted((a, b) => distance(a) - distance(b))[0];
  }

  #lossOf(half: WatchedSums, whole: WatchedSums): number {
    const { groups, blocks } = this.#moments;
    const [inputs, gradients] = [groups.at(-1), blocks.at(-1)].map((watched, at) => {
      if (watched === undefined) return undefined;
      const first = half.triangles[at]!, all = whole.triangles[at]!;
      const rest = all.map((value, i) => value - first[i]!) as MomentTriangle;
      return tokensPerDraw(
        { triangle: first, tokens: half.tokens },
        { triangle: rest, tokens: whole.tokens - half.tokens },
        watched.size,
      );
    });
    const draws = { inputs: inputs!, ...(gradients !== undefined && { gradients }) };
    return finiteTextLoss(this.#model, draws, whole.tokens);
  }
}

/** The sums that are watched: of the head's inputs and of the embedding's gradients. */
export function watchedSums({ triangles, blockTriangles }: SharedMoments): MomentTriangle[] {
  return [triangles.at(-1)!, ...blockTriangles.slice(-1)];
}
