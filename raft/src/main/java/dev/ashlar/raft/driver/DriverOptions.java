package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.CoreOptions;

/**
 * Limits of the driver. Times are in ticks.
 *
 * @param core those of the core
 * @param batchBytesMax how many bytes of entries share a transaction, or one write
 * @param cacheBytesMax how many bytes of entries are kept in memory for sending
 * @param applyEntriesMax how many entries are applied at a stretch
 * @param requestTicks after how long a write that is not answered is given up
 * @param pendingBytesMax how many bytes of writes may wait here, or one write
 * @param retainEntries about how many applied entries the log keeps for slow followers
 * @param retainBytes about how many bytes of them
 * @param compactTicks how often the log is compacted although it is small: a deleted block's bytes
 *     are gone after twice that
 * @param manifestRowsMax how many rows a page of a manifest has
 * @param fetchBytesMax how many bytes of blocks are asked for at once in an install, or one block
 * @param holdTicks after how long without a request a manifest is let go
 * @param holdBytesMax how many bytes the log may grow while a manifest is held
 * @param reserveBytes puts are refused unless a quorum has more than this free
 * @param scrub how fast it re-reads what it has
 */
public record DriverOptions(
    CoreOptions core,
    int batchBytesMax,
    long cacheBytesMax,
    int applyEntriesMax,
    int requestTicks,
    long pendingBytesMax,
    int retainEntries,
    long retainBytes,
    int compactTicks,
    int manifestRowsMax,
    int fetchBytesMax,
    int holdTicks,
    long holdBytesMax,
    long reserveBytes,
    ScrubOptions scrub) {

  /** For a tick of 20 ms. */
  public static final DriverOptions DEFAULT =
      new DriverOptions(
          CoreOptions.DEFAULT,
          2 << 20,
          64 << 20,
          1024,
          500,
          128 << 20,
          128 << 10,
          256 << 20,
          1500,
          1024,
          4 << 20,
          500,
          1L << 30,
          16 << 20,
          ScrubOptions.DEFAULT);

  /** Checks the ranges. */
  public DriverOptions {
    if (batchBytesMax < 1
        || cacheBytesMax < 0
        || applyEntriesMax < 1
        || requestTicks < 1
        || pendingBytesMax < 1
        || retainEntries < 0
        || retainBytes < 0
        || compactTicks < 1
        || manifestRowsMax < 1
        || fetchBytesMax < 1
        || holdTicks < 1
        || holdBytesMax < 0
        || reserveBytes < 0) {
      throw new IllegalArgumentException("a limit is out of range");
    }
  }

  /** The same with other options of the core. */
  public DriverOptions withCore(CoreOptions newCore) {
    return new DriverOptions(
        newCore,
        batchBytesMax,
        cacheBytesMax,
        applyEntriesMax,
        requestTicks,
        pendingBytesMax,
        retainEntries,
        retainBytes,
        compactTicks,
        manifestRowsMax,
        fetchBytesMax,
        holdTicks,
        holdBytesMax,
        reserveBytes,
        scrub);
  }

  /** The same with another reserve and time of compaction. */
  public DriverOptions withUpkeep(long newReserveBytes, int newCompactTicks) {
    return new DriverOptions(
        core,
        batchBytesMax,
        cacheBytesMax,
        applyEntriesMax,
        requestTicks,
        pendingBytesMax,
        retainEntries,
        retainBytes,
        newCompactTicks,
        manifestRowsMax,
        fetchBytesMax,
        holdTicks,
        holdBytesMax,
        newReserveBytes,
        scrub);
  }

  /** The same with another scrub. */
  public DriverOptions withScrub(ScrubOptions newScrub) {
    return new DriverOptions(
        core,
        batchBytesMax,
        cacheBytesMax,
        applyEntriesMax,
        requestTicks,
        pendingBytesMax,
        retainEntries,
        retainBytes,
        compactTicks,
        manifestRowsMax,
        fetchBytesMax,
        holdTicks,
        holdBytesMax,
        reserveBytes,
        newScrub);
  }

  /** The same with other bounds of what is held in memory. */
  public DriverOptions withMemory(long newCacheBytes, long newPendingBytes) {
    return new DriverOptions(
        core.withUncommitted(newPendingBytes),
        batchBytesMax,
        newCacheBytes,
        applyEntriesMax,
        requestTicks,
        newPendingBytes,
        retainEntries,
        retainBytes,
        compactTicks,
        manifestRowsMax,
        fetchBytesMax,
        holdTicks,
        holdBytesMax,
        reserveBytes,
        scrub);
  }

  /** The same with another bound of the log that is kept for slow followers. */
  public DriverOptions withRetention(int entries, long bytes) {
    return new DriverOptions(
        core,
        batchBytesMax,
        cacheBytesMax,
        applyEntriesMax,
        requestTicks,
        pendingBytesMax,
        entries,
        bytes,
        compactTicks,
        manifestRowsMax,
        fetchBytesMax,
        holdTicks,
        holdBytesMax,
        reserveBytes,
        scrub);
  }
}
