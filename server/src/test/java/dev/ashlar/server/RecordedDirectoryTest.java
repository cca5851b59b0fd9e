package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a member of a cluster of three left on its disk at format version 1 stays readable for ever:
 * forty-five small blocks of which one was deleted, one larger one, a log that was compacted.
 */
class RecordedDirectoryTest {

  @TempDir private Path directory;

  @BeforeEach
  void unpack() throws IOException {
    try (InputStream recorded =
            Objects.requireNonNull(
                RecordedDirectoryTest.class.getResourceAsStream("format-1.zip"));
        ZipInputStream zip = new ZipInputStream(recorded)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Files.write(directory.resolve(entry.getName()), zip.readAllBytes());
      }
    }
  }

  @Test
  void itsBlocksAreRead() {
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      for (int i = 0; i < 45; i++) {
        Block block = Block.copyOf(("recorded block " + i).getBytes(StandardCharsets.UTF_8));
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
  void itsPlaceInTheClusterIsRead() throws IOException {
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
      assertThat(store.engine().hardState().term()).isEqualTo(4);
      assertThat(store.engine().status().last().index()).isEqualTo(49);
      assertThat(known.self())
          .isEqualTo(new MemberId(UUID.fromString("ddc6db3d-aef8-4372-a0a0-3a61bb55b08d")));
    }
  }
}
