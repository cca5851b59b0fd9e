package dev.ashlar.store.lmdb;

import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.StoreLimits;

/**
 * How a directory is opened.
 *
 * @param limits block size, reserve and batch limits
 * @param engine limits of the engine
 * @param mapBytes the address space for the map, in bytes; 0 takes several times the size of the
 *     file system. It is not a file size, and nothing is reserved on disk
 * @param readersMax how many reads may be under way at once; more wait
 * @param acceptSuspect whether to open a directory that an I/O error has marked as suspect, in
 *     order to check it
 */
public record LmdbOptions(
    StoreLimits limits,
    EngineOptions engine,
    long mapBytes,
    int readersMax,
    boolean acceptSuspect) {

  /** What suits most. */
  public static final LmdbOptions DEFAULT =
      new LmdbOptions(StoreLimits.DEFAULT, EngineOptions.DEFAULT, 0, 256, false);

  /** Checks the ranges. */
  public LmdbOptions {
    if (mapBytes < 0 || readersMax < 1) {
      throw new IllegalArgumentException(
          "LMDB options out of range: map " + mapBytes + ", readers " + readersMax);
    }
  }

  /** The same with other limits. */
  public LmdbOptions withLimits(StoreLimits newLimits) {
    return new LmdbOptions(newLimits, engine, mapBytes, readersMax, acceptSuspect);
  }

  /** The same with other engine limits. */
  public LmdbOptions withEngine(EngineOptions newEngine) {
    return new LmdbOptions(limits, newEngine, mapBytes, readersMax, acceptSuspect);
  }

  /** The same with another map size. */
  public LmdbOptions withMapBytes(long bytes) {
    return new LmdbOptions(limits, engine, bytes, readersMax, acceptSuspect);
  }

  /** The same, opening a suspect directory too. */
  public LmdbOptions acceptingSuspect() {
    return new LmdbOptions(limits, engine, mapBytes, readersMax, true);
  }
}
