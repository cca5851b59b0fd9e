package dev.ashlar.block.engine;

/**
 * The named ordered maps of an environment. Keys are ordered as unsigned bytes.
 *
 * <p>There are two of {@code blocks} and {@code roots}: a snapshot is installed into the pair that
 * is not in use, and the generation in {@code meta} says which one is ({@link #blocks}).
 */
public enum MapName {
  /** Format, identity, hard state, engine state, configurations. */
  META("meta"),
  /** Log index → entry header. */
  LOG("log"),
  /** Slot → block bytes and their header. */
  HEAP("heap"),
  /** Multihash → where the block lies, in even generations. */
  BLOCKS_EVEN("blocks.0"),
  /** Multihash → where the block lies, in odd generations. */
  BLOCKS_ODD("blocks.1"),
  /** Pins and references, in even generations. */
  ROOTS_EVEN("roots.0"),
  /** Pins and references, in odd generations. */
  ROOTS_ODD("roots.1"),
  /** Log index → what became of an entry that had not the usual outcome. */
  OUTCOMES("outcomes");

  private final String storedName;

  MapName(String storedName) {
    this.storedName = storedName;
  }

  /** The name on disk. */
  public String storedName() {
    return storedName;
  }

  static MapName blocks(long generation) {
    return (generation & 1) == 0 ? BLOCKS_EVEN : BLOCKS_ODD;
  }

  static MapName roots(long generation) {
    return (generation & 1) == 0 ? ROOTS_EVEN : ROOTS_ODD;
  }
}
