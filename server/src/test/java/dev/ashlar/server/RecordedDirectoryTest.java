package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.block.root.Reference;
import dev.ashlar.block.root.References;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.replication.Replica;
import dev.ashlar.raft.vertx.KnownCluster;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.UUID;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a member of a cluster of three left on its disk stays readable for ever, of every version of
 * the format that was ever left: forty-five small blocks of which one was deleted, one larger one,
 * a log that was compacted; of version 3 two pins and a reference, too.
 */
class RecordedDirectoryTest {

  @TempDir private Path directory;

  private void unpack(int version) throws IOException {
    try (InputStream recorded =
            Objects.requireNonNull(
                RecordedDirectoryTest.class.getResourceAsStream("format-" + version + ".zip"));
        ZipInputStream zip = new ZipInputStream(recorded)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Files.write(directory.resolve(entry.getName()), zip.readAllBytes());
      }
    }
  }

  private static Block recorded(int number) {
    return Block.copyOf(("recorded block " + number).getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void itsBlocksAreRead(int version) throws IOException {
    unpack(version);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      for (int i = 0; i < 45; i++) {
        Block block = recorded(i);
        if (i == 7) {
          assertThat(store.get(block.cid())).isEmpty();
        } else {
          assertThat(store.get(block.cid())).as("block %d", i).contains(block);
        }
      }
      assertThat(store.get(Block.copyOf(new byte[5000]).cid())).isPresent();
      assertThat(store.statistics().blocks()).isEqualTo(45);
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
    }
  }

  @Test
  void itsPinsAndReferencesAreRead() throws IOException {
    unpack(3);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      Pins pins = new Pins(store.roots());
      assertThat(pins.get(recorded(3).cid()))
          .contains(new Pin(recorded(3).cid(), Pin.Mode.RECURSIVE, "kept"));
      assertThat(pins.get(recorded(5).cid()))
          .contains(new Pin(recorded(5).cid(), Pin.Mode.DIRECT, ""));
      assertThat(new References(store.roots()).get("site/main").map(Reference::cid))
          .contains(recorded(5).cid());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 4, 49, ddc6db3d-aef8-4372-a0a0-3a61bb55b08d",
    "3, 2, 53, c086185b-5586-43f2-b981-a7b33fa25374"
  })
  void itsPlaceInTheClusterIsRead(int version, long term, long last, UUID self) throws IOException {
    unpack(version);
    KnownCluster known =
        KnownCluster.decode(Files.readString(directory.resolve("cluster.json"))).orElseThrow();
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      Replica replica = new Replica(store.engine());
      replica.requireSound();
      Membership membership = replica.membership();
      assertThat(membership.voters()).hasSize(3);
      assertThat(membership.voters()).isEqualTo(known.voters().keySet());
      assertThat(store.engine().cluster()).contains(known.cluster());
      assertThat(store.engine().member().map(MemberId::new)).contains(known.self());
      assertThat(store.engine().hardState().term()).isEqualTo(term);
      assertThat(store.engine().status().last().index()).isEqualTo(last);
      assertThat(known.self()).isEqualTo(new MemberId(self));
    }
  }
}
