package dev.ashlar.server;

import dev.ashlar.block.BlockException;
import dev.ashlar.raft.vertx.NodeStatus;
import dev.ashlar.raft.vertx.RaftNode;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does by the clock: looks at the space and at the leader, notices that its storage
 * failed.
 */
final class Upkeep {

  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);
  private static final long LOOK_MILLIS = 2_000;

  private final Vertx vertx;
  private final LmdbBlockStore store;
  private final RaftNode node;
  private final Replacement replacement;
  private final long reserveBytes;
  private final Runnable onFailure;
  private volatile Optional<String> space = Optional.empty();

  Upkeep(
      Vertx vertx,
      LmdbBlockStore store,
      RaftNode node,
      Replacement replacement,
      long reserveBytes,
      Runnable onFailure) {
    this.vertx = vertx;
    this.store = store;
    this.node = node;
    this.replacement = replacement;
    this.reserveBytes = reserveBytes;
    this.onFailure = onFailure;
  }

  void start() {
    vertx.setPeriodic(0, LOOK_MILLIS, id -> inBackground(this::look));
    vertx.setPeriodic(
        0, LOOK_MILLIS, id -> node.status().onSuccess(status -> inBackground(() -> learn(status))));
  }

  /** Why the node is not ready for work; never blocks. */
  List<String> unreadyReasons() {
    List<String> reasons = new ArrayList<>();
    space.ifPresent(reasons::add);
    if (node.isRemoved()) {
      reasons.add(
          "removed: this member is no part of its cluster any more; start it with --join, or on an"
              + " empty directory");
    } else if (!node.isFormed()) {
      reasons.add("forming: the member waits for the other members that it was started with");
    } else if (node.leader().isEmpty()) {
      reasons.add("no_leader: the cluster has no leader that this member knows");
    } else if (!node.mayReadLocally()) {
      reasons.add("not_current: this member is no part of the cluster, or is being caught up");
    }
    return reasons;
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

  private synchronized void learn(NodeStatus status) {
    try {
      replacement.learn(status);
    } catch (IOException e) {
      LOG.warn("what is known of the cluster could not be written down: {}", e.toString());
    }
  }

  private void look() {
    if (store.engine().failure().isPresent()) {
      onFailure.run();
      return;
    }
    try {
      long free = store.engine().freeBytes();
      boolean full = free < reserveBytes;
      if (full && space.isEmpty()) {
        LOG.warn("free={} reserve={} uploads are refused until there is room", free, reserveBytes);
      }
      space = full ? Optional.of("no_space: " + free + " bytes free") : Optional.empty();
    } catch (BlockException e) {
      space = Optional.of(String.valueOf(e.getMessage()));
    }
  }
}
