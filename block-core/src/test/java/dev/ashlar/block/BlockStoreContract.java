package dev.ashlar.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every {@link BlockStore} must do. A store's test extends this and says how to open an empty
 * one; the class is published as a test-jar, so that stores made elsewhere can be held to it.
 */
public abstract class BlockStoreContract {

  /** The limit that {@link #openEmpty} has to set. */
  protected static final int BLOCK_BYTES_MAX = 64 << 10;

  @SuppressWarnings("NullAway.Init")
  private BlockStore store;

  /**
   * Opens a store that has no block.
   *
   * @param blockBytesMax the largest block that it should take
   */
  protected abstract BlockStore openEmpty(int blockBytesMax) throws Exception;

  @BeforeEach
  final void open() throws Exception {
    store = openEmpty(BLOCK_BYTES_MAX);
  }

  @AfterEach
  final void close() {
    store.close();
  }

  /** The store under test, for what a subclass adds. */
  protected final BlockStore store() {
    return store;
  }

  @Test
  void aPutBlockComesBackWithTheSameBytes() {
    Block block = TestBlocks.numbered(1, 1000);

    PutResult result = store.put(block);

    assertThat(result).isEqualTo(new PutResult(block.cid(), 1000, true));
    assertThat(store.get(block.cid()).orElseThrow().toByteArray()).isEqualTo(block.toByteArray());
    assertThat(store.has(block.cid())).isTrue();
    assertThat(store.size(block.cid())).hasValue(1000);
    assertThat(store.view(block.cid(), ByteBuffer::remaining)).contains(1000);
  }

  @Test
  void anAbsentBlockIsAResultAndNoError() {
    Cid cid = TestBlocks.numbered(2, 10).cid();

    assertThat(store.get(cid)).isEmpty();
    assertThat(store.has(cid)).isFalse();
    assertThat(store.size(cid)).isEmpty();
    assertThat(store.view(cid, ByteBuffer::remaining)).isEmpty();
    assertThat(store.delete(cid)).isFalse();
  }

  @Test
  void theSecondPutOfABlockSaysThatItExisted() {
    Block block = TestBlocks.numbered(3, 10);

    assertThat(store.put(block).isNew()).isTrue();
    assertThat(store.put(block).isNew()).isFalse();
    assertThat(store.statistics().blocks()).isEqualTo(1);
    assertThat(store.statistics().bytes()).isEqualTo(10);
  }

  @Test
  void aDeletedBlockIsGoneUntilItIsPutAgain() {
    Block block = TestBlocks.numbered(4, 10);
    store.put(block);

    assertThat(store.delete(block.cid())).isTrue();
    assertThat(store.delete(block.cid())).isFalse();
    assertThat(store.get(block.cid())).isEmpty();
    assertThat(store.statistics().blocks()).isZero();
    assertThat(store.statistics().bytes()).isZero();
    assertThat(store.put(block).isNew()).isTrue();
    assertThat(store.get(block.cid())).contains(block);
  }

  @Test
  void everyCidOfAMultihashNamesTheSameBytes() {
    Block raw = TestBlocks.numbered(5, 100);
    Cid version0 = Cid.v0(raw.cid().multihash());
    Cid asCbor = raw.cid().withCodec(Multicodec.DAG_CBOR);
    store.put(raw);

    assertThat(store.get(version0).orElseThrow().cid()).isEqualTo(version0);
    assertThat(store.get(asCbor).orElseThrow().toByteArray()).isEqualTo(raw.toByteArray());
    assertThat(store.put(Block.verified(version0, raw.bytes())).isNew()).isFalse();
    assertThat(store.delete(asCbor)).isTrue();
    assertThat(store.has(raw.cid())).isFalse();
  }

  @Test
  void aListingHasTheCodecOfTheFirstPut() {
    Block block = TestBlocks.numbered(6, 100);
    Cid asPb = block.cid().withCodec(Multicodec.DAG_PB);
    store.put(Block.verified(Cid.v0(block.cid().multihash()), block.bytes()));
    store.put(block);

    assertThat(store.list(BlockCursor.START, 10).entries())
        .containsExactly(new BlockPage.Entry(asPb, 100));
  }

