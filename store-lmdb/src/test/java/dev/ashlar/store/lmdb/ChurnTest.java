package dev.ashlar.store.lmdb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.TestBlocks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file does not grow without bound while blocks come and go. */
class ChurnTest {

  private static final long LIVE_BYTES = 6 << 20;
  private static final int ROUNDS = 12;

  @TempDir Path directory;

  /** Sizes that do not fit into each other's places: pages, several pages, many pages. */
  @Test
  void fillingDeletingAndRefillingWithOtherSizesKeepsTheFileInBounds() throws IOException {
    int[] sizes = {700, 3_000, 5_000, 40_000, 130_000, 1_000_000};
    long most = 0;
    int next = 0;
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      for (int round = 0; round < ROUNDS; round++) {
        int size = sizes[(5 * round) % sizes.length];
        List<Block> blocks = new ArrayList<>();
        for (long bytes = 0; bytes < LIVE_BYTES; bytes += size) {
          blocks.add(TestBlocks.numbered(next++, size));
        }
        store.putAll(blocks);
        store.compact();
        most = Math.max(most, Files.size(directory.resolve("data.mdb")));
        blocks.parallelStream().map(Block::cid).forEach(store::delete);
        store.compact();
      }
      assertThat(store.statistics().blocks()).isZero();
    }
    assertThat(most).isLessThan(3 * LIVE_BYTES);
  }

  /** What is freed lies between blocks that stay, and the next ones have another size. */
  @Test
  void gapsBetweenBlocksThatStayAreUsedAgain() throws IOException {
    int[] sizes = {700, 3_000, 5_000, 40_000, 130_000};
    Deque<Block> live = new ArrayDeque<>();
    long liveBytes = 0;
    long most = 0;
    int next = 0;
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      for (int round = 0; round < ROUNDS; round++) {
        int size = sizes[(3 * round) % sizes.length];
        List<Block> blocks = new ArrayList<>();
        for (; liveBytes < LIVE_BYTES; liveBytes += size) {
          blocks.add(TestBlocks.numbered(next++, size));
        }
        store.putAll(blocks);
        live.addAll(blocks);
        store.compact();
        most = Math.max(most, Files.size(directory.resolve("data.mdb")));
        List<Block> gone = new ArrayList<>();
        for (int i = live.size(); i > 0; i--) {
          Block block = live.removeFirst();
          if (i % 2 == 0) {
            gone.add(block);
            liveBytes -= block.size();
          } else {
            live.addLast(block);
          }
        }
        gone.parallelStream().map(Block::cid).forEach(store::delete);
        store.compact();
      }
      assertThat(store.statistics().blocks()).isEqualTo(live.size());
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
    }
    assertThat(most).isLessThan(5 * LIVE_BYTES);
  }
}
