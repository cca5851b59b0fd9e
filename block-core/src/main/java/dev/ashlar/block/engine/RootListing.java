package dev.ashlar.block.engine;

import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** Merges {@code roots} with the effects of the tables, in the order of keys. */
final class RootListing {

  private final EffectTable.Pair tables;
  private final ReadTransaction transaction;
  private final MapName roots;

  /**
   * @param tables as they were before the transaction began
   */
  RootListing(EffectTable.Pair tables, ReadTransaction transaction, MapName roots) {
    this.tables = tables;
    this.transaction = transaction;
    this.roots = roots;
  }

  List<RootRecord> page(RootKey prefix, Optional<RootKey> after, int limit) {
    return page(Optional.of(prefix), after, limit);
  }

  /**
   * @param prefix what the keys begin with; empty for all
   */
  List<RootRecord> page(Optional<RootKey> prefix, Optional<RootKey> after, int limit) {
    NavigableMap<RootKey, RootRow> effects = new TreeMap<>();
    tables.frozen().ifPresent(frozen -> effects.putAll(range(frozen.table(), prefix, after)));
    effects.putAll(range(tables.active(), prefix, after));
    // So many rows hold enough that no effect hides.
    addRows(effects, prefix, after, limit + effects.size());
    return effects.entrySet().stream()
        .filter(entry -> !entry.getValue().isGone())
        .limit(limit)
        .map(entry -> entry.getValue().as(entry.getKey()))
        .toList();
  }

  private void addRows(
      NavigableMap<RootKey, RootRow> into,
      Optional<RootKey> prefix,
      Optional<RootKey> after,
      int limit) {
    try (MapCursor rows = transaction.cursor(roots)) {
      boolean more = rows.seek(after.or(() -> prefix).map(RootKey::toBytes).orElse(new byte[] {0}));
      for (int i = 0; more && i < limit; ) {
        RootKey key = RootKey.decode(rows.key());
        if (prefix.isPresent() && !key.startsWith(prefix.get())) {
          return;
        }
        if (after.isEmpty() || key.compareTo(after.get()) > 0) {
          i++;
          if (!into.containsKey(key)) {
            into.put(key, required(key, rows));
          }
        }
        more = rows.next();
      }
    }
  }

  private static NavigableMap<RootKey, RootRow> range(
      EffectTable table, Optional<RootKey> prefix, Optional<RootKey> after) {
    NavigableMap<RootKey, RootRow> range = new TreeMap<>(table.roots());
    if (after.isPresent()) {
      range = range.tailMap(after.get(), false);
    }
    range.keySet().removeIf(key -> prefix.isPresent() && !key.startsWith(prefix.get()));
    return range;
  }

  private static RootRow required(RootKey key, MapCursor rows) {
    return RootRow.decode(key.toBytes(), rows.value())
        .orElseThrow(
            () ->
                new StoreDamagedException(
                    "root record "
                        + key
                        + " fails its checksum: set the directory aside and join anew, or restore"
                        + " it from a backup"));
  }
}
