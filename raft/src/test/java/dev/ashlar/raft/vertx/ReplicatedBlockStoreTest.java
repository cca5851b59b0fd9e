package dev.ashlar.raft.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreContract;
import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.EngineReads;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.replication.ReplicatedBlockStore;
import dev.ashlar.store.memory.MemoryEnvironment;
import io.vertx.core.Vertx;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A cluster of one passes what every store passes. */
class ReplicatedBlockStoreTest extends BlockStoreContract {

  private static Vertx vertx;

  @BeforeAll
  static void startVertx() {
    vertx = Vertx.vertx();
  }

  @AfterAll
  static void stopVertx() throws Exception {
    vertx.close().toCompletionStage().toCompletableFuture().get();
  }

  @Override
  protected BlockStore openEmpty(int blockBytesMax) throws Exception {
    StorageEngine engine =
        StorageEngine.open(new MemoryEnvironment(1L << 30), EngineOptions.DEFAULT);
    RaftNode node = new RaftNode(vertx, engine, RaftNodeOptions.DEFAULT);
    node.start(new Formation.Alone()).toCompletionStage().toCompletableFuture().get();
    assertThat(node.failure().isComplete()).isFalse();
    return new ReplicatedBlockStore(node, new EngineReads(engine), blockBytesMax);
  }
}
