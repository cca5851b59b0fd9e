package dev.ashlar.raft.core;

/**
 * A place in the log and the term of the entry there. Two logs that share one agree on everything
 * before it (Raft §5.3, Log Matching).
 *
 * @param index the log index, 0 before the first entry
 * @param term the term, 0 at index 0
 */
public record EntryId(long index, long term) {

  /** Before the first entry. */
  public static final EntryId ZERO = new EntryId(0, 0);

  /** Checks the ranges. */
  public EntryId {
    if (index < 0 || term < 0) {
      throw new IllegalArgumentException("entry id out of range: " + index + ", " + term);
    }
  }

  /**
   * Whether a log that ends here is at least as up-to-date as one that ends there: the later last
   * term wins, with equal terms the longer log (Raft §5.4.1).
   */
  public boolean isAtLeastAsUpToDateAs(EntryId other) {
    return term != other.term ? term > other.term : index >= other.index;
  }

  @Override
  public String toString() {
    return index + "@" + term;
  }
}
