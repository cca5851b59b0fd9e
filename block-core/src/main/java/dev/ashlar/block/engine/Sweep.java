package dev.ashlar.block.engine;

import dev.ashlar.block.StoreDamagedException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Gives back, in slices, what a switch of generations or an install that was given up leaves
 * behind: rows of the generation that is not in use, log entries at or below the base, and slots
 * that nothing refers to.
 *
 * @param next the slot to look at next
 * @param upper slots from here on came later and are not looked at
 */
record Sweep(long next, long upper) {

  static Optional<Sweep> read(ReadTransaction transaction) {
    return transaction
        .get(MapName.META, Keys.SWEEP)
        .filter(value -> Checksum.isSound(Keys.SWEEP, value))
        .map(value -> new Sweep(value.getLong(0), value.getLong(Long.BYTES)));
  }

  void write(WriteTransaction transaction) {
    byte[] value =
        ByteBuffer.allocate(2 * Long.BYTES + Checksum.BYTES).putLong(next).putLong(upper).array();
    Meta.put(transaction, Keys.SWEEP, Checksum.seal(Keys.SWEEP, value));
  }

  /** Does so many steps; empty when all is done. */
  Optional<Sweep> slice(
      WriteTransaction transaction, EngineState state, EffectTable.Pair tables, int steps) {
    int left = steps - deleteFirst(transaction, MapName.blocks(state.generation + 1), steps, null);
    left -= deleteFirst(transaction, MapName.roots(state.generation + 1), left, null);
    left -= deleteFirst(transaction, MapName.OUTCOMES, left, state.base);
    left -= deleteFirst(transaction, MapName.LOG, left, state.base);
    Optional<Sweep> rest = Optional.of(left > 0 ? slots(transaction, state, tables, left) : this);
    if (left > 0 && rest.get().next >= upper) {
      Meta.delete(transaction, Keys.SWEEP);
      // While it sweeps nothing is installed: what lies there could not be read.
      Meta.delete(transaction, Keys.INSTALL);
      return Optional.empty();
    }
    rest.get().write(transaction);
    return rest;
  }

  private static int deleteFirst(
      WriteTransaction transaction,
      MapName map,
      int limit,
      @org.jspecify.annotations.Nullable LogPosition upTo) {
    List<byte[]> keys = new ArrayList<>();
    try (MapCursor cursor = transaction.cursor(map)) {
      boolean more = cursor.seek(new byte[] {0});
      while (more && keys.size() < limit) {
        byte[] key = cursor.key();
        if (upTo != null && Keys.number(key) > upTo.index()) {
          break;
        }
        keys.add(key);
        more = cursor.next();
      }
    }
    deleteAll(transaction, map, keys);
    return keys.size();
  }

  /** What a cursor has shown a look-up must find, or sweeping would never come to an end. */
  private static void deleteAll(WriteTransaction transaction, MapName map, List<byte[]> keys) {
    for (byte[] key : keys) {
      if (!transaction.delete(map, key)) {
        throw new StoreDamagedException(
            "a key of "
                + map.storedName()
                + " is shown and cannot be found: set the directory aside and join anew, or restore"
                + " it from a backup");
      }
    }
  }

  private Sweep slots(
      WriteTransaction transaction, EngineState state, EffectTable.Pair tables, int steps) {
    Applier.Rows rows = new Applier.Rows(transaction, state.generation, tables);
    List<byte[]> dead = new ArrayList<>();
    long deadBytes = 0;
    long reached = upper;
    try (MapCursor cursor = transaction.cursor(MapName.HEAP)) {
      boolean more = cursor.seek(Keys.number(next));
      for (int i = 0; more && Keys.number(cursor.key()) < upper; i++) {
        byte[] key = cursor.key();
        if (i == steps) {
          reached = Keys.number(key);
          break;
        }
        HeapRecord found = HeapRecord.read(key, cursor.value()).orElse(null);
        // A damaged header may belong to a live block: verification names it.
        if (found != null
            && !isLogged(transaction, state, found.origin(), Keys.number(key))
            && !rows.anyLayerNames(found.multihash(), Keys.number(key))) {
          dead.add(key);
          deadBytes += found.bytes().remaining();
        }
        more = cursor.next();
      }
    }
    deleteAll(transaction, MapName.HEAP, dead);
    state.heapSlots -= dead.size();
    state.heapBytes -= deadBytes;
    return new Sweep(reached, upper);
  }

  private static boolean isLogged(
      ReadTransaction transaction, EngineState state, long origin, long slot) {
    if (origin <= state.base.index() || origin > state.last.index()) {
      return false;
    }
    byte[] key = Keys.number(origin);
    Optional<LogEntry> entry =
        transaction.get(MapName.LOG, key).flatMap(value -> LogEntry.decode(key, value));
    return entry.isEmpty()
        || (entry.get().command() instanceof Command.Put put && put.slot() == slot);
  }
}
