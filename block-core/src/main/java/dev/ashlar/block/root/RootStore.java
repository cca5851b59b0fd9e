package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.FeedGoneException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreDamagedException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * The small records beside the blocks of a {@link RootedBlockStore}, as bytes; {@link Pins} and
 * {@link References} say what they mean. Safe for any number of threads; blocks its callers. Reads
 * show every write that was done before them. Throws what the store throws.
 */
public interface RootStore {

  /** No page is longer. */
  int LIST_LIMIT_MAX = 10_000;

  /**
   * What a record says.
   *
   * @throws StoreDamagedException when it is damaged
   */
  Optional<RootRecord> get(RootKey key);

  /**
   * Records in the order of their keys.
   *
   * @param prefix what the keys begin with
   * @param after the last key of the page before
   * @param limit from 1 to {@link #LIST_LIMIT_MAX}
   */
  List<RootRecord> list(RootKey prefix, Optional<RootKey> after, int limit);

  /**
   * Changes records if all of them are as expected.
   *
   * @return the log index at which all of them were changed; empty when none was
   */
  OptionalLong change(RootChanges changes);

  /**
   * Deletes those blocks of a batch that still are garbage.
   *
   * @return false where a root was set after the marking, and nothing was deleted
   */
  boolean collect(GarbageBatch garbage);

  /** A log index up to which everything is seen here; at least that of every write done before. */
  long appliedIndex();

  /** The log index of a live block's last put; empty where there is none, or its row is damaged. */
  OptionalLong lastPut(Multihash multihash);

  /**
   * Whether a block that is not found here is to be had from another replica: then what is shown
   * here is damaged, and nothing may be concluded from it.
   */
  boolean isElsewhere(Cid cid);

  /**
   * Counts the records.
   *
   * @throws StoreDamagedException when there are not as many as there have to be
   */
  void verify();

  /**
   * Whether it falls to this replica to do what one of them does for all, as far as it knows; a
   * store on its own always does it.
   */
  boolean isLeading();

  /**
   * Names the log that indexes are of: the same on all replicas, another one after a restore. Empty
   * for a store that belongs to no cluster.
   */
  Optional<UUID> origin();

  /**
   * What has changed after a log index, as far as it is seen here. Does not wait for changes.
   *
   * @param since the index that was told last, or {@link #appliedIndex}
   * @param entriesMax how many log entries to look at
   * @throws FeedGoneException when they are not all kept any more
   */
  FeedPage changesSince(long since, int entriesMax);
}
