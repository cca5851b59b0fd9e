package dev.ashlar.raft.core;

import java.util.Map;
import java.util.TreeMap;

/**
 * What the core knows of its log: terms, sizes and configurations, no contents. Terms are kept as
 * runs and sizes as running sums, so that an entry costs eight bytes here.
 */
final class CoreLog {

  private static final int CAPACITY_MIN = 1024;

  private EntryId base;
  private long lastIndex;

  /** First index of a run to the term of the run. The run of the base may begin below it. */
  private final TreeMap<Long, Long> runs = new TreeMap<>();

  /** Configurations by the index of their entry: the one in force at the base, and later ones. */
  private final TreeMap<Long, Membership> memberships = new TreeMap<>();

  /** Bytes of all entries up to an index since the log was made, at the index modulo the length. */
  private long[] sums = new long[CAPACITY_MIN];

  CoreLog(EntryId base, Membership atBase) {
    this.base = base;
    this.lastIndex = base.index();
    memberships.put(base.index(), atBase);
  }

  /** The entry before the first one that the log still has. */
  EntryId base() {
    return base;
  }

  EntryId last() {
    return id(lastIndex);
  }

  long lastIndex() {
    return lastIndex;
  }

  /** Whether the term at an index is known: it is the base, or an entry. */
  boolean has(long index) {
    return index >= base.index() && index <= lastIndex;
  }

  /** The id at an index that the log {@link #has}. */
  EntryId id(long index) {
    if (!has(index)) {
      // Never a term of 0 for what is compacted: it would match "missing".
      throw new IllegalStateException(
          "index " + index + " is outside " + base.index() + ".." + lastIndex);
    }
    return index == base.index() ? base : new EntryId(index, runs.floorEntry(index).getValue());
  }

  boolean contains(EntryId id) {
    return has(id.index()) && id(id.index()).equals(id);
  }

  /** The configuration in force: of the last entry that has one, committed or not. */
  Membership membership() {
    return memberships.lastEntry().getValue();
  }

  /** The configuration that the one in force replaced, or the same where that is not known. */
  Membership membershipBefore() {
    Map.Entry<Long, Membership> before = memberships.lowerEntry(memberships.lastKey());
    return before == null ? membership() : before.getValue();
  }

  /** The index of the entry that brought the configuration in force, at most the base's. */
  long membershipIndex() {
    return memberships.lastKey();
  }

  void append(Entry entry) {
    EntryId id = entry.id();
    if (id.index() != lastIndex + 1 || id.term() < last().term()) {
      throw new IllegalStateException(id + " does not follow " + last());
    }
    if (lastIndex == base.index() || last().term() != id.term()) {
      runs.put(id.index(), id.term());
    }
    if (lastIndex + 1 - base.index() >= sums.length) {
      grow();
    }
    sums[slot(id.index())] = sums[slot(lastIndex)] + entry.bytes() + Entry.OVERHEAD_BYTES;
    lastIndex = id.index();
    if (entry.payload() instanceof Payload.Configuration configuration) {
      memberships.put(id.index(), configuration.membership());
    }
  }

  /** Drops the entries from an index on, and the configurations that came with them. */
  void truncateFrom(long index) {
    if (index <= base.index()) {
      throw new IllegalStateException("entry " + index + " is compacted and stays");
    }
    runs.tailMap(index, true).clear();
    memberships.tailMap(index, true).clear();
    lastIndex = Math.min(lastIndex, index - 1);
  }

  /** Forgets the entries up to an index. */
  void compactTo(long index) {
    if (index <= base.index()) {
      return;
    }
    EntryId newBase = id(index);
    Map.Entry<Long, Long> run = runs.floorEntry(index);
    runs.headMap(run.getKey(), false).clear();
    memberships.headMap(memberships.floorKey(index), false).clear();
    base = newBase;
  }

  /** Begins anew after an entry that stands for everything before it. */
  void install(EntryId at, Membership membership) {
    runs.clear();
    memberships.clear();
    memberships.put(at.index(), membership);
    base = at;
    lastIndex = at.index();
    sums = new long[CAPACITY_MIN];
  }

  /**
   * The last entry at or before an index whose term is at most the given one; not before the base.
   * Skips whole terms at a time (Raft §5.3, "the protocol can be optimized").
   */
  EntryId lastWithTermAtMost(long index, long term) {
    long at = Math.min(index, lastIndex);
    while (at > base.index() && id(at).term() > term) {
      at = Math.max(base.index(), runs.floorKey(at) - 1);
    }
    return id(Math.max(at, base.index()));
  }

  /** Bytes of the entries in (from, to], their overhead among them. */
  long bytes(long from, long to) {
    return sums[slot(to)] - sums[slot(from)];
  }

  /** The running sum at the end of the log. */
  long endSum() {
    return sums[slot(lastIndex)];
  }

  /** The last index after which there are at least so many bytes of entries, at least the base. */
  long indexKeeping(long bytes) {
    long low = base.index();
    long high = lastIndex;
    while (low < high) {
      long middle = (low + high + 1) >>> 1;
      if (bytes(middle, lastIndex) >= bytes) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** The last entry of a message that begins after one: as many as fit, or one. */
  EntryId cut(long previous, long bytesMax, int entriesMax) {
    long low = Math.min(previous + 1, lastIndex);
    long high = Math.min(lastIndex, previous + entriesMax);
    while (low < high) {
      long middle = (low + high + 1) >>> 1;
      if (bytes(previous, middle) <= bytesMax) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return id(low);
  }

  private int slot(long index) {
    return (int) (index & (sums.length - 1));
  }

  private void grow() {
    long[] wider = new long[2 * sums.length];
    for (long i = base.index(); i <= lastIndex; i++) {
      wider[(int) (i & (wider.length - 1))] = sums[slot(i)];
    }
    sums = wider;
  }
}
