package dev.ashlar.store.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreContract;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.engine.StoreLimits;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class MemoryBlockStoreTest extends BlockStoreContract {

  @Override
  protected BlockStore openEmpty(int blockBytesMax) {
    return MemoryBlockStore.open(
        256 << 20, StoreLimits.DEFAULT.withBlockBytesMax(blockBytesMax).withReserveBytes(1 << 20));
  }

  @Test
  void oneCallersChangedBufferFailsNobodyElse() throws Exception {
    try (MemoryBlockStore store = MemoryBlockStore.open()) {
      AtomicInteger failures = new AtomicInteger();
      Thread spoiler =
          new Thread(
              () -> {
                for (int i = 0; i < 500; i++) {
                  byte[] bytes = {1, 2, (byte) i};
                  Block block =
                      Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes));
                  bytes[0] = 9;
                  try {
                    store.put(block);
                  } catch (IllegalArgumentException e) {
                    failures.incrementAndGet();
                  }
                }
              });
      spoiler.start();
      for (int i = 0; i < 2000; i++) {
        assertThat(store.put(TestBlocks.numbered(i, 50)).isNew()).isTrue();
      }
      spoiler.join();
      assertThat(failures).hasValue(500);
    }
  }

  @Test
  void aFullStoreRefusesPutsServesReadsAndDeletesAndTakesPutsAgainAfterCompaction() {
    StoreLimits limits = StoreLimits.DEFAULT.withReserveBytes(100_000);
    try (MemoryBlockStore store = MemoryBlockStore.open(1 << 20, limits)) {
      List<Block> stored = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  Block block = TestBlocks.numbered(i, 10_000);
                  store.put(block);
                  stored.add(block);
                }
              })
          .isInstanceOf(NoSpaceException.class);

      assertThat(stored).hasSizeGreaterThan(50);
      for (Block block : stored) {
        assertThat(store.get(block.cid())).contains(block);
      }
      for (Block block : stored.subList(0, 40)) {
        assertThat(store.delete(block.cid())).isTrue();
      }
      store.compact();

      assertThat(store.statistics().reclaimableBytes()).isZero();
      assertThat(store.put(TestBlocks.numbered(5000, 10_000)).isNew()).isTrue();
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
    }
  }
}
