package dev.ashlar.server;

import dev.ashlar.block.BlockException;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a node does by the clock: looks at the space, compacts, notices that its storage failed. */
final class Upkeep {

  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);
  private static final long LOOK_MILLIS = 2_000;

  private final Vertx vertx;
  private final LmdbBlockStore store;
  private final long reserveBytes;
  private final Runnable onFailure;
  private volatile List<String> unready = List.of();

  Upkeep(Vertx vertx, LmdbBlockStore store, long reserveBytes, Runnable onFailure) {
    this.vertx = vertx;
    this.store = store;
    this.reserveBytes = reserveBytes;
    this.onFailure = onFailure;
  }

  void start(Duration compactEvery) {
    vertx.setPeriodic(0, LOOK_MILLIS, id -> inBackground(this::look));
    vertx.setPeriodic(compactEvery.toMillis(), id -> inBackground(this::compact));
  }

  /** Why the node is not ready for work; never blocks. */
  List<String> unreadyReasons() {
    return unready;
  }

  private void inBackground(Runnable task) {
    var unused =
        vertx.executeBlocking(
            () -> {
              task.run();
              return true;
            },
            false);
  }

  private void look() {
    if (store.engine().failure().isPresent()) {
      onFailure.run();
      return;
    }
    try {
      long free = store.engine().freeBytes();
      boolean full = free < reserveBytes;
      if (full && unready.isEmpty()) {
        LOG.warn("free={} reserve={} uploads are refused until there is room", free, reserveBytes);
      }
      unready = full ? List.of("no_space: " + free + " bytes free") : List.of();
    } catch (BlockException e) {
      unready = List.of(String.valueOf(e.getMessage()));
    }
  }

  private void compact() {
    try {
      if (store.statistics().reclaimableBytes() > 0) {
        store.compact();
      }
    } catch (BlockException e) {
      LOG.warn("compaction did not finish: {}", e.getMessage());
    }
  }
}
