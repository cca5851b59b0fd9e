package dev.ashlar.raft.driver;

/**
 * How fast a member re-reads what it has.
 *
 * @param bytesPerTick how many bytes in a tick, on average; 0 for not at all
 * @param pageBytes how many at a stretch, or one block
 * @param pauseTicks how long it rests when it has read everything
 * @param noteTicks how often it writes down how far it has come
 */
public record ScrubOptions(long bytesPerTick, long pageBytes, int pauseTicks, int noteTicks) {

  /** With a tick of 20 ms: 4 MB a second, an hour's rest, and a note every half a minute. */
  public static final ScrubOptions DEFAULT = new ScrubOptions(80_000, 1 << 20, 180_000, 1_500);

  /** Checks the ranges. */
  public ScrubOptions {
    if (bytesPerTick < 0 || pageBytes < 1 || pauseTicks < 0 || noteTicks < 1) {
      throw new IllegalArgumentException("a limit of the scrub is out of range");
    }
  }

  /** The same at another speed. */
  public ScrubOptions at(long newBytesPerTick) {
    return new ScrubOptions(newBytesPerTick, pageBytes, pauseTicks, noteTicks);
  }

  /** The same with another rest. */
  public ScrubOptions resting(int newPauseTicks) {
    return new ScrubOptions(bytesPerTick, pageBytes, newPauseTicks, noteTicks);
  }
}
