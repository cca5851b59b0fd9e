package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Blocks by CID. Every method blocks until it is done; all are safe for any number of threads,
 * virtual ones too, and many concurrent callers make writes faster, for they share a sync.
 *
 * <p>The identity of stored bytes is the multihash: a block put under one CID is found under every
 * CID with that multihash. A block that comes back has the CID that was asked for. A block of an
 * identity CID is always there, is never stored and cannot be deleted.
 *
 * <p>When a write returns, it is done and as durable as the store promises. When it throws, {@link
 * BlockException#outcomeUnknown()} says whether it may have been done all the same. Absence is a
 * result, never an exception. An interrupt does not end a write that has begun; it stays set.
 *
 * <p>Beyond what each method names, all throw {@link StoreClosedException} after {@link #close()},
 * and {@link StoreFailedException} once the storage underneath has failed.
 */
public interface BlockStore extends AutoCloseable {

  /**
   * Stores a block unless it is there.
   *
   * @return whether it was new
   * @throws BlockTooLargeException above {@link #blockBytesMax()}
   * @throws UnsupportedHashException never from a {@link Block}, which could not exist
   * @throws NoSpaceException when there is no room; not done
   * @throws StoreUnavailableException when it cannot be done now; not done
   * @throws UnknownOutcomeException when it may have been done; another put settles it
   */
  PutResult put(Block block);

  /**
   * Stores many blocks in one or few transactions. A failure leaves a prefix of the collection
   * done; putting all of it again is right.
   *
   * @return the results in the collection's order
   * @throws BlockTooLargeException before anything is done, when one of them is too large
   * @throws NoSpaceException see {@link #put}
   * @throws StoreUnavailableException see {@link #put}
   * @throws UnknownOutcomeException see {@link #put}
   */
  List<PutResult> putAll(Collection<Block> blocks);

  /**
   * The block, its bytes copied out of the store and checked against their checksum.
   *
   * @throws BlockDamagedException when the check fails
   * @throws StoreUnavailableException when it cannot be read now
   */
  Optional<Block> get(Cid cid);

  /**
   * Gets many blocks, one after the other, so that memory holds one at a time.
   *
   * @param action is called in the collection's order, once for each CID, on the caller's thread
   * @throws BlockDamagedException see {@link #get}; the blocks before it have been handed on
   * @throws StoreUnavailableException see {@link #get}
   */
  default void getAll(Collection<Cid> cids, BiConsumer<Cid, Optional<Block>> action) {
    for (Cid cid : cids) {
      action.accept(cid, get(cid));
    }
  }

  /**
   * Reads a block where it lies, without a copy. The bytes are checked against their checksum
   * first.
   *
   * <p>The buffer is read-only and valid until the function returns, no longer: afterwards its
   * memory holds something else or is no longer mapped. The function should be done well within a
   * second, must not call the store, and returns what it made of the bytes.
   *
   * @return what the function returned, or empty where the block is absent
   * @throws BlockDamagedException when the check fails
   * @throws StoreUnavailableException when it cannot be read now
   */
  <T> Optional<T> view(Cid cid, Function<ByteBuffer, T> reader);

  /**
   * Whether the block is there. Reads no block bytes.
   *
   * @throws StoreUnavailableException when it cannot be read now
   */
  default boolean has(Cid cid) {
    return size(cid).isPresent();
  }

  /**
   * How many bytes the block has, empty where it is absent. Reads no block bytes.
   *
   * @throws StoreUnavailableException when it cannot be read now
   */
  OptionalInt size(Cid cid);

  /**
   * Removes the block; its bytes are given back some time later.
   *
   * @return whether it was there
   * @throws StoreUnavailableException when it cannot be done now; not done
   * @throws UnknownOutcomeException when it may have been done; another delete settles it
   */
  boolean delete(Cid cid);

  /**
   * Blocks in the order of their multihashes, as version 1 CIDs with the codec of their first put.
   * A listing that goes on while blocks are put and deleted shows every block that is there the
   * whole time exactly once.
   *
   * @param cursor {@link BlockCursor#START}, or where the page before ended
   * @param limit the most entries of a page, 1 to {@link #LIST_LIMIT_MAX}
   * @throws StoreUnavailableException when it cannot be read now
   */
  BlockPage list(BlockCursor cursor, int limit);

  /**
   * The same store, read with another consistency; a store with one copy has only one. Closing
   * either closes both.
   */
  default BlockStore reading(ReadConsistency consistency) {
    return this;
  }

  /** The most entries that {@link #list} gives in one page. */
  int LIST_LIMIT_MAX = 10_000;

  /** Counters that are kept, not counted: asking costs nothing. */
  BlockStoreStatistics statistics();

  /** The largest block that {@link #put} takes, in bytes; at most {@link Block#BYTES_MAX}. */
  int blockBytesMax();

  /** Waits for calls that are under way and closes. Closing again does nothing. */
  @Override
  void close();
}
