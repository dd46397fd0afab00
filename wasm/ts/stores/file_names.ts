/** How databases and segments are called on disk. */

const SEGMENT = /^([0-9a-f]{16})\.wal$/;

/** The directory of a database: its name with all but letters, digits, `_` and `-` as `%xx`. */
export function directoryOf(database: string): string {
  const encoded = [...new TextEncoder().encode(database)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
  });
  return `db-${encoded.join("")}`;
}

/** The inverse of `directoryOf`; undefined for a name that is none of ours. */
export function databaseOf(directory: string): string | undefined {
  if (!directory.startsWith("db-")) return undefined;
  try {
    const database = decodeURIComponent(directory.slice(3));
    return directoryOf(database) === directory ? database : undefined;
  } catch {
    return undefined;
  }
}

/** The file of a segment: sixteen hex digits, so that names sort as numbers do. */
export function segmentFile(segment: bigint): string {
  return `${segment.toString(16).padStart(16, "0")}.wal`;
}

/** The inverse of `segmentFile`; undefined for a name that is none of ours. */
export function segmentOf(file: string): bigint | undefined {
  const match = SEGMENT.exec(file);
  return match ? BigInt(`0x${match[1]}`) : undefined;
}
