package dev.ashlar.server.chaos;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashMismatchException;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.history.BlockHistory;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Clients that put, delete and get a few blocks again and again, and put others once. What they ask
 * and hear is kept: the history of the few, and the names of those that were acknowledged.
 *
 * <p>The few are others after a while, so that each has a short history, which can be checked.
 */
final class Workload {

  private static final int HOT_BLOCKS = 12;
  private static final long HOT_NANOS = TimeUnit.SECONDS.toNanos(20);
  private static final int UNIQUE_PERCENT = 25;
  private static final int UNIQUE_BYTES_MAX = 4000;
  private static final int PAUSE_MILLIS_MAX = 8;
  private static final int FAILURE_PAUSE_MILLIS = 100;

  private final List<? extends BlockStore> stores;
  private final long seed;
  private final BlockHistory history = new BlockHistory();
  private final ConcurrentLinkedQueue<Cid> acknowledged = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
  private final Map<BlockHistory.End, Long> ends = new EnumMap<>(BlockHistory.End.class);
  private final AtomicInteger nextUnique = new AtomicInteger();
  private final List<Thread> threads = new ArrayList<>();
  private final long beganNanos = System.nanoTime();
  private final AtomicLong lastWriteNanos = new AtomicLong(beganNanos);
  private final AtomicLong longestGapNanos = new AtomicLong();
  private volatile boolean stopping;

  /**
   * @param stores one for each node
   * @param seed of what is asked; when it happens is the machine's
   */
  Workload(List<? extends BlockStore> stores, long seed) {
    this.stores = stores;
    this.seed = seed;
  }

  void start(int clients) {
    for (int i = 0; i < clients; i++) {
      Random random = new Random(seed + i);
      Thread thread = new Thread(() -> run(random), "ashlar-chaos-client-" + i);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
  }

  void stop() throws InterruptedException {
    stopping = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }

  /** Asks for every one of the few, now. */
  void readAllHot(BlockStore store) {
    for (int block = 0; block < hotFrom() + HOT_BLOCKS; block++) {
      read(store, block);
    }
  }

  BlockHistory history() {
    return history;
  }

  /** Every block that was put once, and whose put was acknowledged. */
  List<Cid> acknowledged() {
    return List.copyOf(acknowledged);
  }

  /** Answers that are wrong whatever else happened. */
  List<String> wrong() {
    return List.copyOf(wrong);
  }

  /** How often each end was seen, and how long it took at the longest until the next write. */
  String summary() {
    return String.format(
        "%d operations, %d blocks put once and acknowledged, ends %s; longest time without an"
            + " acknowledged write %.1f s",
        history.size(), acknowledged.size(), ends, longestGapNanos.get() / 1e9);
  }

  private void run(Random random) {
    int at = random.nextInt(stores.size());
    while (!stopping) {
      BlockStore store = stores.get(at);
      boolean answered =
          random.nextInt(100) < UNIQUE_PERCENT ? putUnique(store, random) : askHot(store, random);
      try {
        TimeUnit.MILLISECONDS.sleep(
            answered ? random.nextInt(PAUSE_MILLIS_MAX) : FAILURE_PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      if (!answered || random.nextInt(20) == 0) {
        at = random.nextInt(stores.size());
      }
    }
  }

  private int hotFrom() {
    return HOT_BLOCKS * (int) ((System.nanoTime() - beganNanos) / HOT_NANOS);
  }

  private boolean askHot(BlockStore store, Random random) {
    int block = hotFrom() + random.nextInt(HOT_BLOCKS);
    int dice = random.nextInt(10);
    if (dice < 4) {
      return read(store, block);
    }
    return dice < 8 ? put(store, block) : delete(store, block);
  }

  private boolean putUnique(BlockStore store, Random random) {
    int number = nextUnique.incrementAndGet();
    byte[] bytes = new byte[Long.BYTES * 2 + random.nextInt(UNIQUE_BYTES_MAX)];
    random.nextBytes(bytes);
    Block block = Block.copyOf(ByteBuffer.wrap(bytes).putLong(seed).putLong(number).array());
    try {
      store.put(block);
      acknowledged.add(block.cid());
      written();
      return true;
    } catch (BlockException | UncheckedIOException e) {
      return false;
    }
  }

  private boolean put(BlockStore store, int block) {
    return write(
        block,
        BlockHistory.Kind.PUT,
        () ->
            store.put(hot(block)).isNew() ? BlockHistory.End.CHANGED : BlockHistory.End.UNCHANGED);
  }

  private boolean delete(BlockStore store, int block) {
    return write(
        block,
        BlockHistory.Kind.DELETE,
        () ->
            store.delete(hot(block).cid()) ? BlockHistory.End.CHANGED : BlockHistory.End.UNCHANGED);
  }

  /** A call to a store, which says how it ended. */
  private interface Call {
    BlockHistory.End make();
  }

  private boolean write(int block, BlockHistory.Kind kind, Call call) {
    BlockHistory.Operation operation = history.begin(block, kind);
    try {
      end(operation, call.make());
      written();
      return true;
    } catch (NoSpaceException | StoreUnavailableException e) {
      end(operation, BlockHistory.End.NOT_DONE);
    } catch (BlockException e) {
      end(operation, BlockHistory.End.UNKNOWN);
    } catch (UncheckedIOException e) {
      boolean reached = !(e.getCause() instanceof ConnectException);
      end(operation, reached ? BlockHistory.End.UNKNOWN : BlockHistory.End.NOT_DONE);
    }
    return false;
  }

  private boolean read(BlockStore store, int block) {
    BlockHistory.Operation operation = history.begin(block, BlockHistory.Kind.READ);
    try {
      Optional<Block> found = store.get(hot(block).cid());
      end(operation, found.isPresent() ? BlockHistory.End.PRESENT : BlockHistory.End.ABSENT);
      return true;
    } catch (HashMismatchException e) {
      wrong.add("bytes that are not those of the block: " + e.getMessage());
    } catch (BlockException | UncheckedIOException e) {
      end(operation, BlockHistory.End.UNKNOWN);
    }
    return false;
  }

  private void end(BlockHistory.Operation operation, BlockHistory.End end) {
    if (end != BlockHistory.End.UNKNOWN) {
      history.end(operation, end);
    }
    synchronized (ends) {
      ends.merge(end, 1L, Long::sum);
    }
  }

  private void written() {
    long now = System.nanoTime();
    long gap = now - lastWriteNanos.getAndSet(now);
    longestGapNanos.accumulateAndGet(gap, Math::max);
  }

  private Block hot(int block) {
    return Block.copyOf(
        ("hot block " + seed + " " + block + " ")
            .repeat(1 + block % 50)
            .getBytes(StandardCharsets.UTF_8));
  }
}
