package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.engine.EngineReads;
import dev.ashlar.raft.replication.ReplicatedBlockStore;
import dev.ashlar.raft.vertx.Formation;
import dev.ashlar.raft.vertx.RaftNode;
import dev.ashlar.raft.vertx.RaftNodeOptions;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A directory that a node wrote before there were clusters opens as a cluster of one, in place. */
class SingleNodeDirectoryTest {

  @TempDir private Path directory;
  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void stop() throws Exception {
    await(vertx.close());
  }

  @Test
  void blocksOfARecordedDirectoryAreThereAndMoreAreTaken() throws Exception {
    recorded();

    try (BlockStore store = serve()) {
      for (int i = 1; i <= 20; i++) {
        boolean deleted = i == 3 || i == 7;
        assertThat(store.has(numbered(i).cid())).as("block %d", i).isEqualTo(!deleted);
      }
      assertThat(store.statistics().blocks()).isEqualTo(18);
      assertThat(store.put(numbered(1)).isNew()).isFalse();
      assertThat(store.put(numbered(3)).isNew()).isTrue();
    }
    try (BlockStore again = serve()) {
      assertThat(again.get(numbered(3).cid())).contains(numbered(3));
      assertThat(again.delete(numbered(1).cid())).isTrue();
    }
    try (LmdbBlockStore alone = LmdbBlockStore.open(directory)) {
      assertThat(alone.verify(bytes -> {}).findings()).isEmpty();
      assertThat(alone.put(numbered(21)).isNew()).isTrue();
    }
    try (BlockStore again = serve()) {
      assertThat(again.has(numbered(21).cid())).isTrue();
    }
  }

  @Test
  void theDirectoryOfAMemberAmongOthersIsOnlyRead() throws Exception {
    recorded();
    LmdbBlockStore store = LmdbBlockStore.open(directory);
    try (RaftNode node = new RaftNode(vertx, store.engine(), RaftNodeOptions.DEFAULT);
        LmdbBlockStore second = LmdbBlockStore.open(directory.resolve("second"));
        RaftNode other = new RaftNode(vertx, second.engine(), RaftNodeOptions.DEFAULT)) {
      await(node.start(new Formation.Alone()));
      String contact = await(node.status()).address();
      await(other.start(new Formation.Join(List.of(contact))));
      while (await(node.status()).membership().members().size() < 2) {
        Thread.onSpinWait();
      }
    }

    try (LmdbBlockStore closed = LmdbBlockStore.open(directory)) {
      assertThat(closed.get(numbered(2).cid())).contains(numbered(2));
      assertThatThrownBy(() -> closed.put(numbered(22)))
          .isInstanceOf(StoreUnavailableException.class)
          .hasMessageContaining("member of a cluster");
      assertThatThrownBy(() -> closed.delete(numbered(2).cid()))
          .isInstanceOf(StoreUnavailableException.class);
    }
  }

  private BlockStore serve() throws Exception {
    LmdbBlockStore store = LmdbBlockStore.open(directory);
    RaftNode node = new RaftNode(vertx, store.engine(), RaftNodeOptions.DEFAULT);
    await(node.start(new Formation.Alone()));
    return new ReplicatedBlockStore(node, new EngineReads(store.engine()), Block.BYTES_MAX);
  }

  private void recorded() throws Exception {
    try (InputStream in =
        new GZIPInputStream(
            SingleNodeDirectoryTest.class.getResourceAsStream("single-node.mdb.gz"))) {
      Files.copy(in, directory.resolve("data.mdb"));
    }
  }

  private static Block numbered(int number) {
    return Block.copyOf(("recorded block " + number).getBytes(StandardCharsets.UTF_8));
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get();
  }
}
