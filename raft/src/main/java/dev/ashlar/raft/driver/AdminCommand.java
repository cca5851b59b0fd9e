package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.MemberId;

/** A request about the cluster itself, carried out by the leader. */
public sealed interface AdminCommand {

  /** The member that it is about. */
  MemberId member();

  /**
   * Adds a member, first as a learner. A member at the same address that has been silent for ten
   * election timeouts is removed in the same change.
   *
   * @param member the new member's id
   * @param address where it is reached
   * @param voter whether it is to vote once it has caught up
   */
  record Add(MemberId member, String address, boolean voter) implements AdminCommand {}

  /** Removes a member. */
  record Remove(MemberId member) implements AdminCommand {}

  /** Hands leadership over. */
  record Transfer(MemberId member) implements AdminCommand {}
}
