package dev.ashlar.raft.replication;

import dev.ashlar.block.Block;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChanges;
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

  /** A change of pins and references, all of it or nothing. */
  record Roots(RootChanges changes) implements BlockCommand {
    @Override
    public int bytes() {
      return Entry.OVERHEAD_BYTES + changes.bytes();
    }
  }

  /** Removal of blocks that no root reaches. */
  record Collect(GarbageBatch garbage) implements BlockCommand {
    @Override
    public int bytes() {
      return Entry.OVERHEAD_BYTES + garbage.bytes();
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
