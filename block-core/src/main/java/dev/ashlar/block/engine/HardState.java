package dev.ashlar.block.engine;

import java.util.Optional;
import java.util.UUID;

/**
 * What a Raft member must remember over restarts beside its log (Raft §5, figure 2, "Persistent
 * state").
 *
 * @param term the latest term it has seen
 * @param vote the member that it voted for in that term
 */
public record HardState(long term, Optional<UUID> vote) {

  /** Before any term. */
  public static final HardState INITIAL = new HardState(0, Optional.empty());
}
