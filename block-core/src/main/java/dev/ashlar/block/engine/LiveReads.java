package dev.ashlar.block.engine;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Reads of live blocks: those that are in a table or folded, and not gone. Safe for any thread. */
final class LiveReads {

  /** More damaged slots than this are not remembered; they are found again when they are read. */
  private static final int DAMAGED_SLOTS_MAX = 10_000;

  private final StorageEngine engine;
  private final Set<Long> damagedSlots = ConcurrentHashMap.newKeySet();

  LiveReads(StorageEngine engine) {
    this.engine = engine;
  }

  /** See {@link StorageEngine#read}. */
  <T> Optional<T> read(Cid cid, BlockReader<T> reader) {
    // A slot can be freed between the look-up in a table and the transaction, and a first failure
    // may be a torn read: in both cases a second look decides.
    ReadAttempt<T> first = tryRead(cid, reader);
    return (first.failure().isEmpty() ? first : secondRead(cid, reader)).result();
  }

  /** See {@link StorageEngine#size}. */
  Optional<Integer> size(Cid cid) {
    Optional<IndexRow> effect = engine.tables().find(cid.multihash());
    if (effect.isPresent()) {
      engine.requireReadable();
      return effect.filter(row -> !row.isGone()).map(IndexRow::length);
    }
    try (ReadTransaction transaction = engine.beginRead()) {
      Applier.Prior prior = Applier.Rows.folded(transaction, engine.blocks(), cid.multihash());
      if (prior instanceof Applier.Prior.Damaged) {
        throw new BlockDamagedException(cid, "its index row fails its checksum");
      }
      return prior instanceof Applier.Prior.Live live
          ? Optional.of(live.row().length())
          : Optional.empty();
    }
  }

  /** See {@link StorageEngine#row}. */
  Optional<ManifestRow> row(Multihash multihash) {
    EffectTable.Pair snapshot = engine.tables();
    try (ReadTransaction transaction = engine.beginRead()) {
      return new Applier.Rows(transaction, engine.status().generation(), snapshot)
          .live(multihash)
          .map(row -> new ManifestRow(multihash, row.length(), row.codec(), row.lastPut()));
    }
  }

  /** See {@link StorageEngine#list}. */
  BlockPage list(BlockCursor cursor, int limit) {
    BlockPage page = listOnce(cursor, limit);
    while (page.entries().isEmpty() && page.next().isPresent()) {
      page = listOnce(page.next().get(), limit);
    }
    return page;
  }

  private BlockPage listOnce(BlockCursor cursor, int limit) {
    EffectTable.Pair snapshot = engine.tables();
    try (ReadTransaction transaction = engine.beginRead()) {
      return new Listing(snapshot, transaction, engine.blocks()).page(cursor, limit);
    }
  }

  private <T> ReadAttempt<T> secondRead(Cid cid, BlockReader<T> reader) {
    ReadAttempt<T> attempt = tryRead(cid, reader);
    // Each further failure at another slot means that the block was put anew in between.
    for (long slot = 0; attempt.failure().isPresent() && attempt.slot() != slot; ) {
      slot = attempt.slot();
      attempt = tryRead(cid, reader);
    }
    if (attempt.failure().isPresent()) {
      noteDamage(attempt.slot());
      engine.doubt("block " + cid + ": " + attempt.failure().get());
      throw new BlockDamagedException(cid, attempt.failure().get());
    }
    return attempt;
  }

  private <T> ReadAttempt<T> tryRead(Cid cid, BlockReader<T> reader) {
    Multihash multihash = cid.multihash();
    IndexRow row = engine.tables().find(multihash).orElse(null);
    if (row != null && row.isGone()) {
      engine.requireReadable();
      return ReadAttempt.absent();
    }
    try (ReadTransaction transaction = engine.beginRead()) {
      if (row == null) {
        Applier.Prior prior = Applier.Rows.folded(transaction, engine.blocks(), multihash);
        if (prior instanceof Applier.Prior.Damaged) {
          return ReadAttempt.failed(0, "its index row fails its checksum");
        }
        if (!(prior instanceof Applier.Prior.Live live)) {
          return ReadAttempt.absent();
        }
        row = live.row();
      }
      byte[] key = Keys.number(row.slot());
      ByteBuffer value = transaction.get(MapName.HEAP, key).orElse(null);
      if (value == null) {
        return ReadAttempt.failed(row.slot(), "its bytes are missing");
      }
      HeapRecord found = HeapRecord.read(key, value).orElse(null);
      if (found == null || !found.multihash().equals(multihash)) {
        return ReadAttempt.failed(row.slot(), "the header of its bytes fails its checksum");
      }
      if (!found.bytesAreSound()) {
        return ReadAttempt.failed(row.slot(), "its bytes do not have the checksum they had");
      }
      return ReadAttempt.of(row.slot(), reader.read(found.bytes(), found.payloadCrc()));
    } catch (InternalError e) {
      // So the JVM tells of a page of a mapped file that could not be read from its device.
      return ReadAttempt.failed(
          row == null ? 0 : row.slot(), "its bytes cannot be read: " + e.getMessage());
    }
  }

  /** Whether what is in a slot was found damaged, and not written anew since. */
  boolean isDamaged(long slot) {
    return damagedSlots.contains(slot);
  }

  /** Slots whose bytes were written anew. */
  void repaired(Collection<Long> slots) {
    slots.forEach(damagedSlots::remove);
  }

  /** The slots of another generation are others. */
  void forgetDamage() {
    damagedSlots.clear();
  }

  private void noteDamage(long slot) {
    if (slot != 0 && damagedSlots.size() < DAMAGED_SLOTS_MAX) {
      damagedSlots.add(slot);
    }
  }

  /**
   * @param slot where the block was looked for, 0 where that is not known
   * @param failure what is wrong there
   */
  private record ReadAttempt<T>(long slot, Optional<T> result, Optional<String> failure) {

    static <T> ReadAttempt<T> absent() {
      return new ReadAttempt<>(0, Optional.empty(), Optional.empty());
    }

    static <T> ReadAttempt<T> of(long slot, T result) {
      return new ReadAttempt<>(slot, Optional.of(result), Optional.empty());
    }

    static <T> ReadAttempt<T> failed(long slot, String what) {
      return new ReadAttempt<>(slot, Optional.empty(), Optional.of(what));
    }
  }
}
