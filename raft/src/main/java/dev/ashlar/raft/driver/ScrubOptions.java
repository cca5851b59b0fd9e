package dev.ashlar.raft.driver;

/**
 * How fast a member re-reads what it has.
 *
 * @param bytesPerTick how many bytes in a tick, on average; 0 for not at all
 * @param pageBytes how many at a stretch, or one block
 * @param pauseTicks how long it rests when it has read everything
 */
public record ScrubOptions(long bytesPerTick, long pageBytes, int pauseTicks) {

  /** With a tick of 20 ms: 4 MB a second, and an hour's rest. */
  public static final ScrubOptions DEFAULT = new ScrubOptions(80_000, 1 << 20, 180_000);

  /** Checks the ranges. */
  public ScrubOptions {
    if (bytesPerTick < 0 || pageBytes < 1 || pauseTicks < 0) {
      throw new IllegalArgumentException("a limit of the scrub is out of range");
    }
  }

  /** The same at another speed. */
  public ScrubOptions at(long newBytesPerTick) {
    return new ScrubOptions(newBytesPerTick, pageBytes, pauseTicks);
  }

  /** The same with another rest. */
  public ScrubOptions resting(int newPauseTicks) {
    return new ScrubOptions(bytesPerTick, pageBytes, newPauseTicks);
  }
}
