package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.RootStore;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** The reading half of a block store over an engine: applied state, as it is here. */
public final class EngineReads {

  private final StorageEngine engine;

  /** Reads of an engine, which the caller closes. */
  public EngineReads(StorageEngine engine) {
    this.engine = engine;
  }

  /** The engine underneath. */
  public StorageEngine engine() {
    return engine;
  }

  /** See {@link BlockStore#get}. */
  public Optional<Block> get(Cid cid) {
    if (cid.isIdentity()) {
      return Optional.of(Block.inline(cid));
    }
    return engine.read(
        cid,
        (bytes, crc) -> {
          byte[] copy = new byte[bytes.remaining()];
          bytes.get(copy);
          return Block.stored(cid, ByteBuffer.wrap(copy), crc);
        });
  }

  /** See {@link BlockStore#view}. */
  public <T> Optional<T> view(Cid cid, Function<ByteBuffer, T> reader) {
    if (cid.isIdentity()) {
      return Optional.of(reader.apply(Block.inline(cid).bytes()));
    }
    return engine.read(cid, (bytes, crc) -> reader.apply(bytes));
  }

  /** See {@link BlockStore#size}. */
  public Optional<Integer> size(Cid cid) {
    return cid.isIdentity() ? Optional.of(cid.multihash().digestBytes()) : engine.size(cid);
  }

  /** Whether a block is live with a sound row, so that a put of it needs no bytes. */
  public boolean isLive(Cid cid) {
    return engine.row(cid.multihash()).isPresent();
  }

  /** See {@link RootStore#lastPut}. */
  public OptionalLong lastPut(Multihash multihash) {
    return engine
        .row(multihash)
        .map(row -> OptionalLong.of(row.lastPut()))
        .orElse(OptionalLong.empty());
  }

  /** See {@link BlockStore#list}. */
  public BlockPage list(BlockCursor cursor, int limit) {
    if (limit < 1 || limit > BlockStore.LIST_LIMIT_MAX) {
      throw new IllegalArgumentException(
          "a page has 1 to " + BlockStore.LIST_LIMIT_MAX + " entries, not " + limit);
    }
    return engine.list(cursor, limit);
  }

  /** See {@link BlockStore#statistics}. */
  public BlockStoreStatistics statistics() {
    return engine.statistics();
  }
}
