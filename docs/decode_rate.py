"""Decodes a model that kanpress compressed with the preset rate, as format.md specifies it.

    python3 decode_rate.py model.kan.safetensors ...

prints a line of JSON for each file: for each tensor its shape and the SHA-256 of its values as
little-endian float32. Needs Python 3.9 and nothing else. Written to be read, so it is slow, and
checks of a file only what a sound one could have suffered on its way.
"""
import base64, hashlib, itertools, json, math, struct, sys
from array import array

ELEMENTS = dict(F64="d", F32="f", F16="e", BF16="H", F8_E4M3="B", F8_E5M2="B", I64="q", I32="i",
                I16="h", I8="b", U64="Q", U32="I", U16="H", U8="B", BOOL="B")
CHECKS = {4: (0o5, 0o2), 8: (0o13, 0o4), 16: (0o23, 0o4), 32: (0o45, 0o10), 64: (0o103, 0o24),
          128: (0o235, 0o126), 256: (0o515, 0o362), 1024: (0o2205, 0o1402),
          4096: (0o14745, 0o5662)}

def require(condition, what):
    if not condition:
        sys.exit(f"{path}: {what}")

def sixteenth_power(i):
    root, power = 2.0, 1.0
    for bit in (8, 4, 2, 1):
        root = math.sqrt(root)
        if i & bit:
            power *= root
    return power

POWERS = [sixteenth_power(i) for i in range(16)]

