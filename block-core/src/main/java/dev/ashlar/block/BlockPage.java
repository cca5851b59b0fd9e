package dev.ashlar.block;

import java.util.List;
import java.util.Optional;

/**
 * One page of a listing.
 *
 * @param entries the blocks, in the order of their multihashes
 * @param next where the next page begins, empty when this is the last one
 */
public record BlockPage(List<Entry> entries, Optional<BlockCursor> next) {

  /** Copies the list. */
  public BlockPage {
    entries = List.copyOf(entries);
  }

  /**
   * One block of a listing.
   *
   * @param cid version 1, with the codec of the first put
   * @param size how many bytes it has
   */
  public record Entry(Cid cid, int size) {}
}
