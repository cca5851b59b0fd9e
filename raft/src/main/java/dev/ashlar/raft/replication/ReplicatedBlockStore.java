package dev.ashlar.raft.replication;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.UnknownOutcomeException;
import dev.ashlar.block.engine.EngineReads;
import dev.ashlar.block.engine.Outcome;
import dev.ashlar.block.engine.StoreLimits;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A block store whose every write goes through the log of a cluster and whose reads come from the
 * replica here. Blocks its callers; safe for any number of them.
 *
 * <p>A write ends in one of three ways: it returns; it throws {@link StoreUnavailableException} or
 * {@link NoSpaceException} and was not done; it throws {@link UnknownOutcomeException} and may have
 * been done.
 */
public final class ReplicatedBlockStore implements RootedBlockStore {

  /** How many bytes of one call may be on their way at once, or one block. */
  private static final long WINDOW_BYTES = 8L << 20;

  private final Replication replication;
  private final EngineReads reads;
  private final BlockClient client;
  private final int blockBytesMax;
  private final ReadConsistency consistency;
  private final RootStore roots = new Roots();

  /**
   * @param replication the member here; closed with the store
   * @param reads of the replica here
   * @param blockBytesMax the largest block that a put takes
   */
  public ReplicatedBlockStore(Replication replication, EngineReads reads, int blockBytesMax) {
    this(replication, reads, blockBytesMax, ReadConsistency.LINEARIZABLE);
  }

  private ReplicatedBlockStore(
      Replication replication, EngineReads reads, int blockBytesMax, ReadConsistency consistency) {
    this.replication = replication;
    this.reads = reads;
    this.client = new BlockClient(replication::write);
    this.blockBytesMax = blockBytesMax;
    this.consistency = consistency;
  }

  @Override
  public BlockStore reading(ReadConsistency newConsistency) {
    return newConsistency == consistency
        ? this
        : new ReplicatedBlockStore(replication, reads, blockBytesMax, newConsistency);
  }

  @Override
  public PutResult put(Block block) {
    return putAll(List.of(block)).get(0);
  }

  @Override
  public List<PutResult> putAll(Collection<Block> blocks) {
    requireOpen();
    List<Block> all = StoreLimits.checked(blocks, blockBytesMax);
    List<PutResult> results = new ArrayList<>(all.size());
    int from = 0;
    while (from < all.size()) {
      int to = endOfWindow(all, from);
      List<CompletableFuture<WriteResult>> ends = new ArrayList<>();
      all.subList(from, to).forEach(block -> ends.add(begin(block)));
      // All of the window are waited for, so that none is still under way when one has failed.
      List<WriteResult> window = ends.stream().map(ReplicatedBlockStore::await).toList();
      for (int i = 0; i < window.size(); i++) {
        Block block = all.get(from + i);
        boolean isNew = outcome(window.get(i)) == Outcome.CREATED;
        results.add(new PutResult(block.cid(), block.size(), isNew));
      }
      from = to;
    }
    return results;
  }

  @Override
  public boolean delete(Cid cid) {
    requireOpen();
    if (cid.isIdentity()) {
      return false;
    }
    CompletableFuture<WriteResult> end = new CompletableFuture<>();
    client.delete(cid.multihash(), end::complete);
    return outcome(await(end)) == Outcome.DELETED;
  }

  @Override
  public Optional<Block> get(Cid cid) {
    return read(
        cid, () -> reads.get(cid), block -> Block.stored(cid, block.bytes(), block.crc32c()));
  }

  @Override
  public <T> Optional<T> view(Cid cid, Function<ByteBuffer, T> reader) {
    return read(cid, () -> reads.view(cid, reader), block -> reader.apply(block.bytes()));
  }

  @Override
  public OptionalInt size(Cid cid) {
    Optional<Integer> size = read(cid, () -> reads.size(cid), Block::size);
    return size.isPresent() ? OptionalInt.of(size.get()) : OptionalInt.empty();
  }

  @Override
  public BlockPage list(BlockCursor cursor, int limit) {
    requireOpen();
    if (consistency == ReadConsistency.LINEARIZABLE) {
      confirm();
    }
    return reads.list(cursor, limit);
  }

  @Override
  public RootStore roots() {
    return roots;
  }

  @Override
  public BlockStoreStatistics statistics() {
    return reads.statistics();
  }

  @Override
  public int blockBytesMax() {
    return blockBytesMax;
  }

  @Override
  public void close() {
    replication.close();
  }

  /**
   * A local read answers a hit at once, for the bytes prove themselves; a miss is confirmed, and so
   * is every linearizable read, by everything that was done before it having taken effect here.
   */
  private <T> Optional<T> read(Cid cid, Supplier<Optional<T>> here, Function<Block, T> elsewhere) {
    requireOpen();
    if (cid.isIdentity()) {
      return here.get();
    }
    Supplier<Optional<T>> read = () -> readOrMend(cid, here, elsewhere);
    if (consistency != ReadConsistency.LINEARIZABLE) {
      if (!replication.mayReadLocally()) {
        throw new StoreUnavailableException(
            "this member is no part of the cluster now, or is being brought up to date: read from"
                + " another one");
      }
      Optional<T> hit = read.get();
      if (hit.isPresent() || consistency == ReadConsistency.UNCONFIRMED) {
        return hit;
      }
    }
    confirm();
    return read.get();
  }

