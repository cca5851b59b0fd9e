package dev.ashlar.block.engine;

/**
 * A place in the log.
 *
 * @param index the log index, 0 before the first entry
 * @param term the term of the entry there, 0 at index 0
 */
public record LogPosition(long index, long term) {

  /** Before the first entry. */
  public static final LogPosition ZERO = new LogPosition(0, 0);

  /** Checks the ranges. */
  public LogPosition {
    if (index < 0 || term < 0) {
      throw new IllegalArgumentException("log position out of range: " + index + ", " + term);
    }
  }
}
