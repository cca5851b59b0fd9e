package dev.ashlar.raft.core;

/**
 * An entry of the log.
 *
 * @param id its index and term
 * @param bytes its size, as flow control counts it
 * @param payload what it carries
 */
public record Entry(EntryId id, int bytes, Payload payload) {

  /** What every entry is counted for beside its content, in bytes. */
  public static final int OVERHEAD_BYTES = 64;

  /** Checks the size. */
  public Entry {
    if (bytes < 0) {
      throw new IllegalArgumentException("an entry of " + bytes + " bytes");
    }
  }
}
