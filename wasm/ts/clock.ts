/** The wall clock in nanoseconds. */

/**
 * Milliseconds are all that every runtime has. Readings within one are told apart by counting,
 * so that points without a time of their own do not overwrite each other.
 */
export function wallClock(): () => bigint {
  let last = 0;
  let count = 0n;
  return () => {
    const now = Date.now();
    count = now === last && count < 999_999n ? count + 1n : 0n;
    last = now;
    return BigInt(now) * 1_000_000n + count;
  };
}