  /** A damaged copy is never served: another member's is, and takes its place here. */
  private <T> Optional<T> readOrMend(
      Cid cid, Supplier<Optional<T>> here, Function<Block, T> elsewhere) {
    try {
      return here.get();
    } catch (BlockDamagedException damaged) {
      CompletableFuture<Optional<Block>> copy = new CompletableFuture<>();
      replication.copy(cid, copy::complete);
      return Optional.of(elsewhere.apply(await(copy).orElseThrow(() -> damaged)));
    }
  }

  private void confirm() {
    CompletableFuture<Boolean> confirmed = new CompletableFuture<>();
    replication.read(confirmed::complete);
    if (!await(confirmed)) {
      requireOpen();
      throw new StoreUnavailableException(
          "no leader has confirmed the read in time: try again, or read with consistency=local");
    }
  }

  private CompletableFuture<WriteResult> begin(Block block) {
    if (block.cid().isIdentity()) {
      return CompletableFuture.completedFuture(new WriteResult.Done(Outcome.EXISTED, 0));
    }
    CompletableFuture<WriteResult> end = new CompletableFuture<>();
    client.put(block, reads.isLive(block.cid()), end::complete);
    return end;
  }

  private int endOfWindow(List<Block> blocks, int from) {
    long bytes = 0;
    int to = from;
    while (to < blocks.size() && (to == from || bytes + blocks.get(to).size() <= WINDOW_BYTES)) {
      bytes += blocks.get(to).size();
      to++;
    }
    return to;
  }

  private Outcome outcome(WriteResult result) {
    if (result instanceof WriteResult.Done done) {
      return done.outcome();
    }
    if (result instanceof WriteResult.Unknown) {
      throw new UnknownOutcomeException(
          "contact to the leader was lost: the write may or may not be done; doing it again"
              + " settles it");
    }
    WriteResult.Reason reason = ((WriteResult.NotDone) result).reason();
    throw switch (reason) {
      case NO_SPACE ->
          new NoSpaceException(
              "too few members have room for more blocks: delete blocks or free space; the put was"
                  + " not done");
      case STOPPING -> new StoreClosedException();
      case UNSUPPORTED ->
          new StoreUnavailableException(
              "not every member of the cluster is connected and knows of pins and references: run"
                  + " this release on all of them; not done");
      case BUSY ->
          new StoreUnavailableException(
              "too many writes are waiting already: try again a little later; not done");
      case NOT_LEADER, NO_LEADER ->
          new StoreUnavailableException(
              "the cluster has no leader that could be reached: try again; not done");
    };
  }

  /** The records beside the blocks: always read with everything that was done before. */
  private final class Roots implements RootStore {

    @Override
    public Optional<RootRecord> get(RootKey key) {
      requireOpen();
      confirm();
      return reads.engine().root(key);
    }

    @Override
    public List<RootRecord> list(RootKey prefix, Optional<RootKey> after, int limit) {
      requireOpen();
      confirm();
      return reads.engine().roots(prefix, after, limit);
    }

    @Override
    public boolean isLeading() {
      return replication.isLeading();
    }

    @Override
    public OptionalLong change(RootChanges changes) {
      WriteResult result = write(new BlockCommand.Roots(changes));
      return outcome(result) == Outcome.CHANGED && result instanceof WriteResult.Done done
          ? OptionalLong.of(done.index())
          : OptionalLong.empty();
    }

    @Override
    public boolean collect(GarbageBatch garbage) {
      return outcome(write(new BlockCommand.Collect(garbage))) == Outcome.COLLECTED;
    }

    @Override
    public long appliedIndex() {
      requireOpen();
      confirm();
      return reads.engine().status().applied();
    }

    @Override
    public OptionalLong lastPut(Multihash multihash) {
      return reads.lastPut(multihash);
    }

    @Override
    public boolean isElsewhere(Cid cid) {
      requireOpen();
      CompletableFuture<Optional<Block>> copy = new CompletableFuture<>();
      replication.copy(cid, copy::complete);
      return await(copy).isPresent();
    }

    @Override
    public void verify() {
      reads.engine().audit().countRoots();
    }

    @Override
    public Optional<UUID> origin() {
      return reads.engine().cluster();
    }

    @Override
    public FeedPage changesSince(long since, int entriesMax) {
      requireOpen();
      return reads.engine().effectsAfter(since, entriesMax);
    }

    private WriteResult write(BlockCommand command) {
      requireOpen();
      CompletableFuture<WriteResult> end = new CompletableFuture<>();
      replication.write(command, end::complete);
      return await(end);
    }
  }

  private void requireOpen() {
    if (replication.isClosed()) {
      throw new StoreClosedException();
    }
  }

  /** Waits through interrupts: the write is under way in any case. */
  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      throw new IllegalStateException(e);
    }
  }
}
