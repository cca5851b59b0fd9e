package dev.ashlar.raft.driver;

import dev.ashlar.raft.replication.Replica;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Runs work on the replica's disk elsewhere and brings the results back to the driver's thread.
 *
 * <p>After the driver is stopped no result comes back.
 */
public interface Storage {

  /** What a piece of work does to the disk. */
  enum Work {
    /** Takes effect in memory: short. */
    APPLY,
    /** Ends in a synced transaction. */
    WRITE,
    /** Reads, beside writes. */
    READ
  }

  /**
   * Runs work. {@link Work#APPLY} and {@link Work#WRITE} are run one at a time and in the order in
   * which they were given; {@link Work#READ} in any order.
   *
   * @param done is given what the work returned
   * @param failed is given what it threw
   */
  <T> void run(Work kind, Function<Replica, T> work, Consumer<T> done, Consumer<Throwable> failed);
}