  @Test
  void anEmptyBlockIsABlock() {
    Block empty = Block.copyOf(new byte[0]);

    assertThat(store.put(empty).isNew()).isTrue();
    assertThat(store.get(empty.cid()).orElseThrow().size()).isZero();
    assertThat(store.view(empty.cid(), ByteBuffer::remaining)).contains(0);
    assertThat(store.statistics().blocks()).isEqualTo(1);
  }

  @Test
  void anIdentityBlockIsAlwaysThereAndNeverStored() {
    Cid cid = Cid.v1(Multicodec.RAW, Multihash.of(Multihash.IDENTITY, new byte[] {1, 2}));

    assertThat(store.put(Block.inline(cid)).isNew()).isFalse();
    assertThat(store.get(cid).orElseThrow().toByteArray()).containsExactly(1, 2);
    assertThat(store.has(cid)).isTrue();
    assertThat(store.size(cid)).hasValue(2);
    assertThat(store.view(cid, ByteBuffer::remaining)).contains(2);
    assertThat(store.delete(cid)).isFalse();
    assertThat(store.list(BlockCursor.START, 10).entries()).isEmpty();
    assertThat(store.statistics().blocks()).isZero();
  }

  @Test
  void theLargestBlockIsTakenAndOneByteMoreIsNot() {
    Block largest = TestBlocks.numbered(7, BLOCK_BYTES_MAX);
    Block tooLarge = TestBlocks.numbered(8, BLOCK_BYTES_MAX + 1);

    assertThat(store.blockBytesMax()).isEqualTo(BLOCK_BYTES_MAX);
    assertThat(store.put(largest).isNew()).isTrue();
    assertThat(store.get(largest.cid())).contains(largest);
    assertThatThrownBy(() -> store.put(tooLarge)).isInstanceOf(BlockTooLargeException.class);
    assertThat(store.has(tooLarge.cid())).isFalse();
  }

  @Test
  void manyAreRefusedWholeWhenOneIsTooLarge() {
    Block fine = TestBlocks.numbered(9, 10);

    assertThatThrownBy(
            () -> store.putAll(List.of(fine, TestBlocks.numbered(10, BLOCK_BYTES_MAX + 1))))
        .isInstanceOf(BlockTooLargeException.class);
    assertThat(store.has(fine.cid())).isFalse();
  }

  @Test
  void manyArePutAndGotInTheirOrder() {
    List<Block> blocks = new ArrayList<>(TestBlocks.many(100, 500, 3000));
    blocks.add(blocks.get(7));

    List<PutResult> results = store.putAll(blocks);

    assertThat(results).extracting(PutResult::cid).containsExactlyElementsOf(cids(blocks));
    assertThat(results.subList(0, 500)).allMatch(PutResult::isNew);
    assertThat(results.get(500).isNew()).isFalse();
    List<Optional<Block>> got = new ArrayList<>();
    List<Cid> wanted = new ArrayList<>(cids(blocks));
    wanted.add(TestBlocks.numbered(99, 1).cid());
    store.getAll(wanted, (cid, block) -> got.add(block));
    assertThat(got).hasSize(502);
    assertThat(got.subList(0, 501)).extracting(Optional::orElseThrow).isEqualTo(blocks);
    assertThat(got.get(501)).isEmpty();
    assertThat(store.putAll(List.of())).isEmpty();
  }

  @Test
  void aViewIsReadOnlyAndHasTheBytes() {
    Block block = TestBlocks.numbered(11, 5000);
    store.put(block);

    byte[] seen =
        store
            .view(
                block.cid(),
                bytes -> {
                  assertThat(bytes.isReadOnly()).isTrue();
                  byte[] copy = new byte[bytes.remaining()];
                  bytes.get(copy);
                  return copy;
                })
            .orElseThrow();

    assertThat(seen).isEqualTo(block.toByteArray());
  }

