package dev.ashlar.block.engine;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreDamagedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** Merges the index with the effects of the tables, in the order of multihashes. */
final class Listing {

  /** Looked at even for a small page, for many of them may be deletes. */
  private static final int EFFECTS_MIN = 256;

  private final EffectTable.Pair tables;
  private final ReadTransaction transaction;
  private final MapName blocks;

  /**
   * @param tables as they were before the transaction began
   */
  Listing(EffectTable.Pair tables, ReadTransaction transaction, MapName blocks) {
    this.tables = tables;
    this.transaction = transaction;
    this.blocks = blocks;
  }

  BlockPage page(BlockCursor cursor, int limit) {
    int effectsMax = Math.max(EFFECTS_MIN, limit + 1);
    NavigableMap<Multihash, IndexRow> effects = new TreeMap<>();
    Optional<Multihash> bound = Optional.empty();
    for (EffectTable table : tablesOldestFirst()) {
      List<Multihash> first = table.firstAfter(cursor.after(), effectsMax);
      first.forEach(multihash -> effects.put(multihash, table.find(multihash).orElseThrow()));
      if (first.size() == effectsMax) {
        // Above its last one, this table may have effects that are not looked at here.
        Multihash last = first.get(first.size() - 1);
        bound = bound.filter(b -> b.compareTo(last) < 0).or(() -> Optional.of(last));
      }
    }
    return merge(cursor, limit, effects, bound);
  }

  private List<EffectTable> tablesOldestFirst() {
    return tables.frozen().isPresent()
        ? List.of(tables.frozen().get().table(), tables.active())
        : List.of(tables.active());
  }

  private BlockPage merge(
      BlockCursor cursor,
      int limit,
      NavigableMap<Multihash, IndexRow> effects,
      Optional<Multihash> bound) {
    List<BlockPage.Entry> entries = new ArrayList<>();
    Optional<Multihash> done = cursor.after();
    try (MapCursor rows = transaction.cursor(blocks)) {
      boolean more = seekAfter(rows, cursor.after());
      while (entries.size() < limit) {
        Multihash inRows = more ? Multihash.decode(rows.key()) : null;
        Map.Entry<Multihash, IndexRow> effect = effects.firstEntry();
        Multihash next = inRows;
        IndexRow row = null;
        if (effect != null && (next == null || effect.getKey().compareTo(next) <= 0)) {
          next = effect.getKey();
          row = effect.getValue();
        } else if (next != null) {
          row = IndexRow.decode(rows.key(), rows.value()).orElse(null);
        }
        if (next == null) {
          return new BlockPage(entries, bound.map(BlockCursor::after));
        }
        if (bound.isPresent() && next.compareTo(bound.get()) > 0) {
          return new BlockPage(entries, bound.map(BlockCursor::after));
        }
        if (inRows != null && next.equals(inRows)) {
          more = rows.next();
        }
        effects.remove(next);
        if (done.isPresent() && next.compareTo(done.get()) <= 0) {
          throw new StoreDamagedException("the index is out of order: verify the store");
        }
        done = Optional.of(next);
        // A damaged row is live: it is listed as raw, with no size known, and reads name it.
        if (row == null) {
          entries.add(new BlockPage.Entry(Cid.v1(Multicodec.RAW, next), 0));
        } else if (!row.isGone()) {
          entries.add(new BlockPage.Entry(Cid.v1(row.codec(), next), row.length()));
        }
      }
    }
    return new BlockPage(entries, done.map(BlockCursor::after));
  }

  private static boolean seekAfter(MapCursor rows, Optional<Multihash> after) {
    if (after.isEmpty()) {
      return rows.seek(new byte[] {0});
    }
    byte[] key = after.get().toBytes();
    boolean found = rows.seek(key);
    return (found && Arrays.equals(rows.key(), key)) ? rows.next() : found;
  }
}
