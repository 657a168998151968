import { InputError } from "../../data/input_error.ts";
import { isFileArray, type KeptBytes } from "../../data/file_array.ts";
import { packValue, unpackValue } from "../../store/packed_value.ts";
import type { Store } from "../../store/store.ts";
import type { RowColumnScales } from "../entropy/row_column_scales.ts";
import type { SymbolModel } from "../entropy/symbol_model.ts";
import { CODING_VERSION, type QuantizeTask, type TaskKind } from "./coding_tasks.ts";
import { getResult, hexHash, taskName, type TaskPacker } from "./packed_tasks.ts";
import { PassUsers } from "./pass_users.ts";
import type { SentTasks } from "./sent_tasks.ts";

/** What a pass over all matrices is given. */
export interface PassStart {
  /** Tasks that quantize the matrices. */
  readonly tasks: readonly QuantizeTask[];
  /** Where the fit of the entropy model begins, if not anew. */
  readonly model?: SymbolModel | undefined;
  /** Whether the indices are coded, too. */
  readonly isCoded: boolean;
  /** Names what else decides them, if anything does. */
  readonly codedBy?: string;
}

/** What decides which trials a search makes of given matrices, and which of them is the best. */
export interface SearchStart {
  /** Most bytes of the file, or the most that is measured of it. */
  readonly most: number;
  /** The file without what the trials code. */
  readonly empty: Uint8Array;
  /** Where each trial is measured, names what decides what comes of it. */
  readonly measuredBy?: string;
}

/** What a pass comes to: nothing that follows needs more of it. */
export interface PassResult {
  /** The symbol model of all matrices. */
  readonly model: SymbolModel;
  /** Scales of each matrix. */
  readonly scales: readonly RowColumnScales[];
  /** The code streams, in order; none of a pass whose indices are not coded. */
  readonly codes: readonly KeptCode[];
}

/** A code stream that is kept, or was. */
export interface KeptCode {
  /** Of the task that encoded it. */
  readonly key: string;
  /** Entries of large arrays that belong to it. */
  readonly blobs: readonly string[];
  /** Bytes that it has. */
  readonly length: number;
  /** SHA-256 of its bytes in hexadecimal. */
  readonly sha256: string;
}

/** A {@linkcode PassResult} as it is kept: with the names of entries that it stands for. */
interface KeptPass extends PassResult {
  readonly replaced: readonly string[];
}

/** A pass with the name that it is kept under. */
export interface FoundPass extends PassResult {
  /** Whether its codes were removed since its trial was not the best, so that nothing reads them. */
  readonly isLost: boolean;
}

/** A task by the names of entries. */
export interface NotedTask {
  readonly key: string;
  /** Large arrays of its result. */
  blobs: Iterable<string>;
  /** Large arrays that it is made of. */
  readonly madeOf: readonly string[];
}

/** How {@linkcode KeptPasses} tells what it finds, and where else entries are. */
interface KeptPassesOptions {
  /** Called for each pass that an earlier run has made, with the number of its matrices. */
  readonly onFound?: (matrices: number) => void;
  /** Where the tasks were sent to, if anywhere: perhaps the same store. */
  readonly sent?: SentTasks | undefined;
}

/**
 * Keeps what passes over the matrices come to, and removes what their tasks gave: so the store does not
 * grow with the passes of a search. Of the code streams of its trials, those of the best stay. What was
 * sent to other machines goes with the results of a pass. What another run in the same store may need
 * stays.
 */
export class KeptPasses {
  readonly #store: Store;
  readonly #users: PassUsers;
  /** Those of another store, which tasks are sent to. */
  readonly #usersBeyond: PassUsers | undefined;
  readonly #packer: TaskPacker;
  readonly #options: KeptPassesOptions;
  /** The tasks of the pass in hand, and the large arrays that they are made of. */
  #group = "";
  #madeOf = new Set<string>();
  /** Entries of quantizing and refining in the pass in hand, and of all tasks that were sent. */
  #entries = new Set<string>();
  /** Code streams of the pass in hand. */
  #codes: Pick<KeptCode, "key" | "blobs">[] = [];
  #search = "";
  /** Whether trials of the search in hand are measured. */
  #isMeasured = false;
  /** Code streams of the trial in hand, and of the best one before it. */
  #last: TrialCodes | undefined;
  #best: TrialCodes | undefined;

