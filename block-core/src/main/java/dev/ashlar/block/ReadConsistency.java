package dev.ashlar.block;

/** How fresh a read has to be, where a store has more than one copy. */
public enum ReadConsistency {
  /** It shows everything that was done before it began, by anybody, anywhere. */
  LINEARIZABLE,
  /**
   * What this copy has is shown at once: its bytes prove themselves, but a block that was deleted
   * elsewhere a moment ago may still be found. That a block is absent is confirmed as above.
   */
  LOCAL,
  /**
   * What this copy shows, whatever has happened elsewhere; that a block is absent means nothing.
   */
  UNCONFIRMED
}
