package dev.ashlar.block.root;

import dev.ashlar.block.BlockStore;

/** A block store that knows what is to be kept: pins and references beside its blocks. */
public interface RootedBlockStore extends BlockStore {

  /** The records beside the blocks. Usable for as long as the store is. */
  RootStore roots();
}
