package dev.ashlar.raft.replication;

import dev.ashlar.block.Block;
import dev.ashlar.block.Multihash;
import dev.ashlar.raft.core.Entry;

/** A write, as it travels: to the leader, and in entries to every replica. */
public sealed interface BlockCommand {

  /** How many bytes flow control counts for it. */
  int bytes();

  /** A block with its bytes. */
  record Put(Block block) implements BlockCommand {
    @Override
    public int bytes() {
      return Entry.OVERHEAD_BYTES + block.size();
    }
  }

  /** A put of a block that was live where it was asked for, without bytes. */
  record Touch(Multihash multihash) implements BlockCommand {
    @Override
    public int bytes() {
      return Entry.OVERHEAD_BYTES;
    }
  }

  /** Removal of a block. */
  record Delete(Multihash multihash) implements BlockCommand {
    @Override
    public int bytes() {
      return Entry.OVERHEAD_BYTES;
    }
  }
}
