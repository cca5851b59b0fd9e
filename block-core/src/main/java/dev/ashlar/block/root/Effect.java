package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import java.util.List;

/** What one log entry has changed. Entries that changed nothing have none. */
public sealed interface Effect {

  /** The entry's log index: the same on every replica, ascending, with gaps. */
  long index();

  /**
   * A block is live that was not.
   *
   * @param size how many bytes it has
   */
  record Put(long index, Cid cid, int size) implements Effect {}

  /** Blocks are gone: by a delete, which knows no codec, or by a collection. */
  record Deleted(long index, List<Multihash> blocks) implements Effect {

    /** Copies the list. */
    public Deleted {
      blocks = List.copyOf(blocks);
    }
  }

  /** Pins or references were set or removed. */
  record Roots(long index, List<RootChange> changes) implements Effect {

    /** Copies the list. */
    public Roots {
      changes = List.copyOf(changes);
    }
  }
}
