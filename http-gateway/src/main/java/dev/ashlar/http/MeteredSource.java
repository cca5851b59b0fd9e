package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.dag.BlockSource;
import java.util.Optional;

/**
 * Blocks of a store for one request, which takes room in the budget of downloads for what a block's
 * links take once they are read. It holds that room until the next block is asked for, or it is
 * closed. For one thread at a time.
 */
final class MeteredSource implements BlockSource, AutoCloseable {

  /** What the links of a block take in memory for each of its bytes, as a careful estimate. */
  private static final int MEMORY_PER_BYTE = 8;

  private final Workers workers;
  private final BlockStore store;
  private final Exchange exchange;
  private long held;

  MeteredSource(Workers workers, BlockStore store, Exchange exchange) {
    this.workers = workers;
    this.store = store;
    this.exchange = exchange;
  }

  /** Who is gone needs no further block. */
  @Override
  public Optional<Block> get(Cid cid) {
    close();
    if (exchange.isGone()) {
      throw new StoreUnavailableException("the client is gone");
    }
    Optional<Block> block = store.get(cid);
    if (block.isPresent() && cid.codec() != Multicodec.RAW) {
      long bytes = (long) MEMORY_PER_BYTE * block.get().size();
      workers.takeForDownload(bytes);
      held = bytes;
    }
    return block;
  }

  @Override
  public void close() {
    if (held > 0) {
      workers.downloads().give(held);
      held = 0;
    }
  }
}
