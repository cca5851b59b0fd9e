package dev.ashlar.block.engine;

import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The index of a {@link StorageEngine} as others may have it: everything replicated as of the
 * watermark, in pages, while the engine is {@link StorageEngine#hold held}; and what of another
 * replica's is not here.
 *
 * <p>All methods are safe for any thread; they block on storage.
 */
public final class EngineManifest {

  private final StorageEngine engine;

  EngineManifest(StorageEngine engine) {
    this.engine = engine;
  }

  /** Rows of the index that is held, ascending, after a multihash; none when there are no more. */
  public List<ManifestRow> page(Optional<Multihash> after, int limit) {
    List<ManifestRow> rows = new ArrayList<>();
    byte[] from = after.map(Multihash::toBytes).orElse(new byte[] {0});
    try (ReadTransaction transaction = engine.beginRead();
        MapCursor cursor = transaction.cursor(engine.blocks())) {
      boolean more = cursor.seek(from);
      while (more && rows.size() < limit) {
        byte[] key = cursor.key();
        if (!java.util.Arrays.equals(key, from)) {
          Multihash multihash = Multihash.decode(key);
          IndexRow row =
              IndexRow.decode(key, cursor.value())
                  .orElseThrow(
                      () ->
                          new BlockDamagedException(
                              Cid.v1(Multicodec.RAW, multihash),
                              "its index row fails its checksum: no manifest can name it"));
          rows.add(new ManifestRow(multihash, row.length(), row.codec(), row.lastPut()));
        }
        more = cursor.next();
      }
    }
    return rows;
  }

  /**
   * Root records of the index that is held, ascending, after a key; none when there are no more.
   */
  public List<RootRecord> roots(Optional<RootKey> after, int limit) {
    try (ReadTransaction transaction = engine.beginRead()) {
      EffectTable.Pair none = new EffectTable.Pair(new EffectTable(), Optional.empty());
      return new RootListing(none, transaction, MapName.roots(engine.status().generation()))
          .page(Optional.empty(), after, limit);
    }
  }

  /** Reads a block of the index that is held, whatever has become of it since. */
  public <T> Optional<T> read(Multihash multihash, BlockReader<T> reader) {
    try (ReadTransaction transaction = engine.beginRead()) {
      Applier.Prior prior = Applier.Rows.folded(transaction, engine.blocks(), multihash);
      if (!(prior instanceof Applier.Prior.Live live)) {
        return Optional.empty();
      }
      byte[] key = Keys.number(live.row().slot());
      return transaction
          .get(MapName.HEAP, key)
          .flatMap(value -> HeapRecord.read(key, value))
          .filter(found -> found.multihash().equals(multihash) && found.bytesAreSound())
          .map(found -> reader.read(found.bytes(), found.payloadCrc()));
    }
  }

  /** Which blocks of a manifest's page this replica has to fetch. */
  public List<ManifestRow> missing(List<ManifestRow> rows) {
    EffectTable.Pair snapshot = engine.tables();
    try (ReadTransaction transaction = engine.beginRead()) {
      Applier.Rows present = new Applier.Rows(transaction, engine.status().generation(), snapshot);
      MapName next = MapName.blocks(engine.status().generation() + 1);
      return rows.stream()
          .filter(
              row ->
                  present.live(row.multihash()).isEmpty()
                      && !(Applier.Rows.folded(transaction, next, row.multihash())
                          instanceof Applier.Prior.Live))
          .toList();
    }
  }

  /** Whether there is a row of the index under a multihash that fails its checksum. */
  public boolean isRowDamaged(Multihash multihash) {
    byte[] key = multihash.toBytes();
    try (ReadTransaction transaction = engine.beginRead()) {
      return transaction
          .get(engine.blocks(), key)
          .filter(value -> IndexRow.decode(key, value).isEmpty())
          .isPresent();
    }
  }
}
