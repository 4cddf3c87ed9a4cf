/**
 * The bytes every question sends. The period is prime, so that a lost, doubled or swapped piece of any length, a whole
 * 64 KiB block included, shows as wrong bytes and not only as a wrong count.
 */
const PERIOD = 65_521;
const LONGEST_PIECE = 1024 * 1024;

const pattern = madePattern();

function madePattern(): Buffer {
  const bytes = Buffer.alloc(PERIOD + LONGEST_PIECE);
  // xorshift32: the same in both processes.
  let state = 0x9e3779b9;
  for (let index = 0; index < PERIOD; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  for (let index = PERIOD; index < bytes.length; index += 1) bytes[index] = bytes[index - PERIOD] ?? 0;
  return bytes;
}

/** The stretch of the stream that starts at `offset`; at most 1 MiB. A view: it must not be written to. */
export function pieceAt(offset: number, length: number): Buffer {
  if (length > LONGEST_PIECE) throw new Error(`a piece is at most ${LONGEST_PIECE} bytes, not ${length}`);
  const start = offset % PERIOD;
  return pattern.subarray(start, start + length);
}

/** The first `total` bytes of the stream, cut into pieces beforehand so that the timed loop does not cut them. */
export function piecesOf(total: number, length: number): readonly Buffer[] {
  return Array.from({ length: total / length }, (_, index) => pieceAt(index * length, length));
}

/** Checks a received stretch byte by byte. */
export function isWhole(chunk: Buffer, offset: number): boolean {
  for (let at = 0; at < chunk.length; at += LONGEST_PIECE) {
    const part = chunk.subarray(at, at + LONGEST_PIECE);
    if (!part.equals(pieceAt(offset + at, part.length))) return false;
  }
  return true;
}

/** Checks both ends of a received stretch: cheap enough for a timed loop, and it still sees any shift. */
export function hasRightEdges(chunk: Buffer, offset: number): boolean {
  const last = chunk.length - 1;
  return chunk[0] === pattern[offset % PERIOD] && chunk[last] === pattern[(offset + last) % PERIOD];
}

/**
 * Counts and checks what arrives for one slice of work after another. The first `verified` slices are compared byte
 * by byte, later ones by count and by the edges of each chunk.
 */
export class Receipt {
  readonly #sliceBytes: number;
  #verified: number;
  #offset = 0;

  constructor(sliceBytes: number, verified: number) {
    this.#sliceBytes = sliceBytes;
    this.#verified = verified;
  }

  /** @returns true when this chunk completes a slice. Throws when it is not what was sent. */
  add(chunk: Buffer): boolean {
    const right = this.#verified > 0 ? isWhole(chunk, this.#offset) : hasRightEdges(chunk, this.#offset);
    if (!right) throw new Error(`the ${chunk.length} bytes received at ${this.#offset} are not those sent`);
    this.#offset += chunk.length;
    if (this.#offset < this.#sliceBytes) return false;
    if (this.#offset > this.#sliceBytes)
      throw new Error(`received ${this.#offset} bytes of ${this.#sliceBytes}`);
    this.#offset = 0;
    this.#verified -= 1;
    return true;
  }
}
