package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.StoreDamagedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Looks for damage in what a {@link StorageEngine} keeps: in parts, for a scrub, or all of it.
 * Changes nothing; what is damaged is mended by {@link EngineBatch}es.
 *
 * <p>All methods are safe for any thread; they block on storage.
 */
public final class EngineAudit {

  /** How many blocks are read at a stretch. */
  private static final int SCRUB_BLOCKS_MAX = 512;

  private final StorageEngine engine;

  EngineAudit(StorageEngine engine) {
    this.engine = engine;
  }

  /**
   * Reads and re-hashes live blocks from a cursor on, until so many bytes have been read, or some
   * hundreds of blocks.
   *
   * @param bytesMax how many bytes to read, or one block
   */
  public ScrubPage scrub(BlockCursor cursor, long bytesMax) {
    List<Cid> damaged = new ArrayList<>();
    long blocks = 0;
    long bytes = 0;
    Optional<BlockCursor> next = Optional.of(cursor);
    BlockPage page = engine.list(cursor, SCRUB_BLOCKS_MAX);
    for (BlockPage.Entry entry : page.entries()) {
      if (bytes >= bytesMax) {
        break;
      }
      blocks++;
      next = Optional.of(BlockCursor.after(entry.cid().multihash()));
      try {
        bytes +=
            engine
                .read(entry.cid(), (payload, crc) -> Block.verified(entry.cid(), payload).size())
                .orElse(0);
      } catch (BlockException e) {
        damaged.add(entry.cid());
      }
    }
    if (blocks == page.entries().size()) {
      next = page.next();
    }
    return new ScrubPage(blocks, bytes, damaged, next);
  }

  /**
   * Compares a part of the heap with what refers to it: the other way round than {@link #scrub}. A
   * slot that nothing refers to although nothing is being swept means that a row of the index is
   * hidden, or that its bytes were never given back; {@link #count} tells which.
   *
   * @param from the first slot to look at
   */
  public HeapPage readHeap(long from) {
    EngineStatus before = engine.status();
    EffectTable.Pair snapshot = engine.tables();
    long slots = 0;
    long bytes = 0;
    long unreadable = 0;
    long unreferenced = 0;
    OptionalLong next = OptionalLong.empty();
    try (ReadTransaction transaction = engine.beginRead();
        MapCursor cursor = transaction.cursor(MapName.HEAP)) {
      Applier.Rows rows = new Applier.Rows(transaction, engine.status().generation(), snapshot);
      boolean more = cursor.seek(Keys.number(from));
      for (; more && slots < SCRUB_BLOCKS_MAX; slots++) {
        byte[] key = cursor.key();
        long slot = Keys.number(key);
        HeapRecord found = HeapRecord.read(key, cursor.value()).orElse(null);
        if (found == null) {
          unreadable++;
        } else {
          bytes += found.bytes().remaining();
          // A slot that a table has dropped is freed when the row that names it is folded.
          if (found.origin() <= before.base().index()
              && !rows.anyLayerNames(found.multihash(), slot)) {
            unreferenced++;
          }
        }
        more = cursor.next();
        next = more ? OptionalLong.of(slot + 1) : OptionalLong.empty();
      }
    }
    return new HeapPage(slots, bytes, unreadable, unreferenced, next);
  }

  /** How far re-reading had come when it was last noted. */
  public ScrubPlace place() {
    try (ReadTransaction transaction = engine.beginRead()) {
      return ScrubPlace.read(transaction);
    }
  }

  /**
   * Counts what is there, in one snapshot, beside writers.
   *
   * @param looksIntoHeap whether to read the header of every slot of the heap too, and not only
   *     their keys: to find what nothing refers to
   * @throws StoreDamagedException when the engine's state is damaged
   * @throws StoreClosedException when the store is closed meanwhile: nobody waits for the end
   */
  public Miscount count(boolean looksIntoHeap) {
    try (ReadTransaction transaction = engine.beginRead()) {
      return new Count(transaction, engine::isClosed).run(looksIntoHeap);
    }
  }

  /**
   * Counts the root records that are folded.
   *
   * @return how many there are
   * @throws StoreDamagedException when the counter says another number, or one fails its checksum
   */
  public long countRoots() {
    try (ReadTransaction transaction = engine.beginRead()) {
      EngineState durable = Recovery.state(transaction);
      MapName roots = MapName.roots(durable.generation);
      long rows = 0;
      try (MapCursor cursor = transaction.cursor(roots)) {
        boolean more = cursor.seek(new byte[] {0});
        for (; more; rows++) {
          if (RootRow.decode(cursor.key(), cursor.value()).isEmpty()) {
            throw new StoreDamagedException(
                "a root record fails its checksum: set the directory aside and join anew, or"
                    + " restore it from a backup");
          }
          more = cursor.next();
        }
      }
      if (rows != durable.foldedRoots) {
        throw new StoreDamagedException(
            "the counter says "
                + durable.foldedRoots
                + " root records and there are "
                + rows
                + ": set the directory aside and join anew, or restore it from a backup");
      }
      return rows;
    }
  }

  /**
   * Re-hashes every block and compares counters, index and heap. Reads everything, in pages; blocks
   * that are put or deleted meanwhile are not held against the store.
   *
   * @param progress is told after each page how many bytes of blocks have been read
   */
  public VerifyReport verify(java.util.function.LongConsumer progress) {
    return new Verification(engine, progress).run();
  }
}