  @Test
  void aBlockWhoseBufferWasChangedIsRefused() {
    byte[] bytes = {1, 2, 3};
    Block block = Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes));
    bytes[1] = 9;

    assertThatThrownBy(() -> store.put(block)).isInstanceOf(IllegalArgumentException.class);
    assertThat(store.has(block.cid())).isFalse();
  }

  @Test
  void listingIsOrderedCompleteAndResumableWithAnyPageSize() {
    TreeMap<Multihash, Integer> expected = new TreeMap<>();
    for (Block block : TestBlocks.many(1000, 300, 20)) {
      store.put(block);
      expected.put(block.cid().multihash(), block.size());
    }
    for (Multihash gone : List.copyOf(expected.keySet()).subList(50, 90)) {
      store.delete(Cid.v1(Multicodec.RAW, gone));
      expected.remove(gone);
    }

    for (int limit : new int[] {1, 7, 260, 10_000}) {
      List<Multihash> seen = new ArrayList<>();
      Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
      while (cursor.isPresent()) {
        BlockPage page = store.list(BlockCursor.parse(cursor.get().toString()), limit);
        assertThat(page.entries()).hasSizeLessThanOrEqualTo(limit);
        page.entries().forEach(entry -> seen.add(entry.cid().multihash()));
        cursor = page.next();
      }
      assertThat(seen).as("page size %d", limit).containsExactlyElementsOf(expected.keySet());
    }
    assertThatThrownBy(() -> store.list(BlockCursor.START, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.list(BlockCursor.START, BlockStore.LIST_LIMIT_MAX + 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aListingDuringWritesShowsEveryLastingBlockOnce() throws Exception {
    List<Block> lasting = TestBlocks.many(2000, 400, 30);
    store.putAll(lasting);
    AtomicBoolean stop = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Boolean>> churn = new ArrayList<>();
      for (int t = 0; t < 2; t++) {
        int first = 10_000 * (t + 1);
        churn.add(threads.submit(() -> churn(first, stop)));
      }

      for (int round = 0; round < 5; round++) {
        List<Multihash> seen = new ArrayList<>();
        Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
        while (cursor.isPresent()) {
          BlockPage page = store.list(cursor.get(), 16);
          page.entries().forEach(entry -> seen.add(entry.cid().multihash()));
          cursor = page.next();
        }
        assertThat(seen).isSorted().doesNotHaveDuplicates();
        assertThat(seen).containsAll(lasting.stream().map(b -> b.cid().multihash()).toList());
      }

      stop.set(true);
      for (Future<Boolean> each : churn) {
        each.get();
      }
    } finally {
      stop.set(true);
      threads.shutdown();
    }
  }

  @Test
  void oneOfManyConcurrentPutsOfABlockIsNew() throws Exception {
    Block block = TestBlocks.numbered(12, 100);

    List<PutResult> results = together(16, () -> store.put(block));

    assertThat(results).filteredOn(PutResult::isNew).hasSize(1);
    assertThat(together(16, () -> store.delete(block.cid())))
        .filteredOn(deleted -> deleted)
        .hasSize(1);
  }

  @Test
  void concurrentCallersSeeTheirOwnWrites() throws Exception {
    long seed = Seeds.next();
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<Map<Block, Boolean>>> workers = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int worker = t;
        workers.add(threads.submit(() -> work(worker, seed)));
      }

      Map<Block, Boolean> expected = new HashMap<>();
      for (Future<Map<Block, Boolean>> worker : workers) {
        expected.putAll(worker.get());
      }

      long live = 0;
      for (Map.Entry<Block, Boolean> each : expected.entrySet()) {
        assertThat(store.has(each.getKey().cid()))
            .as("ashlar.seed=%d", seed)
            .isEqualTo(each.getValue());
        live += each.getValue() ? 1 : 0;
      }
      assertThat(store.statistics().blocks()).isEqualTo(live);
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void anInterruptedCallerIsServedAndStaysInterrupted() {
    Block block = TestBlocks.numbered(13, 100);
    Thread.currentThread().interrupt();
    try {
      assertThat(store.put(block).isNew()).isTrue();
      assertThat(store.get(block.cid())).contains(block);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void closingWhileInUseFinishesWhatWasBegunAndRefusesTheRest() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    CountDownLatch begun = new CountDownLatch(4);
    try {
      List<Future<Integer>> writers = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int first = 20_000 * (t + 1);
        writers.add(threads.submit(() -> putUntilClosed(first, begun)));
      }
      begun.await();

      store.close();

      for (Future<Integer> writer : writers) {
        assertThat(writer.get()).isPositive();
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void aClosedStoreRefusesEverythingButClosing() {
    Block block = TestBlocks.numbered(14, 10);
    store.put(block);

    store.close();
    store.close();

    assertThatThrownBy(() -> store.put(block)).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> store.putAll(List.of(block))).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> store.get(block.cid())).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> store.has(block.cid())).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> store.delete(block.cid())).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> store.list(BlockCursor.START, 1))
        .isInstanceOf(StoreClosedException.class);
  }

  @Test
  void aModelAgreesWithRandomOperations() {
    long seed = Seeds.next();
    Random random = new Random(seed);
    List<Block> blocks = TestBlocks.many(30_000, 60, 50);
    Set<Block> live = new HashSet<>();
    for (int i = 0; i < 1500; i++) {
      Block block = blocks.get(random.nextInt(blocks.size()));
      switch (random.nextInt(4)) {
        case 0 ->
            assertThat(store.put(block).isNew()).as("seed %d", seed).isEqualTo(live.add(block));
        case 1 ->
            assertThat(store.delete(block.cid())).as("seed %d", seed).isEqualTo(live.remove(block));
        case 2 ->
            assertThat(store.get(block.cid()))
                .as("seed %d", seed)
                .isEqualTo(live.contains(block) ? Optional.of(block) : Optional.empty());
        default ->
            assertThat(store.statistics().blocks()).as("seed %d", seed).isEqualTo(live.size());
      }
    }
    assertThat(store.statistics().bytes()).isEqualTo(50L * live.size());
  }

  private boolean churn(int first, AtomicBoolean stop) {
    for (int i = 0; !stop.get(); i++) {
      Block block = TestBlocks.numbered(first + i % 200, 30);
      store.put(block);
      store.delete(block.cid());
    }
    return true;
  }

  private Map<Block, Boolean> work(int worker, long seed) {
    Random random = new Random(seed + worker);
    Map<Block, Boolean> mine = new HashMap<>();
    for (int i = 0; i < 150; i++) {
      Block block = TestBlocks.numbered(100_000L * (worker + 1) + random.nextInt(40), 200);
      boolean wasThere = mine.getOrDefault(block, false);
      if (random.nextBoolean()) {
        assertThat(store.put(block).isNew()).as("ashlar.seed=%d", seed).isEqualTo(!wasThere);
        assertThat(store.get(block.cid())).as("ashlar.seed=%d", seed).contains(block);
        mine.put(block, true);
      } else {
        assertThat(store.delete(block.cid())).as("ashlar.seed=%d", seed).isEqualTo(wasThere);
        assertThat(store.has(block.cid())).as("ashlar.seed=%d", seed).isFalse();
        mine.put(block, false);
      }
    }
    return mine;
  }

  private int putUntilClosed(int first, CountDownLatch begun) {
    int done = 0;
    while (true) {
      try {
        store.put(TestBlocks.numbered(first + done, 100));
      } catch (StoreClosedException e) {
        return done;
      }
      done++;
      if (done == 3) {
        begun.countDown();
      }
    }
  }

  private static <T> List<T> together(int callers, Callable<T> call) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(callers);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> each : threads.invokeAll(Collections.nCopies(callers, call))) {
        results.add(each.get());
      }
      return results;
    } finally {
      threads.shutdown();
    }
  }

  private static List<Cid> cids(List<Block> blocks) {
    return blocks.stream().map(Block::cid).toList();
  }
}
