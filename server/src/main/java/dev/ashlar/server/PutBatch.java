package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.PutResult;
import java.util.ArrayList;
import java.util.List;

/** Puts a stream of blocks into a store, many at once, and counts them. */
final class PutBatch {

  private static final int BLOCKS_MAX = 256;
  private static final int BYTES_MAX = 4 << 20;

  private final BlockStore store;
  private final List<Block> waiting = new ArrayList<>();
  private long waitingBytes;
  private long blocks;
  private long bytes;
  private long created;

  PutBatch(BlockStore store) {
    this.store = store;
  }

  /** Takes a block; says whether it, and all before it, are stored now. */
  boolean add(Block block) {
    waiting.add(block);
    waitingBytes += block.size();
    if (waiting.size() < BLOCKS_MAX && waitingBytes < BYTES_MAX) {
      return false;
    }
    flush();
    return true;
  }

  /** Stores what waits. */
  void flush() {
    for (PutResult result : store.putAll(waiting)) {
      blocks++;
      bytes += result.size();
      created += result.isNew() ? 1 : 0;
    }
    waiting.clear();
    waitingBytes = 0;
  }

  /** How many are stored. */
  long blocks() {
    return blocks;
  }

  /** The bytes of those. */
  long bytes() {
    return bytes;
  }

  /** How many of them were new. */
  long created() {
    return created;
  }
}
