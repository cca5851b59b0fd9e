package dev.ashlar.block.dag;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import java.util.Optional;

/** Where a walk has its blocks from: a {@link BlockStore#get}, mostly. */
@FunctionalInterface
public interface BlockSource {

  /** The block, empty where it is not there. May block. */
  Optional<Block> get(Cid cid);

  /**
   * The block.
   *
   * @throws DagException.MissingBlock where it is not there
   */
  default Block require(Cid cid) {
    return get(cid).orElseThrow(() -> new DagException.MissingBlock(cid));
  }
}