  /** Passes in a store; their tasks are packed by `packer`. */
  constructor(store: Store, packer: TaskPacker, options: KeptPassesOptions) {
    this.#store = store;
    this.#users = new PassUsers(store);
    const { sent } = options;
    this.#usersBeyond = sent && sent.store !== store ? new PassUsers(sent.store) : undefined;
    this.#packer = packer;
    this.#options = options;
  }

  /** To be called of each task of the pass in hand whose result is in the store; of codes, in order. */
  note(kind: TaskKind, { key, blobs, madeOf }: NotedTask): void {
    const names = this.#options.sent === undefined ? [] : [taskName(key), ...madeOf];
    if (kind === "encode") this.#codes.push({ key, blobs: [...blobs] });
    else names.push(`${kind}-${key}`, ...blobs);
    for (const name of names) this.#entries.add(name);
  }

  /**
   * To be called before a search that calls {@linkcode endTrial}. What it removes, the same search does
   * not miss when it goes on; any other has passes of its own.
   */
  async beginSearch({ most, empty, measuredBy }: SearchStart): Promise<void> {
    const by = measuredBy === undefined ? "" : `-${measuredBy}`;
    this.#search = `${most}-${await hexHash(empty)}${by}`;
    this.#isMeasured = measuredBy !== undefined;
    this.#last = this.#best = undefined;
  }

  /** Begins a pass, and gives its name: a hash of all that decides what it comes to. */
  async begin({ tasks, model, isCoded, codedBy }: PassStart): Promise<string> {
    this.#entries = new Set();
    this.#codes = [];
    this.#packer.forget();
    this.#madeOf = new Set();
    const keys: string[] = [];
    for (const task of tasks) {
      const { key, blobs } = await this.#packer.pack("quantize", task);
      keys.push(key);
      for (const blob of blobs.keys()) this.#madeOf.add(blob);
    }
    this.#packer.forget();
    await this.#options.sent?.need(this.#madeOf);
    this.#group = await hexHash(new TextEncoder().encode(keys.join()));
    const search = isCoded ? this.#search : undefined;
    const start = { keys, model, isCoded, search, codedBy, version: CODING_VERSION };
    return `pass-${await hexHash((await packValue(start, hexHash)).bytes)}`;
  }

