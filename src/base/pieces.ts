/** For large files on a disk that others wait for. */

const PIECE_BYTES = 256 * 1024;

/**
 * Writes bytes in pieces and syncs after each whole one: whoever syncs another file meanwhile waits for a piece and not for all.
 * The last sync is left to the caller.
 */
export function writeInPieces(bytes: Uint8Array, to: { write(piece: Uint8Array): void; sync(): void }): void {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    to.write(piece);
    if (piece.length === PIECE_BYTES) {
      to.sync();
    }
  }
}
