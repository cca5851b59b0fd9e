package dev.ashlar.block.engine;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.Cid;
import java.util.List;
import java.util.Optional;

/**
 * What a scrub found in a part of the store.
 *
 * @param blocks how many blocks were read
 * @param bytes how many bytes of sound blocks were read and hashed
 * @param damaged those whose row or bytes are not what they were
 * @param next where to go on; empty at the end
 */
public record ScrubPage(long blocks, long bytes, List<Cid> damaged, Optional<BlockCursor> next) {

  /** Copies the list. */
  public ScrubPage {
    damaged = List.copyOf(damaged);
  }
}
