package dev.ashlar.raft.replication;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import java.util.Optional;
import java.util.function.Consumer;

/** A member of a cluster as a store uses it, from any thread. Callbacks come on any thread. */
public interface Replication extends AutoCloseable {

  /** Brings a command into the log, wherever the leader is, and tells its end. */
  void write(BlockCommand command, Consumer<WriteResult> done);

  /** Waits until everything that was done before has taken effect here; false if that cannot be. */
  void read(Consumer<Boolean> done);

  /**
   * Gets a live block from another member because the copy here is damaged, and mends that; empty
   * when nobody has it.
   */
  void copy(Cid cid, Consumer<Optional<Block>> done);

  /**
   * Whether the replica here may answer by itself: it belongs to the cluster, and is not being
   * replaced by a snapshot.
   */
  boolean mayReadLocally();

  /** Whether it leads its cluster, as far as it knows. */
  boolean isLeading();

  /** Whether it has been closed. */
  boolean isClosed();

  @Override
  void close();
}
