/** Bytes of a file's beginning that {@linkcode foreignKind} needs. */
export const kindBytes = 64;

const lfsPointer = "version https://git-lfs.github.com/spec/";

/** How files begin that are often found in the place of a model's, what they are and what to do. */
const kinds: readonly [readonly string[], string][] = [
  [[lfsPointer], "is a Git LFS pointer in place of the file; fetch it with git lfs pull"],
  [
    ["GGUF"],
    "is a GGUF file of llama.cpp under another name; name it with an ending of .gguf",
  ],
  [
    // A ZIP archive, and pickles of the protocols 2 to 5.
    ["PK\x03\x04", "\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05"],
    "is a PyTorch file or another archive; convert it to safetensors, for example with " +
    "save_pretrained of transformers",
  ],
  [
    ["\x89HDF"],
    "is an HDF5 file, as Keras and TensorFlow write; convert it to safetensors with transformers",
  ],
  [["<!doctype", "<html", "<?xml"], "is a web page in place of the file; get it again"],
  [["\x1f\x8b"], "is compressed by gzip; unpack it first"],
];

/**
 * What a file is by its first bytes, and what to do, where it is something that is often found in
 * the place of a model's files; undefined for all else.
 */
export function foreignKind(start: Uint8Array): string | undefined {
  if (isSafetensors(start)) return undefined;
  const letters = lettersOf(start);
  const lower = letters.trimStart().toLowerCase();
  return kinds.find(([beginnings]) =>
    beginnings.some((beginning) => (beginning[0] === "<" ? lower : letters).startsWith(beginning))
  )?.[1];
}

/**
 * Whether a file begins as safetensors do: by a length, whose bytes can be those of anything (640 those
 * of a pickle), and a JSON object.
 */
function isSafetensors(start: Uint8Array): boolean {
  return start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0);
}

/** Whether a file begins as a Git LFS pointer does. */
export function isLfsPointer(start: Uint8Array): boolean {
  return lettersOf(start).startsWith(lfsPointer);
}

/** A letter for each byte, whatever the encoding. */
function lettersOf(start: Uint8Array): string {
  return String.fromCharCode(...start.subarray(0, kindBytes));
}
