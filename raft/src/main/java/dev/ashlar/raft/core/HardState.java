package dev.ashlar.raft.core;

import java.util.Optional;

/**
 * What a member must remember over restarts beside its log (Raft figure 2, "Persistent state on all
 * servers").
 *
 * @param term the latest term it has seen
 * @param vote the candidate that it voted for in that term
 */
public record HardState(long term, Optional<MemberId> vote) {

  /** Before any term. */
  public static final HardState INITIAL = new HardState(0, Optional.empty());
}