  /** What the pass of this name came to, where that is kept. */
  async find(name: string): Promise<FoundPass | undefined> {
    const bytes = await this.#store.get(name);
    if (bytes === undefined) return undefined;
    const kept = await unpackValue(bytes, () => Promise.resolve(undefined));
    if (kept === undefined) return undefined;
    if (!isPass(kept)) throw new InputError(`${name}: is not what a pass gives; remove the store`);
    const { replaced, ...pass } = kept;
    // A run that was killed may have left them.
    for (const users of this.#everywhere()) {
      if (await users.need(this.#group, name) !== "results") continue;
      await this.#leaveResults(users, name, { results: replaced, codes: pass.codes });
    }
    const isLost = await this.#store.has(lostName(name));
    const measured = this.#isMeasured ? await this.#readMeasured(name) : undefined;
    if (isLost && this.#isMeasured && measured === undefined) {
      // It is not known any more, and nothing is there to be measured.
      await this.#store.remove(lostName(name));
      return undefined;
    }
    this.#last = { ...this.#trialOf(name, pass.codes), isLost, measured };
    this.#options.onFound?.(pass.scales.length);
    return { ...pass, isLost };
  }

  /** To be called before the tasks of a pass that is not kept are run. */
  async enter(name: string): Promise<void> {
    for (const users of this.#everywhere()) await users.enter(this.#group, name);
  }

  /**
   * Keeps what the pass of this name came to, with its code streams, and removes the results of its
   * tasks but these streams.
   */
  async keep(
    name: string,
    { model, scales }: Pick<PassResult, "model" | "scales">,
    streams: readonly KeptBytes[] = [],
  ): Promise<void> {
    const codes: KeptCode[] = [];
    for (const [i, bytes] of streams.entries()) {
      const sha256 = isFileArray(bytes) ? bytes.sha256 : await hexHash(bytes);
      codes.push({ ...this.#codes[i]!, length: bytes.length, sha256 });
    }
    // What the tasks of the pass are made of, the next pass has too, or nobody needs it.
    const replaced = [...this.#entries].filter((entry) => !this.#madeOf.has(entry));
    const kept: KeptPass = { model, scales, codes, replaced };
    // In one entry: scales of many rows are those of a result too, whose arrays are about to be removed.
    await this.#store.put(name, (await packValue(kept, hexHash, Infinity)).bytes);
    for (const users of this.#everywhere()) {
      await this.#leaveResults(users, name, { results: replaced, codes });
    }
    this.#last = { ...this.#trialOf(name, codes), isLost: false };
  }

  /** A code stream; undefined where it is not kept any more. */
  async code({ key }: KeptCode): Promise<Uint8Array | undefined> {
    return await getResult(this.#store, "encode", key);
  }

  /** Whether the codes of the trial in hand are not there, for a later one is better. */
  get isLost(): boolean {
    return this.#last?.isLost === true;
  }

  /** What was measured of the trial in hand, if an earlier run has. */
  get measured(): number | undefined {
    return this.#last?.measured;
  }

  /** Keeps what was measured of the trial in hand. */
  async keepMeasured(measured: number): Promise<void> {
    if (this.#last === undefined) return;
    await this.#store.put(
      measuredName(this.#last.name),
      new Uint8Array(Float64Array.of(measured).buffer),
    );
  }

  async #readMeasured(name: string): Promise<number | undefined> {
    const bytes = await this.#store.get(measuredName(name));
    return bytes?.length === 8 ? new Float64Array(bytes.slice().buffer)[0] : undefined;
  }

  /** To be called after each trial of a search: the codes of the best one so far stay. */
  async endTrial(isBest: boolean): Promise<void> {
    const [stay, go] = isBest ? [this.#last, this.#best] : [this.#best, this.#last];
    [this.#best, this.#last] = [stay, undefined];
    if (go === undefined) return;
    if (!go.isLost) await this.#store.put(lostName(go.name), new Uint8Array(0));
    else if (await this.#users.need(go.group, go.name) === undefined) return;
    const code = [...go.entries].filter((name) => !stay?.entries.has(name));
    await this.#users.leave(go.group, go.name, { code }, false);
  }

  /** Users here, and of the store that tasks are sent to. */
  #everywhere(): PassUsers[] {
    return this.#usersBeyond === undefined ? [this.#users] : [this.#usersBeyond, this.#users];
  }

  /** Code streams stay here, and nowhere else. */
  async #leaveResults(
    users: PassUsers,
    name: string,
    { results, codes }: {
      readonly results: readonly string[];
      readonly codes: readonly KeptCode[];
    },
  ): Promise<void> {
    const isHere = users === this.#users;
    const left = { results, ...(!isHere && { code: entriesOf(codes) }) };
    await users.leave(this.#group, name, left, isHere && codes.length > 0);
  }

  #trialOf(name: string, codes: readonly KeptCode[]): Omit<TrialCodes, "isLost"> {
    return { name, group: this.#group, entries: new Set(entriesOf(codes)) };
  }
}

/** Code streams of a trial. */
interface TrialCodes {
  /** The pass that they are of, and its tasks. */
  readonly name: string;
  readonly group: string;
  readonly entries: ReadonlySet<string>;
  readonly isLost: boolean;
  readonly measured?: number | undefined;
}

/** The entry that says that a pass' codes were removed. */
function lostName(name: string): string {
  return `${name}-lost`;
}

/** The entry with what was measured of a pass' trial. */
function measuredName(name: string): string {
  return `${name}-measured`;
}

function entriesOf(codes: readonly KeptCode[]): string[] {
  return codes.flatMap(({ key, blobs }) => [`encode-${key}`, ...blobs]);
}

function isPass(value: unknown): value is KeptPass {
  if (typeof value !== "object" || value === null) return false;
  const { model, scales, codes, replaced } = value as Partial<KeptPass>;
  return model?.coefficients instanceof Int32Array && Array.isArray(codes) &&
    Array.isArray(replaced) && Array.isArray(scales) &&
    scales.every(({ rows, columns }) =>
      rows instanceof Int32Array && columns instanceof Int32Array
    );
}
