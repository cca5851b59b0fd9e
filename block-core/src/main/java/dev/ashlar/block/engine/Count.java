package dev.ashlar.block.engine;

import dev.ashlar.block.StoreClosedException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

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

  /** How often it is looked whether somebody wants to close the store. */
  private static final int KEYS_BETWEEN_LOOKS = 1024;

  private final ReadTransaction transaction;
  private final BooleanSupplier isClosing;
  private final EngineState state;
  private final MapName index;
  private long keys;
  private long rows;
  private long bytes;
  private long unreadableRows;
  private long slots;
  private long slotBytes;
  private final List<Long> lost = new ArrayList<>();
  private Miscount.Heap heap = Miscount.Heap.NUMBER;

  /**
   * @param isClosing whether to give up
   */
  Count(ReadTransaction transaction, BooleanSupplier isClosing) {
    this.transaction = transaction;
    this.isClosing = isClosing;
    this.state = Recovery.state(transaction);
    this.index = MapName.blocks(state.generation);
  }

  /**
   * @param looksIntoHeap whether to read the header of every slot too, and not only their keys: to
   *     find what is lost
   * @throws StoreClosedException when the store is being closed
   */
  Miscount run(boolean looksIntoHeap) {
    each(index, this::readRow);
    each(MapName.HEAP, cursor -> slots++);
    // What an install has fetched no row in use names, and a sweep gives back what it finds. A row
    // that cannot be read may be about any slot.
    boolean decides =
        looksIntoHeap
            && unreadableRows == 0
            && transaction.get(MapName.META, Keys.INSTALL).isEmpty()
            && transaction.get(MapName.META, Keys.SWEEP).isEmpty();
    if (decides) {
      readHeap();
    }
    boolean knowsHeap = heap == Miscount.Heap.KNOWN;
    long more = rows - state.foldedBlocks;
    return new Miscount(
        state.generation,
        unreadableRows == 0 ? more : Math.min(more, 0),
        unreadableRows == 0 ? bytes - state.foldedBytes : 0,
        slots - state.heapSlots,
        knowsHeap ? slotBytes - state.heapBytes : 0,
        knowsHeap ? lost : List.of(),
        heap);
  }

  private void each(MapName map, Consumer<MapCursor> visit) {
    try (MapCursor cursor = transaction.cursor(map)) {
      for (boolean more = cursor.seek(new byte[] {0}); more; more = cursor.next()) {
        if (++keys % KEYS_BETWEEN_LOOKS == 0 && isClosing.getAsBoolean()) {
          throw new StoreClosedException();
        }
        visit.accept(cursor);
      }
    }
  }

  private void readRow(MapCursor cursor) {
    rows++;
    IndexRow.decode(cursor.key(), cursor.value())
        .ifPresentOrElse(row -> bytes += row.length(), () -> unreadableRows++);
  }

  private void readHeap() {
    Set<Long> unreadable = new HashSet<>();
    each(
        MapName.HEAP,
        cursor -> {
          byte[] key = cursor.key();
          HeapRecord.read(key, cursor.value())
              .ifPresentOrElse(
                  found -> look(found, Keys.number(key)), () -> unreadable.add(Keys.number(key)));
        });
    int all = unreadable.size();
    if (all > 0 && all <= LOST_MAX) {
      keepUnclaimed(unreadable);
      lost.addAll(unreadable);
    }
    // Of a slot that stays and cannot be read nobody knows how many bytes were counted for it.
    heap =
        unreadable.size() == all && all <= LOST_MAX ? Miscount.Heap.KNOWN : Miscount.Heap.DAMAGED;
  }

  private void look(HeapRecord found, long slot) {
    slotBytes += found.bytes().remaining();
    if (found.origin() <= state.base.index() && !isNamed(found, slot) && lost.size() < LOST_MAX) {
      lost.add(slot);
    }
  }

  private boolean isNamed(HeapRecord found, long slot) {
    return Applier.Rows.folded(transaction, index, found.multihash()).mayName(slot);
  }

  /** Takes away those that a row names or the log has brought. */
  private void keepUnclaimed(Set<Long> unreadable) {
    each(
        index,
        cursor ->
            IndexRow.decode(cursor.key(), cursor.value())
                .ifPresent(row -> unreadable.remove(row.slot())));
    each(
        MapName.LOG,
        cursor -> {
          Optional<LogEntry> entry = LogEntry.decode(cursor.key(), cursor.value());
          if (entry.isEmpty()) {
            // It may be what brought any of them.
            unreadable.clear();
          } else if (entry.get().command() instanceof Command.Put put) {
            unreadable.remove(put.slot());
          }
        });
  }
}
