package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.root.FeedPage;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChanges;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import dev.ashlar.block.root.RootStore;
import dev.ashlar.block.root.RootedBlockStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.LongConsumer;

/**
 * The block store of one process over a {@link StorageEngine}: a put is appended and applied in one
 * transaction, which concurrent callers share.
 *
 * <p>It starts no thread. Folding and compaction ride on writes; {@link #compact()} completes them,
 * and whoever needs a deleted block's bytes gone by some time calls it by then.
 */
public class EngineBlockStore implements RootedBlockStore {

  private final StorageEngine engine;
  private final StoreLimits limits;
  private final EngineReads reads;
  private final GroupCommit writes;
  private final boolean isShared;
  private final RootStore roots = new Roots();

  /**
   * @param engine belongs to the store from now on, and is closed with it
   * @throws StoreDamagedException when the log is damaged where the index needs it
   */
  protected EngineBlockStore(StorageEngine engine, StoreLimits limits) {
    this.engine = engine;
    this.limits = limits;
    this.reads = new EngineReads(engine);
    this.writes = new GroupCommit(engine, limits);
    this.isShared = engine.isShared();
    engine
        .unreplayedDamage()
        .ifPresent(
            damage -> {
              engine.close();
              throw new StoreDamagedException(
                  "log entry "
                      + damage.index()
                      + " is damaged ("
                      + damage.what()
                      + ") and its effect is nowhere else: restore the directory from a backup");
            });
    if (!isShared) {
      // Nobody else has a say: what is in the log is decided, also where a server was stopped
      // before it had written that it took effect.
      engine.apply(engine.status().last().index(), false);
    }
  }

  @Override
  public PutResult put(Block block) {
    return putAll(List.of(block)).get(0);
  }

  @Override
  public List<PutResult> putAll(Collection<Block> blocks) {
    requireOwnLog();
    List<Block> all = StoreLimits.checked(blocks, limits.blockBytesMax());
    List<PutResult> results = new ArrayList<>(all.size());
    int from = 0;
    while (from < all.size()) {
      int to = endOfChunk(all, from);
      results.addAll(writes.putAll(all.subList(from, to)));
      from = to;
    }
    return results;
  }

  @Override
  public Optional<Block> get(Cid cid) {
    return reads.get(cid);
  }

  @Override
  public <T> Optional<T> view(Cid cid, Function<ByteBuffer, T> reader) {
    return reads.view(cid, reader);
  }

  @Override
  public OptionalInt size(Cid cid) {
    Optional<Integer> size = reads.size(cid);
    return size.isPresent() ? OptionalInt.of(size.get()) : OptionalInt.empty();
  }

  @Override
  public boolean delete(Cid cid) {
    requireOwnLog();
    return !cid.isIdentity() && writes.delete(cid.multihash());
  }

  @Override
  public BlockPage list(BlockCursor cursor, int limit) {
    return reads.list(cursor, limit);
  }

  @Override
  public BlockStoreStatistics statistics() {
    return reads.statistics();
  }

  @Override
  public int blockBytesMax() {
    return limits.blockBytesMax();
  }

  @Override
  public RootStore roots() {
    return roots;
  }

  /**
   * Folds and compacts all that there is, in short transactions between which others write. When it
   * returns, the bytes of blocks that were deleted before the call are gone from the store.
   *
   * @throws StoreUnavailableException when there is no end to it under the writes of others
   */
  public void compact() {
    writes.compact();
  }

  /** Re-hashes every block and compares counters and index with the heap: reads everything. */
  public VerifyReport verify(LongConsumer progress) {
    return engine.audit().verify(progress);
  }

  /** The engine underneath, for what replicates or inspects it. */
  public StorageEngine engine() {
    return engine;
  }

  @Override
  public void close() {
    engine.close();
  }

  /** The records beside the blocks. */
  private final class Roots implements RootStore {

    @Override
    public Optional<RootRecord> get(RootKey key) {
      return engine.root(key);
    }

    @Override
    public List<RootRecord> list(RootKey prefix, Optional<RootKey> after, int limit) {
      return engine.roots(prefix, after, limit);
    }

    @Override
    public boolean isLeading() {
      return true;
    }

    @Override
    public OptionalLong change(RootChanges changes) {
      requireOwnLog();
      return writes.change(changes);
    }

    @Override
    public boolean collect(GarbageBatch garbage) {
      requireOwnLog();
      return writes.collect(garbage);
    }

    @Override
    public long appliedIndex() {
      return engine.status().applied();
    }

    @Override
    public OptionalLong lastPut(Multihash multihash) {
      return reads.lastPut(multihash);
    }

    @Override
    public boolean isElsewhere(Cid cid) {
      return false;
    }

    @Override
    public void verify() {
      engine.audit().countRoots();
    }

    @Override
    public Optional<UUID> origin() {
      return engine.cluster();
    }

    @Override
    public FeedPage changesSince(long since, int entriesMax) {
      return engine.effectsAfter(since, entriesMax);
    }
  }

  /** What a member of a cluster has is changed by the cluster's log alone. */
  private void requireOwnLog() {
    if (isShared) {
      throw new StoreUnavailableException(
          "the store belongs to a member of a cluster: it can be read, and written through a server"
              + " of the cluster; not done");
    }
  }

  /** Blocks from an index on that make one transaction. */
  private int endOfChunk(List<Block> blocks, int from) {
    long bytes = 0;
    int to = from;
    while (to < blocks.size() && to - from < limits.batchBlocksMax()) {
      bytes += blocks.get(to).size();
      if (to > from && bytes > limits.batchBytesMax()) {
        break;
      }
      to++;
    }
    return to;
  }
}
