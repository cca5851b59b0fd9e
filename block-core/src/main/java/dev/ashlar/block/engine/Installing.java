package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Builds the next generation of the index beside the present one, from a manifest, in as many
 * transactions as it takes. How far it is lies in {@code meta}, so that what was fetched survives a
 * restart.
 *
 * @param blocks rows that the next generation has
 * @param bytes their blocks' bytes
 * @param roots root records that it has
 */
record Installing(long blocks, long bytes, long roots) {

  static final Installing NOTHING = new Installing(0, 0, 0);

  static Optional<Installing> read(ReadTransaction transaction) {
    return transaction
        .get(MapName.META, Keys.INSTALL)
        .filter(value -> Checksum.isSound(Keys.INSTALL, value))
        .map(
            value ->
                new Installing(
                    value.getLong(0),
                    value.getLong(Long.BYTES),
                    value.limit() > 2 * Long.BYTES + Checksum.BYTES
                        ? value.getLong(2 * Long.BYTES)
                        : 0));
  }

  void write(WriteTransaction transaction) {
    byte[] value =
        ByteBuffer.allocate(3 * Long.BYTES + Checksum.BYTES)
            .putLong(blocks)
            .putLong(bytes)
            .putLong(roots)
            .array();
    Meta.put(transaction, Keys.INSTALL, Checksum.seal(Keys.INSTALL, value));
  }

  /**
   * Takes a page of a manifest: afterwards the next generation has exactly these rows between the
   * end of the page before and the last one.
   *
   * @param after the last multihash of the page before
   * @param rows ascending; each block is in the present generation, in the next one, or fetched
   * @param isLast whether no row comes after these
   */
  Installing take(
      WriteTransaction transaction,
      EngineState state,
      Applier.Rows present,
      Optional<Multihash> after,
      List<ManifestRow> rows,
      List<Block> fetched,
      boolean isLast) {
    Map<Multihash, Block> bytesOf = new HashMap<>();
    fetched.forEach(block -> bytesOf.put(block.cid().multihash(), block));
    MapName next = MapName.blocks(state.generation + 1);
    Map<Multihash, IndexRow> there = rowsBetween(transaction, next, after, rows, isLast);
    long newBlocks = blocks;
    long newBytes = bytes;
    for (ManifestRow row : rows) {
      byte[] key = row.multihash().toBytes();
      IndexRow before = there.remove(row.multihash());
      long slot =
          before != null && !before.isGone()
              ? before.slot()
              : present
                  .live(row.multihash())
                  .map(IndexRow::slot)
                  .orElseGet(() -> store(transaction, state, row, bytesOf));
      IndexRow installed = new IndexRow(slot, row.length(), row.codec(), row.lastPut());
      transaction.put(next, key, installed.encode(key));
      if (before == null) {
        newBlocks++;
        newBytes += row.length();
      }
    }
    for (Map.Entry<Multihash, IndexRow> stale : there.entrySet()) {
      transaction.delete(next, stale.getKey().toBytes());
      newBlocks--;
      newBytes -= stale.getValue().length();
    }
    Installing now = new Installing(newBlocks, newBytes, roots);
    now.write(transaction);
    return now;
  }

  /**
   * Takes a page of a manifest's root records: afterwards the next generation has exactly these
   * between the end of the page before and the last one.
   *
   * @param after the last key of the page before
   * @param records ascending
   * @param isLast whether none comes after these
   */
  Installing takeRoots(
      WriteTransaction transaction,
      EngineState state,
      Optional<RootKey> after,
      List<RootRecord> records,
      boolean isLast) {
    MapName next = MapName.roots(state.generation + 1);
    byte[] to = records.isEmpty() ? null : records.get(records.size() - 1).key().toBytes();
    List<byte[]> stale = new ArrayList<>();
    try (MapCursor cursor = transaction.cursor(next)) {
      byte[] from = after.map(RootKey::toBytes).orElse(new byte[] {0});
      boolean more = cursor.seek(from);
      while (more && (isLast || (to != null && Arrays.compareUnsigned(cursor.key(), to) <= 0))) {
        if (!Arrays.equals(cursor.key(), from)) {
          stale.add(cursor.key());
        }
        more = cursor.next();
      }
    }
    stale.forEach(key -> transaction.delete(next, key));
    for (RootRecord record : records) {
      byte[] key = record.key().toBytes();
      transaction.put(next, key, new RootRow(record.changedAt(), record.value()).encode(key));
    }
    Installing now = new Installing(blocks, bytes, roots - stale.size() + records.size());
    now.write(transaction);
    return now;
  }

  private static long store(
      WriteTransaction transaction,
      EngineState state,
      ManifestRow row,
      Map<Multihash, Block> bytesOf) {
    Block block = bytesOf.get(row.multihash());
    if (block == null || block.size() != row.length()) {
      throw new IllegalArgumentException(row.multihash() + " was not fetched");
    }
    long slot = state.nextSlot++;
    byte[] key = Keys.number(slot);
    ByteBuffer target = transaction.reserve(MapName.HEAP, key, HeapRecord.size(block));
    HeapRecord.write(key, target, block, 0);
    state.heapSlots++;
    state.heapBytes += block.size();
    return slot;
  }

  /** Rows of an earlier manifest in the range of a page. */
  private static Map<Multihash, IndexRow> rowsBetween(
      ReadTransaction transaction,
      MapName map,
      Optional<Multihash> after,
      List<ManifestRow> rows,
      boolean isLast) {
    Map<Multihash, IndexRow> found = new HashMap<>();
    byte[] from = after.map(Multihash::toBytes).orElse(new byte[] {0});
    byte[] to = rows.isEmpty() ? from : rows.get(rows.size() - 1).multihash().toBytes();
    try (MapCursor cursor = transaction.cursor(map)) {
      boolean more = cursor.seek(from);
      while (more && (isLast || Arrays.compareUnsigned(cursor.key(), to) <= 0)) {
        byte[] key = cursor.key();
        if (!Arrays.equals(key, from)) {
          // A damaged row counts, and is to be replaced.
          found.put(
              Multihash.decode(key), IndexRow.decode(key, cursor.value()).orElse(IndexRow.GONE));
        }
        more = cursor.next();
      }
    }
    return found;
  }
}
