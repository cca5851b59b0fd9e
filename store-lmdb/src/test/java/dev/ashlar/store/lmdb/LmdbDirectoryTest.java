package dev.ashlar.store.lmdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.StoreLockedException;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.engine.StoreLimits;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LmdbDirectoryTest {

  @TempDir Path directory;

  @Test
  void whatWasPutIsThereAfterClosingAndOpening() {
    List<Block> blocks = TestBlocks.many(1, 300, 2000);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      store.putAll(blocks);
      store.delete(blocks.get(0).cid());
    }

    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      assertThat(store.has(blocks.get(0).cid())).isFalse();
      for (Block block : blocks.subList(1, 300)) {
        assertThat(store.get(block.cid())).contains(block);
      }
      assertThat(store.statistics().blocks()).isEqualTo(299);
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
    }
  }

  @Test
  void aSecondOpenInThisProcessIsRefusedWithItsPidAndLeavesTheFirstAlone() {
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      assertThatThrownBy(() -> LmdbBlockStore.open(directory))
          .isInstanceOfSatisfying(
              StoreLockedException.class,
              e -> assertThat(e.ownerPid()).hasValue(ProcessHandle.current().pid()));
      assertThat(store.put(TestBlocks.numbered(1, 10)).isNew()).isTrue();
    }
    LmdbBlockStore.open(directory).close();
  }

  @Test
  void aDirectoryOfAnotherProcessIsRefusedWithThatPid() throws IOException {
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                CrashWriter.class.getName(),
                directory.toString(),
                "1")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(other.getInputStream(), StandardCharsets.US_ASCII))) {
      assertThat(lines.readLine()).startsWith("+");

      assertThatThrownBy(() -> LmdbBlockStore.open(directory))
          .isInstanceOfSatisfying(
              StoreLockedException.class, e -> assertThat(e.ownerPid()).hasValue(other.pid()));
    } finally {
      other.destroyForcibly().onExit().join();
    }
  }

  @Test
  void aFullMapRefusesPutsServesReadsAndDeletesAndTakesPutsAgain() {
    LmdbOptions options =
        LmdbOptions.DEFAULT
            .withMapBytes(8 << 20)
            .withLimits(StoreLimits.DEFAULT.withReserveBytes(2 << 20));
    List<Block> stored = new ArrayList<>();
    try (LmdbBlockStore store = LmdbBlockStore.open(directory, options)) {
      assertThatThrownBy(() -> fill(store, stored)).isInstanceOf(NoSpaceException.class);

      assertThat(stored).hasSizeGreaterThan(100);
      for (Block block : stored) {
        assertThat(store.get(block.cid())).contains(block);
      }
      for (Block block : stored) {
        assertThat(store.delete(block.cid())).isTrue();
      }
      store.compact();
      stored.clear();
      assertThatThrownBy(() -> fill(store, stored)).isInstanceOf(NoSpaceException.class);

      assertThat(stored).hasSizeGreaterThan(100);
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
    }
    try (LmdbBlockStore store = LmdbBlockStore.open(directory, options)) {
      assertThat(stored).allMatch(block -> store.get(block.cid()).isPresent());
    }
  }

  @Test
  void aMapFullOfTinyBlocksCanBeEmptiedAndFilledAgain() {
    LmdbOptions options =
        LmdbOptions.DEFAULT
            .withMapBytes(6 << 20)
            .withLimits(StoreLimits.DEFAULT.withReserveBytes(2 << 20));
    try (LmdbBlockStore store = LmdbBlockStore.open(directory, options)) {
      for (int round = 0; round < 2; round++) {
        List<Block> stored = new ArrayList<>();
        int first = round * 1_000_000;
        assertThatThrownBy(
                () -> {
                  for (int i = 0; i < 4000; i++) {
                    List<Block> batch = TestBlocks.many(first + i * 100L, 100, 20);
                    store.putAll(batch);
                    stored.addAll(batch);
                  }
                })
            .isInstanceOf(NoSpaceException.class);
        assertThat(stored).hasSizeGreaterThan(1000);
        for (Block block : stored) {
          assertThat(store.delete(block.cid())).isTrue();
        }
        store.compact();
        assertThat(store.statistics().blocks()).isZero();
        assertThat(store.statistics().reclaimableBytes()).isZero();
      }
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
    }
  }

  @Test
  void withoutAReserveAFullMapStillLosesNothing() {
    LmdbOptions options =
        LmdbOptions.DEFAULT
            .withMapBytes(4 << 20)
            .withLimits(StoreLimits.DEFAULT.withReserveBytes(0));
    List<Block> stored = new ArrayList<>();
    try (LmdbBlockStore store = LmdbBlockStore.open(directory, options)) {
      assertThatThrownBy(() -> fill(store, stored)).isInstanceOf(NoSpaceException.class);
      assertThat(stored).allMatch(block -> store.get(block.cid()).isPresent());
    }
    try (LmdbBlockStore store = LmdbBlockStore.open(directory, options)) {
      assertThat(stored).allMatch(block -> store.get(block.cid()).isPresent());
    }
  }

  @Test
  void aFileThatIsCutOffIsRefusedOrReadWithNamedErrors() throws IOException {
    List<Block> blocks = TestBlocks.many(1, 20, 1 << 20);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      store.putAll(blocks);
    }
    Path file = directory.resolve("data.mdb");
    long whole = Files.size(file);
    for (long bytes : new long[] {100, 5000, whole / 2, whole - (1 << 20)}) {
      Path cut = Files.createDirectories(directory.resolve("cut" + bytes));
      Files.copy(file, cut.resolve("data.mdb"));
      truncate(cut.resolve("data.mdb"), bytes);
      int readable = 0;
      try (LmdbBlockStore store = LmdbBlockStore.open(cut)) {
        for (Block block : blocks) {
          try {
            readable += store.get(block.cid()).isPresent() ? 1 : 0;
          } catch (BlockException e) {
            assertThat(e).hasMessageContaining("");
          }
        }
      } catch (BlockException e) {
        assertThat(e.getMessage()).isNotEmpty();
      }
      assertThat(readable).isLessThan(20);
    }
  }

  @Test
  void aFileThatIsNotLmdbsIsRefused() throws IOException {
    Files.write(directory.resolve("data.mdb"), new byte[20_000]);

    assertThatThrownBy(() -> LmdbBlockStore.open(directory))
        .isInstanceOf(StoreFormatException.class);
  }

  @Test
  void aSuspectDirectoryIsRefusedUntilItIsFoundSound() throws IOException {
    LmdbBlockStore.open(directory).close();
    Files.writeString(directory.resolve("suspect"), "EIO at sync");

    assertThatThrownBy(() -> LmdbBlockStore.open(directory))
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("EIO at sync");
    try (LmdbBlockStore store =
        LmdbBlockStore.open(directory, LmdbOptions.DEFAULT.acceptingSuspect())) {
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
      store.clearSuspicion();
    }
    LmdbBlockStore.open(directory).close();
  }

  @Test
  void whatWasFoundDamagedWhileItRanIsRefusedThoughItsFileIsSound() throws IOException {
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      store.engine().condemn("it lost what it acknowledged");
    }
    try (LmdbBlockStore store =
        LmdbBlockStore.open(directory, LmdbOptions.DEFAULT.acceptingSuspect())) {
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
      store.clearSuspicion();
    }

    assertThatThrownBy(() -> LmdbBlockStore.open(directory))
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("it lost what it acknowledged");

    LmdbBlockStore.setAside(directory, "aside");
    LmdbBlockStore.open(directory).close();
  }

  private static void fill(LmdbBlockStore store, List<Block> stored) {
    for (int i = 0; i < 10_000; i++) {
      Block block = TestBlocks.numbered(i, 10_000);
      store.put(block);
      stored.add(block);
    }
  }

  private static void truncate(Path file, long bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(bytes);
    }
  }
}
