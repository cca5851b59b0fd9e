package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChanges;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets concurrent callers share a durable transaction without a thread of its own: the first one
 * commits for itself and for those that wait behind it, then hands over to the next that waits.
 * What arrives during a sync is the next batch.
 */
final class GroupCommit {

  /** What a block takes beside its bytes: log, headers, index, and pages that are copied. */
  private static final long BLOCK_OVERHEAD_BYTES = 1024;

  /** How much is written between two looks at how much is free. */
  private static final long ROOM_RECHECK_BYTES = 4 << 20;

  /** More transactions than any compaction takes that is not outrun by writers. */
  private static final int COMPACT_BATCHES_MAX = 1_000_000;

  private final StorageEngine engine;
  private final StoreLimits limits;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Request> waiting = new ArrayDeque<>();
  private boolean led;
  private long roomBytes;

  GroupCommit(StorageEngine engine, StoreLimits limits) {
    this.engine = engine;
    this.limits = limits;
  }

  /** Puts blocks in one transaction. Blocks until it is durable. */
  List<PutResult> putAll(List<Block> blocks) {
    PutRequest request = new PutRequest(blocks);
    submit(request);
    return request.results;
  }

  /** Deletes a block. Blocks until that is durable. */
  boolean delete(Multihash multihash) {
    CommandRequest request = new CommandRequest(new Command.Delete(multihash));
    submit(request);
    return request.outcome == Outcome.DELETED;
  }

  /** Changes roots, all at an index or none. Blocks until it is durable. */
  OptionalLong change(RootChanges changes) {
    CommandRequest request = new CommandRequest(new Command.Roots(changes));
    submit(request);
    return request.outcome == Outcome.CHANGED
        ? OptionalLong.of(request.index)
        : OptionalLong.empty();
  }

  /**
   * Deletes what still is garbage; false where a root was set since. Blocks until it is durable.
   */
  boolean collect(GarbageBatch garbage) {
    CommandRequest request = new CommandRequest(new Command.Collect(garbage));
    submit(request);
    return request.outcome == Outcome.COLLECTED;
  }

  /** Folds and drops all that was applied when it was called. */
  void compact() {
    long target = engine.status().applied();
    if (engine.damage().isPresent()) {
      target = Math.min(target, engine.damage().get().index() - 1);
    }
    for (int i = 0; engine.status().base().index() < target; i++) {
      if (i == COMPACT_BATCHES_MAX) {
        throw new StoreUnavailableException("compaction is outrun by writes; try again later");
      }
      engine.freeze();
      try (EngineBatch batch = engine.begin()) {
        batch.compactTo(Long.MAX_VALUE);
        batch.commit();
      }
    }
  }

  private void submit(Request request) {
    boolean leads;
    lock.lock();
    try {
      leads = !led;
      led = true;
      if (!leads) {
        waiting.add(request);
      }
    } finally {
      lock.unlock();
    }
    if (leads || request.awaitsLead()) {
      lead(request);
    }
    request.throwFailure();
  }

  /** Commits one batch that begins with the request, then hands over. */
  private void lead(Request first) {
    List<Request> batch = List.of(first);
    try {
      batch = withWaiting(first);
      commit(batch);
    } catch (Throwable e) {
      batch.forEach(request -> request.failIfOpen(e));
      throw e;
    } finally {
      handOver();
      batch.forEach(Request::finish);
    }
  }

  private List<Request> withWaiting(Request first) {
    List<Request> batch = new ArrayList<>();
    batch.add(first);
    long bytes = first.bytes();
    long blocks = first.blocks();
    lock.lock();
    try {
      while (!waiting.isEmpty()) {
        Request next = waiting.element();
        bytes += next.bytes();
        blocks += next.blocks();
        if (bytes > limits.batchBytesMax() || blocks > limits.batchBlocksMax()) {
          return batch;
        }
        batch.add(waiting.remove());
      }
      return batch;
    } finally {
      lock.unlock();
    }
  }

  private void handOver() {
    lock.lock();
    try {
      Request next = waiting.poll();
      if (next == null) {
        led = false;
      } else {
        next.giveLead();
      }
    } finally {
      lock.unlock();
    }
  }

  private void commit(List<Request> batch) {
    List<Request> allowed = new ArrayList<>(batch);
    long bytes = batch.stream().mapToLong(Request::bytesOnDisk).sum();
    if (bytes > 0 && !hasRoomFor(bytes)) {
      refusePuts(allowed, Optional.empty());
    }
    if (allowed.isEmpty()) {
      return;
    }
    try {
      write(allowed, true);
    } catch (NoSpaceException e) {
      roomBytes = 0;
      refusePuts(allowed, Optional.of(e));
      if (!allowed.isEmpty()) {
        write(allowed, false);
      }
    }
  }

