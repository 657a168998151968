type Streams = ReadonlyMap<string, Uint8Array>;

/** Streams that are read when they are asked for, but whose lengths are known. */
type StreamsElsewhere = Streams & { lengthOf(name: string): number | undefined };

/** Bytes of a stream, which is not read for that; undefined where there is none of this name. */
export function streamLength(streams: Streams, name: string): number | undefined {
  return "lengthOf" in streams
    ? (streams as StreamsElsewhere).lengthOf(name)
    : streams.get(name)?.length;
}

/** Bytes of all streams. */
export function bytesOfStreams(streams: Streams): number {
  let bytes = 0;
  for (const name of streams.keys()) bytes += streamLength(streams, name)!;
  return bytes;
}
