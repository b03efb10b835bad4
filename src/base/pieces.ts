/** For large files on a disk that others wait for. */

const PIECE_BYTES = 256 * 1024;

/**
 * Writes a file's parts in pieces and syncs after so many bytes: whoever syncs another file meanwhile waits for a piece and not
 * for all. The last sync is left to the caller.
 */
export function writeInPieces(
  parts: readonly Uint8Array[],
  to: { write(piece: Uint8Array): void; sync(): void },
): void {
  let unsynced = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) {
      const piece = part.subarray(at, at + PIECE_BYTES);
      to.write(piece);
      unsynced += piece.length;
      if (unsynced >= PIECE_BYTES) {
        to.sync();
        unsynced = 0;
      }
    }
  }
}
