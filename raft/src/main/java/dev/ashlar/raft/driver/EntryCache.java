package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.Entry;
import dev.ashlar.raft.core.EntryId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** The newest entries with their contents, bounded in bytes, so that sending needs no reading. */
final class EntryCache {

  private final long bytesMax;
  private final TreeMap<Long, Entry> entries = new TreeMap<>();
  private long bytes;

  EntryCache(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  void add(List<Entry> appended) {
    for (Entry entry : appended) {
      truncateFrom(entry.id().index());
      entries.put(entry.id().index(), entry);
      bytes += entry.bytes();
    }
    while (bytes > bytesMax && !entries.isEmpty()) {
      bytes -= entries.pollFirstEntry().getValue().bytes();
    }
  }

  void truncateFrom(long index) {
    while (!entries.isEmpty() && entries.lastKey() >= index) {
      bytes -= entries.pollLastEntry().getValue().bytes();
    }
  }

  void clear() {
    entries.clear();
    bytes = 0;
  }

  /** The entries (previous, last]; empty when they are not all here, or not those. */
  Optional<List<Entry>> range(EntryId previous, EntryId last) {
    Entry first = entries.get(previous.index() + 1);
    Entry end = entries.get(last.index());
    Entry before = entries.get(previous.index());
    // What lies before the first entry is known by its term only where it is here as well. The core
    // that named the range has not truncated since; contents follow its log.
    boolean matches =
        first != null
            && end != null
            && end.id().equals(last)
            && (before == null || before.id().equals(previous));
    if (!matches) {
      return Optional.empty();
    }
    return Optional.of(
        new ArrayList<>(entries.subMap(previous.index(), false, last.index(), true).values()));
  }
}