def exp2_16(u):
    return math.ldexp(POWERS[u % 16], u // 16)

def log2_16(v):
    m, result = math.ldexp(v, 1 - v.bit_length()), v.bit_length() - 1.0
    for i in range(1, 17):
        m = m * m
        if m >= 2:
            m, result = m / 2, result + 0.5 ** i
    return result

def clamp(x, low, high):
    return min(max(x, low), high)

def add_up(terms):
    total = 0.0  # sum() of newer Pythons rounds otherwise.
    for term in terms:
        total += term
    return total

class Stream:
    def __init__(self, data):
        require(len(data) % 2 == 0, "a stream has an odd number of bytes")
        self.words = struct.unpack(f"<{len(data) // 2}H", data)
        self.position, self.lane = 0, 0
        self.states = [(self.word() << 16) + self.word() for _ in range(4)]

    def word(self):
        self.position += 1
        return self.words[self.position - 1] if self.position <= len(self.words) else 0

    def take(self, frequency, start):
        state = self.states[self.lane]
        state = frequency * (state >> 12) + (state & 4095) - start
        self.states[self.lane] = state if state >= 65536 else (state << 16) + self.word()
        self.lane = (self.lane + 1) % 4

    def bits(self, n):
        value = 0
        while n > 0:
            count = min(n, 12)
            part = (self.states[self.lane] & 4095) >> (12 - count)
            self.take(1 << (12 - count), part << (12 - count))
            value, n = (value << count) + part, n - count
        return value

    def finish(self):
        require(self.position == len(self.words) and self.states == [65536] * 4,
                "a stream does not decode to its end")

class Table:
    def __init__(self, weights, raw):
        total = add_up([weights[0]] + [2 * weight for weight in weights[1:]])
        reach, escape = 60, 0.0
        while reach > 0 and weights[reach] / total * 4096 < 0.6:
            escape += 2 * weights[reach]
            reach -= 1
        of_symbols = [weights[abs(symbol - reach)] for symbol in range(2 * reach + 1)]
        self.frequencies = frequencies_of(of_symbols + [max(escape, total / 4096)])
        self.raw, self.reach, self.starts, self.symbols = raw, reach, [], []
        for symbol, frequency in enumerate(self.frequencies):
            self.starts.append(len(self.symbols))
            self.symbols += [symbol] * frequency

    def read(self, stream):
        symbol = self.symbols[stream.states[stream.lane] & 4095]
        stream.take(self.frequencies[symbol], self.starts[symbol])
        bucket = symbol - self.reach
        if bucket > self.reach:
            width = stream.bits(5)
            magnitude = self.reach + (1 << width) + stream.bits(width)
            require(width + self.raw <= 29 and magnitude < 1 << 30 - self.raw, "an index is too large")
            bucket = -magnitude if stream.bits(1) else magnitude
        return (bucket << self.raw) + stream.bits(self.raw) - (1 << self.raw >> 1)

def frequencies_of(weights):
    total = add_up(weights)
    shares = [max(0.0, weight / total * 4096 - 1) for weight in weights]
    used, left, frequencies, rests = add_up(shares), 4096 - len(weights), [], []
    factor = left / used if used > 0 else 0.0
    for share in shares:
        share *= factor
        whole = min(left, math.floor(share))
        frequencies.append(1 + whole)
        rests.append(share - whole)
        left -= whole
    order = sorted(range(len(weights)), key=lambda i: (-rests[i], i))
    for i in range(left):
        frequencies[order[i % len(order)]] += 1
    return frequencies

VECTOR_TABLES = [
    Table([exp2_16(max(-math.floor(16 * exp2_16(32 - 8 * number) * a), -1000)) for a in range(61)], 0)
    for number in range(16)]

def read_vector(stream, length):
    table, predictor = VECTOR_TABLES[stream.bits(4)], stream.bits(2)
    mean, values = 256 * (stream.bits(16) - 32768), []
    for _ in range(length):
        values.append(table.read(stream) + ((mean + 128) >> 8))
        require(abs(values[-1]) <= 1 << 20, "an integer is too large")
        if predictor > 0:
            mean += (256 * values[-1] - mean) >> (predictor + 1)
    return values

def read_steps(data, matrices):
    """For each matrix its base, and the integers of its rows and columns: none if all are equal."""
    stream, steps = Stream(data), []
    bases, flags = read_vector(stream, len(matrices)), read_vector(stream, len(matrices))
    for (rows, columns), base, flag in zip(matrices, bases, flags):
        of_rows = read_vector(stream, rows) if flag else [0] * rows
        of_columns = read_vector(stream, columns) if flag else [0] * columns
        steps.append((base, of_rows, of_columns))
    stream.finish()
    return steps

def read_gains(data, matrices, gain_step):
    """For each matrix what its rows and columns are multiplied by beside their steps."""
    stream, gains = Stream(data), []
    for (rows, columns), flag in zip(matrices, read_vector(stream, len(matrices))):
        gains.append([[1 + n * gain_step for n in read_vector(stream, length)] if flag else None
                      for length in (rows, columns)])
    stream.finish()
    return gains

def class_table(coefficients, quantizers, quantizer, number):
    scale = (number - 32) / 4
    raw = max(0, math.ceil(scale - (quantizers - 1) - 3))
    scores = []
    for a in range(61):
        terms = []
        if a > 0:
            double = a if quantizers == 1 else 2 * a - (1 if quantizer == 1 and raw == 0 else 0)
            position = (clamp(log2_16(double) + raw - scale, -4, 4) + 4) / 0.5
            n = min(math.floor(position), 15)
            t = position - n
            r = 1 - t
            features = (r * r * r / 6, (3 * t * t * t - 6 * t * t + 4) / 6,
                        (3 * r * r * r - 6 * r * r + 4) / 6, t * t * t / 6)
            terms += [coefficients[n + i] * feature for i, feature in enumerate(features)]
        if a < 3:
            position = clamp(scale, -6, 6) + 6
            n = min(math.floor(position), 11)
            at = 19 + 13 * (3 * quantizer + a) + n
            terms += [coefficients[at] * (1 - (position - n)), coefficients[at + 1] * (position - n)]
        scores.append(math.floor(add_up(terms) + 0.5))
    return Table([exp2_16(max(score - max(scores), -1000)) for score in scores], raw)

def next_state(states, z, parity):
    (h0, h1), memory, state = CHECKS[states], states.bit_length() - 1, 0
    for j in range(1, memory + 1):
        bit = (z >> j & 1 if j < memory else 0) ^ (h0 >> j & z & 1) ^ (h1 >> j & parity)
        state |= bit << (j - 1)
    return state

def pieces_of(rows, columns):
    """The places of a matrix in the order of their indices, in lists of one piece each."""
    piece = []
    for d in range(rows + columns - 1 if rows and columns else 0):
        piece += [(i, d - i) for i in range(max(0, d - columns + 1), min(rows - 1, d) + 1)]
        if len(piece) >= 1 << 19 or d == rows + columns - 2:
            yield piece
            piece = []

def decode_trellis(states, read, matrices, steps):
    """What the indices of each matrix stand for, in steps, row-major."""
    require(states == 1 or states in CHECKS, "the number of states is not known")
    quantizers = 1 if states == 1 else 2
    side = Stream(read("fields"))
    coefficients = read_vector(side, 19 + 39 * quantizers)
    tables = [[class_table(coefficients, quantizers, quantizer, c) for c in range(96)]
              for quantizer in range(quantizers)]
    following = [[next_state(states, z, parity) for parity in (0, 1)] if states > 1 else [0, 0]
                 for z in range(states)]
    log_scales = [[[value - step for value, step in zip(read_vector(side, len(field)), field)]
                   for field in fields] for _, *fields in steps]
    values = (value for fields in log_scales for field in fields for value in field)
    require(all(abs(value) <= 16383 for value in values), "a log-scale is out of range")
    side.finish()
    decoded, stream, segment, length = [], None, 0, 0
    for (rows, columns), (of_rows, of_columns) in zip(matrices, log_scales):
        decoded.append(array("f", bytes(4 * rows * columns)))
        for piece in pieces_of(rows, columns):
            if stream is None:
                stream, segment = Stream(read(f"codes.{segment}")), segment + 1
            state = 0
            for i, j in piece:
                number = 32 + (clamp(of_rows[i] + of_columns[j], -64, 126) >> 1)
                quantizer = state & 1
                k = tables[quantizer][number].read(stream)
                in_steps = k if quantizers == 1 else 2 * k - quantizer * ((k > 0) - (k < 0))
                decoded[-1][i * columns + j] = in_steps
                state = following[state][k & 1]
            length += len(piece)
            if length >= 1 << 18:
                stream.finish()
                stream, length = None, 0
    if stream is not None:
        stream.finish()
    return decoded

def decode_stages(stages, read, matrices):
    kinds = [[level["kind"] for level in stage] for stage in stages]
    require(kinds == [["field", "trellis"]], "its preset is not rate")
    (field, trellis), gains = stages[0], [(None, None)] * len(matrices)
    step, states = field["parameters"]["step"], trellis["parameters"]["states"]
    steps = read_steps(read("0.0.steps"), matrices)
    if "gains" in field["streams"]:
        gains = read_gains(read("0.0.gains"), matrices, field["parameters"]["gainStep"])
    decoded = decode_trellis(states, lambda name: read(f"0.1.{name}"), matrices, steps)
    for values, (base, of_rows, of_columns), (row_gains, column_gains) in zip(decoded, steps, gains):
        column_steps = [exp2_16(2 * code) * gain
                        for code, gain in zip(of_columns, column_gains or [1] * len(of_columns))]
        for i, code in enumerate(of_rows):
            row_step = step * exp2_16(2 * (base + code)) * (row_gains[i] if row_gains else 1)
            for j, column_step in enumerate(column_steps, i * len(column_steps)):
                values[j] *= row_step * column_step
    return decoded

def to_float32(dtype, data):
    if dtype == "BF16":  # The upper half of a float32.
        dtype, data = "F32", b"".join(b"\0\0" + data[i:i + 2] for i in range(0, len(data), 2))
    if dtype == "F8_E5M2":  # The upper half of a float16.
        dtype, data = "F16", b"".join(bytes((0, code)) for code in data)
    if dtype == "F8_E4M3":  # A float16 with a bias of 7 instead of 15, without infinities.
        halves = b"".join(struct.pack("<H", (code & 128) << 8 | (code & 127) << 7) for code in data)
        return array("f", (math.nan if code & 127 == 127 else 256 * half
                           for code, (half,) in zip(data, struct.iter_unpack("<e", halves))))
    return array("f", (value for value, in struct.iter_unpack("<" + ELEMENTS[dtype], data)))

def sha256(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()

def open_file(data):
    """The metadata, and a function that reads a stream."""
    size = struct.unpack("<Q", data[:8])[0]
    require(size <= min(len(data) - 8, 100_000_000), "the header is damaged")
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    require(metadata.get("format") == "kanpress", "it is not a compressed model")
    version = metadata.get("version")
    require(version in ("3", "4"), f"it has format version {version}, not 3 or 4")
    entries = sorted([key, value] for key, value in metadata.items() if key != "checksum")
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    require(sha256(text.encode()) == metadata["checksum"], "the header is damaged")

    def read(name):
        require(name in header, f"it lacks the stream {name}")
        stream = data[8 + size:][slice(*header[name]["data_offsets"])]
        require(sha256(stream) == json.loads(metadata["sha256"])[name], f"stream {name} is damaged")
        return stream
    return metadata, read

def decode(data):
    """Shape and values of each tensor, by name."""
    (metadata, read), tensors = open_file(data), []
    for count, rows in itertools.groupby(json.loads(metadata["tensors"]), lambda row: row.get("count")):
        for number, row in itertools.product(range(count or 1), list(rows)):
            name = row["name"].replace("#", str(number), 1) if count else row["name"]
            first, others = (row["shape"] or [1])[0], math.prod(row["shape"][1:])
            size = (others, first) if row.get("transposed") else (first, others)
            tensors.append((name, row, size))
    matrices = [size for _, row, size in tensors if "stored" not in row]
    decoded = iter(decode_stages(json.loads(metadata["stages"]), read, matrices))
    has_verbatim = any("stored" in row and 0 not in size for _, row, size in tensors)
    verbatim, position, weights = read("exact") if has_verbatim else b"", 0, {}
    for name, row, (rows, columns) in tensors:
        if "stored" in row:
            end = position + rows * columns * struct.calcsize("<" + ELEMENTS[row["stored"]])
            values, position = to_float32(row["stored"], verbatim[position:end]), end
        else:
            values = next(decoded)
        if row.get("transposed"):
            values = array("f", (value for j in range(columns) for value in values[j::columns]))
        weights[name] = row["shape"], values
    aliases = json.loads(metadata.get("aliases", "{}"))
    return {**weights, **{name: weights[target] for name, target in aliases.items()}}

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        weights = decode(file.read())
    print(json.dumps({name: {"shape": shape, "sha256": hashlib.sha256(
        struct.pack(f"<{len(values)}f", *values)).hexdigest()}
        for name, (shape, values) in weights.items()}))
