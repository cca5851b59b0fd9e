package dev.ashlar.raft.core;

import java.util.List;

/**
 * The protocol. Every message stands alone: none relies on another having come before it, on its
 * lane or another.
 */
public sealed interface Message {

  /** The sender's term; of {@link PreVote} and a grant of one, the term after it. */
  long term();

  /**
   * "Would you vote for me?" Asked before the term is raised (thesis §9.6).
   *
   * @param term the term in which the sender would be a candidate
   * @param last the end of its log
   * @param round tells its answers from those of an earlier attempt
   */
  record PreVote(long term, EntryId last, long round) implements Message {}

  /**
   * The answer to {@link PreVote}.
   *
   * @param term of a grant the term asked for, of a refusal the sender's own
   * @param granted whether the sender would vote so
   * @param round the round of the request
   */
  record PreVoteResponse(long term, boolean granted, long round) implements Message {}

  /**
   * RequestVote (Raft figure 2).
   *
   * @param term the candidate's term
   * @param last the end of its log
   * @param transfer whether the leader asked for this election, so that nobody protects that leader
   *     (thesis §4.2.3)
   */
  record RequestVote(long term, EntryId last, boolean transfer) implements Message {}

  /** The answer to {@link RequestVote}; leaves only after the vote is durable. */
  record VoteResponse(long term, boolean granted) implements Message {}

  /**
   * AppendEntries (Raft figure 2).
   *
   * @param term the leader's term
   * @param previous the entry before the first one
   * @param entries consecutive, possibly none: a probe
   * @param commit the leader's commit index
   */
  record AppendEntries(long term, EntryId previous, List<Entry> entries, long commit)
      implements Message {

    /** Copies the list. */
    public AppendEntries {
      entries = List.copyOf(entries);
    }
  }

  /**
   * The receiver has durably the leader's log up to an index. It names the last entry that the
   * request verified, never merely the end of the receiver's log.
   */
  record AppendAccepted(long term, long match) implements Message {}

  /**
   * The entry before the request's first is not in the receiver's log.
   *
   * @param term the sender's term
   * @param previous the index that did not match
   * @param hint where the logs may still agree: the sender's last entry at or before there whose
   *     term is at most the one asked for
   * @param last the end of the sender's log
   */
  record AppendRejected(long term, long previous, EntryId hint, long last) implements Message {}

  /**
   * The leader is alive (Raft §5.2); confirms reads (thesis §6.4).
   *
   * @param term the leader's term
   * @param commit its commit index; counts only up to what the receiver has verified
   * @param round the number of the confirmation round in this term
   */
  record Heartbeat(long term, long commit, long round) implements Message {}

  /**
   * The answer to {@link Heartbeat}.
   *
   * @param term the sender's term
   * @param round the round of the request
   * @param match what the sender has durably and verified with this leader in this term
   */
  record HeartbeatResponse(long term, long round, long match) implements Message {}

  /**
   * A follower asks for a read index (thesis §6.4, "followers").
   *
   * @param term the sender's term
   * @param nonce never used before by this sender, also not before a restart
   */
  record ReadIndex(long term, long nonce) implements Message {}

  /** What was committed at a moment after the request was sent, and led by a leader then. */
  record ReadIndexResponse(long term, long nonce, long index) implements Message {}

  /** Start an election at once (thesis §3.10). */
  record TimeoutNow(long term) implements Message {}

  /**
   * The entries that the receiver lacks are compacted: it should take a manifest from the sender.
   * Repeated until the receiver has caught up with the base.
   *
   * @param term the leader's term
   * @param base the leader's base
   */
  record InstallSnapshot(long term, EntryId base) implements Message {}

  /**
   * The receiver has acknowledged more to this leader than it now says it has.
   *
   * @param term the leader's term
   * @param acknowledged what it acknowledged in this term
   */
  record LogRegressed(long term, long acknowledged) implements Message {}
}
