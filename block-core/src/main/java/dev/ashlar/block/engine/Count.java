package dev.ashlar.block.engine;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Counts what one snapshot of a store holds, and finds what nothing in it refers to.
 *
 * <p>A slot is needed by the row that names it or by the log entry that brought it. Effects that
 * are still in tables name no others: they come from entries above the watermark, which are in the
 * log.
 */
final class Count {

  /** No more slots than this are given back at once; the next count finds the others. */
  private static final int LOST_MAX = 10_000;

  private final ReadTransaction transaction;
  private final EngineState state;
  private final MapName index;
  private long rows;
  private long bytes;
  private long unreadableRows;
  private long slots;
  private long slotBytes;
  private final List<Long> lost = new ArrayList<>();
  private boolean knowsHeap;

  Count(ReadTransaction transaction) {
    this.transaction = transaction;
    this.state = Recovery.state(transaction);
    this.index = MapName.blocks(state.generation);
  }

  /**
   * @param looksIntoHeap whether to read the header of every slot too, to find what is lost; it is
   *     done anyway where there are more slots or fewer than are counted
   */
  Miscount run(boolean looksIntoHeap) {
    readIndex();
    countSlots();
    // What an install has fetched no row in use names, and a sweep gives back what it finds. A row
    // that cannot be read may be about any slot.
    boolean decides =
        (looksIntoHeap || slots != state.heapSlots)
            && unreadableRows == 0
            && transaction.get(MapName.META, Keys.INSTALL).isEmpty()
            && transaction.get(MapName.META, Keys.SWEEP).isEmpty();
    if (decides) {
      readHeap();
    }
    long more = rows - state.foldedBlocks;
    return new Miscount(
        state.generation,
        unreadableRows == 0 ? more : Math.min(more, 0),
        unreadableRows == 0 ? bytes - state.foldedBytes : 0,
        knowsHeap ? slots - lost.size() - state.heapSlots : 0,
        knowsHeap ? slotBytes - state.heapBytes : 0,
        knowsHeap ? lost : List.of());
  }

  private void readIndex() {
    try (MapCursor cursor = transaction.cursor(index)) {
      for (boolean more = cursor.seek(new byte[] {0}); more; more = cursor.next()) {
        rows++;
        IndexRow.decode(cursor.key(), cursor.value())
            .ifPresentOrElse(row -> bytes += row.length(), () -> unreadableRows++);
      }
    }
  }

  private void countSlots() {
    try (MapCursor cursor = transaction.cursor(MapName.HEAP)) {
      for (boolean more = cursor.seek(Keys.number(0)); more; more = cursor.next()) {
        slots++;
      }
    }
  }

  private void readHeap() {
    Set<Long> unreadable = new HashSet<>();
    try (MapCursor cursor = transaction.cursor(MapName.HEAP)) {
      for (boolean more = cursor.seek(Keys.number(0)); more; more = cursor.next()) {
        byte[] key = cursor.key();
        HeapRecord.read(key, cursor.value())
            .ifPresentOrElse(
                found -> look(found, Keys.number(key)), () -> unreadable.add(Keys.number(key)));
      }
    }
    int all = unreadable.size();
    if (all > 0) {
      keepUnclaimed(unreadable);
    }
    lost.addAll(unreadable);
    // Of a slot that stays and cannot be read nobody knows how many bytes were counted for it.
    knowsHeap = unreadable.size() == all;
  }

  private void look(HeapRecord found, long slot) {
    if (found.origin() <= state.base.index() && !isNamed(found, slot) && lost.size() < LOST_MAX) {
      lost.add(slot);
    } else {
      slotBytes += found.bytes().remaining();
    }
  }

  private boolean isNamed(HeapRecord found, long slot) {
    Applier.Prior row = Applier.Rows.folded(transaction, index, found.multihash());
    return row instanceof Applier.Prior.Damaged
        || (row instanceof Applier.Prior.Live live && live.row().slot() == slot);
  }

  /** Takes away those that a row names or the log has brought. */
  private void keepUnclaimed(Set<Long> unreadable) {
    try (MapCursor cursor = transaction.cursor(index)) {
      for (boolean more = cursor.seek(new byte[] {0}); more; more = cursor.next()) {
        IndexRow.decode(cursor.key(), cursor.value())
            .ifPresent(row -> unreadable.remove(row.slot()));
      }
    }
    try (MapCursor cursor = transaction.cursor(MapName.LOG)) {
      for (boolean more = cursor.seek(Keys.number(0)); more; more = cursor.next()) {
        Optional<LogEntry> entry = LogEntry.decode(cursor.key(), cursor.value());
        if (entry.isEmpty()) {
          // It may be what brought any of them.
          unreadable.clear();
        } else if (entry.get().command() instanceof Command.Put put) {
          unreadable.remove(put.slot());
        }
      }
    }
  }
}
