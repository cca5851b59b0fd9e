package dev.ashlar.block.engine;

import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/**
 * Slots that no row refers to any more and that only their log entry keeps, by the index of that
 * entry, so that compaction need not look every entry's row up. It is complete for entries that
 * were appended since the engine was opened; what was dead before is found by looking.
 */
final class DeadSlots {

  /**
   * A slot that dies with its entry.
   *
   * @param origin the entry that brought its bytes
   * @param slot the slot
   * @param length how many bytes
   */
  record Dead(long origin, long slot, int length) {}

  private final long completeAbove;
  private final TreeSet<Dead> dead =
      new TreeSet<>(Comparator.comparingLong(Dead::origin).thenComparingLong(Dead::slot));

  /**
   * @param completeAbove the last entry that was there at open
   */
  DeadSlots(long completeAbove) {
    this.completeAbove = completeAbove;
  }

  /** Whether an entry's slot is alive unless it is noted here. */
  boolean knows(long origin) {
    return origin > completeAbove;
  }

  void add(Dead slot) {
    dead.add(slot);
  }

  /** The dead slots of the entries up to an index. */
  List<Dead> upTo(long index) {
    return List.copyOf(dead.headSet(firstAfter(index)));
  }

  /** Forgets the slots of entries that are gone. */
  void compactedTo(long index) {
    dead.headSet(firstAfter(index)).clear();
  }

  private static Dead firstAfter(long index) {
    return new Dead(index + 1, 0, 0);
  }
}