  private void refusePuts(List<Request> batch, Optional<NoSpaceException> cause) {
    String message =
        "the storage is full, or within its reserve of "
            + limits.reserveBytes()
            + " bytes: delete blocks or free space; the put was not done";
    for (Request request : batch) {
      if (request instanceof PutRequest) {
        request.failIfOpen(
            cause.isPresent()
                ? new NoSpaceException(message, cause.get())
                : new NoSpaceException(message));
      }
    }
    batch.removeIf(request -> request instanceof PutRequest);
  }

  private void write(List<Request> batch, boolean folds) {
    try (EngineBatch transaction = engine.begin()) {
      // The term of a store that no cluster has led yet; a cluster of one goes on from there.
      long term = Math.max(1, Math.max(engine.hardState().term(), transaction.last().term()));
      for (Request request : batch) {
        request.stage(transaction, term);
      }
      if (folds) {
        transaction.compactTo(Long.MAX_VALUE);
      } else {
        transaction.leaveFolding();
      }
      transaction.commit();
    } catch (StoreFailedException e) {
      engine.failed(e);
      throw e;
    }
  }

  private boolean hasRoomFor(long bytes) {
    if (roomBytes < bytes) {
      long free = engine.freeBytes() - limits.reserveBytes();
      if (free < bytes) {
        return false;
      }
      roomBytes = Math.min(free, Math.max(bytes, ROOM_RECHECK_BYTES));
    }
    roomBytes -= bytes;
    return true;
  }

  /** What one caller waits for. */
  private abstract static class Request {

    private enum Phase {
      WAITING,
      LEADING,
      DONE
    }

    private final Thread owner = Thread.currentThread();
    private volatile Phase phase = Phase.WAITING;
    private Optional<Throwable> failure = Optional.empty();

    abstract long bytes();

    abstract int blocks();

    /** What the request may take in storage, 0 for one that may use the reserve. */
    abstract long bytesOnDisk();

    /** Puts the request's entries into the batch and applies them. */
    abstract void stage(EngineBatch batch, long term);

    /** Waits; true when the caller has to commit, false when its request is done. */
    boolean awaitsLead() {
      boolean interrupted = false;
      while (phase == Phase.WAITING) {
        LockSupport.park(this);
        interrupted |= Thread.interrupted();
      }
      if (interrupted) {
        owner.interrupt();
      }
      return phase == Phase.LEADING;
    }

    void giveLead() {
      phase = Phase.LEADING;
      LockSupport.unpark(owner);
    }

    void failIfOpen(Throwable why) {
      if (failure.isEmpty()) {
        failure = Optional.of(why);
      }
    }

    void finish() {
      phase = Phase.DONE;
      LockSupport.unpark(owner);
    }

    void throwFailure() {
      if (failure.isPresent()) {
        if (failure.get() instanceof Error error) {
          throw error;
        }
        throw (RuntimeException) failure.get();
      }
    }
  }

  private static final class PutRequest extends Request {

    private final List<Block> blocks;
    private final long bytes;
    private List<PutResult> results = List.of();

    PutRequest(List<Block> blocks) {
      this.blocks = blocks;
      this.bytes = blocks.stream().mapToLong(Block::size).sum();
    }

    @Override
    long bytes() {
      return bytes;
    }

    @Override
    int blocks() {
      return blocks.size();
    }

    @Override
    long bytesOnDisk() {
      return bytes + bytes / 4 + BLOCK_OVERHEAD_BYTES * blocks.size();
    }

    @Override
    void stage(EngineBatch batch, long term) {
      List<PutResult> staged = new ArrayList<>(blocks.size());
      for (Block block : blocks) {
        boolean isNew = !block.cid().isIdentity() && stage(batch, term, block);
        staged.add(new PutResult(block.cid(), block.size(), isNew));
      }
      results = staged;
    }

    private static boolean stage(EngineBatch batch, long term, Block block) {
      Multihash multihash = block.cid().multihash();
      if (batch.isLive(multihash)) {
        if (batch.isKnownDamaged(multihash)) {
          batch.repair(block);
        }
        batch.append(term, new Command.Touch(multihash));
      } else {
        batch.appendPut(term, block);
      }
      return batch.applyTo(batch.last().index()).get(0) == Outcome.CREATED;
    }
  }

  /** A write without bytes. */
  private static final class CommandRequest extends Request {

    private final Command command;
    private Outcome outcome = Outcome.NONE;
    private long index;

    CommandRequest(Command command) {
      this.command = command;
    }

    @Override
    long bytes() {
      return 0;
    }

    @Override
    int blocks() {
      return 1;
    }

    @Override
    long bytesOnDisk() {
      return 0;
    }

    @Override
    void stage(EngineBatch batch, long term) {
      index = batch.append(term, command);
      outcome = batch.applyTo(batch.last().index()).get(0);
    }
  }
}
