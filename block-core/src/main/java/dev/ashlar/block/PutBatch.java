package dev.ashlar.block;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Puts a stream of blocks into a store, many at once, and counts them: for imports, which would
 * wait for the disk once for every block otherwise. For one thread.
 *
 * <p>What it holds is at most {@value #BLOCKS_MAX} blocks, or as many bytes as two of the largest
 * blocks have. What has been taken and not been stored is lost with it: {@link #flush} at the end.
 */
public final class PutBatch {

  private static final int BLOCKS_MAX = 256;

  private final BlockStore store;
  private final Consumer<PutResult> stored;
  private int bytesMax;
  private final List<Block> waiting = new ArrayList<>();
  private long waitingBytes;
  private long blocks;
  private long bytes;
  private long created;

  /** A batch into a store, which the caller closes. */
  public PutBatch(BlockStore store) {
    this(store, result -> {});
  }

  /**
   * A batch into a store, which the caller closes.
   *
   * @param stored is told of each block, in their order, when it is stored
   */
  public PutBatch(BlockStore store, Consumer<PutResult> stored) {
    this.store = store;
    this.stored = stored;
  }

  /**
   * Takes a block, which must not change until it is stored.
   *
   * @return whether it, and all before it, are stored now
   * @throws BlockException as {@link BlockStore#putAll}; what waited may then be stored in part
   */
  public boolean add(Block block) {
    if (bytesMax == 0) {
      // Once, for it may take a request.
      bytesMax = store.blockBytesMax();
    }
    waiting.add(block);
    waitingBytes += block.size();
    if (waiting.size() < BLOCKS_MAX && waitingBytes < bytesMax) {
      return false;
    }
    flush();
    return true;
  }

  /**
   * Stores what waits.
   *
   * @throws BlockException as {@link BlockStore#putAll}; what waited may then be stored in part
   */
  public void flush() {
    for (PutResult result : store.putAll(waiting)) {
      blocks++;
      bytes += result.size();
      created += result.isNew() ? 1 : 0;
      stored.accept(result);
    }
    waiting.clear();
    waitingBytes = 0;
  }

  /** How many are stored. */
  public long blocks() {
    return blocks;
  }

  /** The bytes of those. */
  public long bytes() {
    return bytes;
  }

  /** How many of them were new. */
  public long created() {
    return created;
  }
}
