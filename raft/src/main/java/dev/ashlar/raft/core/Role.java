package dev.ashlar.raft.core;

import java.util.Optional;

/**
 * What a member believes of itself.
 *
 * <pre>
 * from          on                                             to
 * Follower      election timeout, voter                        PreCandidate
 * Follower      TimeoutNow, voter                              Candidate (transfer)
 * PreCandidate  quorum of grants                               Candidate
 * PreCandidate  election timeout                               PreCandidate (new round)
 * Candidate     quorum of votes, its own durable               Leader
 * Candidate     election timeout                               PreCandidate
 * any           higher term                                    Follower
 * candidates    message of this term's leader                  Follower
 * Leader        quorum silent, own disk stalled, no progress,  Follower
 *               or no longer a member
 * </pre>
 */
public sealed interface Role {

  /** Follows, or waits for a leader. */
  record Follower(Optional<MemberId> leader) implements Role {}

  /** Asks whether it would be voted for (thesis §9.6). */
  record PreCandidate() implements Role {}

  /** Asks for votes (Raft §5.2). */
  record Candidate() implements Role {}

  /** Leads the term. */
  record Leader() implements Role {}
}
