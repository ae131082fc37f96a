/**
 * Applying differences in the Fossil form: `<length of the result>\n`, then pieces, then `<checksum>;`.
 *
 * A piece is `<count>@<offset>,` to copy from what was before, or `<count>:<bytes>` to insert. Numbers are in base 64.
 */

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
const VALUES = new Map(Array.from(DIGITS, (digit, value) => [digit.charCodeAt(0), value]));
const [NEW_LINE, AT, COMMA, COLON, SEMICOLON] = [10, 64, 44, 58, 59] as const;

/** Throws if the difference is not one, or not one to `source`. */
export function applyDelta(source: Uint8Array, delta: Uint8Array): Uint8Array {
  let place = 0;
  const number = (): number => {
    let value = 0;
    for (
      let digit = VALUES.get(delta[place] ?? 0);
      digit !== undefined;
      digit = VALUES.get(delta[place] ?? 0)
    ) {
      value = value * 64 + digit;
      place += 1;
    }
    return value;
  };
  const expect = (mark: number): void => {
    if (delta[place] !== mark) throw new Error("a difference is damaged");
    place += 1;
  };
  const result = new Uint8Array(number());
  expect(NEW_LINE);
  let length = 0;
  for (;;) {
    const count = number();
    const mark = delta[place];
    place += 1;
    if (mark === SEMICOLON) {
      if (length === result.length && count === checksum(result)) return result;
      break;
    }
    let piece: Uint8Array;
    if (mark === AT) {
      const offset = number();
      expect(COMMA);
      piece = source.subarray(offset, offset + count);
    } else if (mark === COLON) {
      piece = delta.subarray(place, place + count);
      place += count;
    } else break;
    if (piece.length !== count || length + count > result.length) break;
    result.set(piece, length);
    length += count;
  }
  throw new Error("a difference does not fit");
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) sum = (sum + (byte << (24 - 8 * (index % 4)))) >>> 0;
  return sum;
}
