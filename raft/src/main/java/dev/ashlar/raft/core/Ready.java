package dev.ashlar.raft.core;

import java.util.List;
import java.util.Optional;

/**
 * What the core owes the world after the inputs since the last one.
 *
 * @param write what has to become durable, in one piece and in the order of its number
 * @param messages to send now
 * @param ranges entries to send now, once their contents are found
 * @param applyTo apply entries up to here, in order; 0 when there is nothing new
 * @param reads reads that are confirmed
 * @param accepted proposals and changes that are in the log now, not yet committed
 * @param rejected requests that were not taken
 * @param status set when term, role, leader or membership are not what they were
 * @param install set when the leader says that a manifest is needed
 */
public record Ready(
    Optional<Write> write,
    List<Envelope> messages,
    List<Range> ranges,
    long applyTo,
    List<ConfirmedRead> reads,
    List<Accepted> accepted,
    List<Rejected> rejected,
    Optional<Status> status,
    Optional<Install> install) {

  /** Copies the lists. */
  public Ready {
    messages = List.copyOf(messages);
    ranges = List.copyOf(ranges);
    reads = List.copyOf(reads);
    accepted = List.copyOf(accepted);
    rejected = List.copyOf(rejected);
  }

  /** Whether there is nothing to do. */
  public boolean isEmpty() {
    return write.isEmpty()
        && messages.isEmpty()
        && ranges.isEmpty()
        && applyTo == 0
        && reads.isEmpty()
        && accepted.isEmpty()
        && rejected.isEmpty()
        && status.isEmpty()
        && install.isEmpty();
  }

  /**
   * One atomic, durable change of the disk. Writes become durable in the order of their numbers;
   * several may share a transaction.
   *
   * @param number ascending; {@link RaftCore#persisted} names it
   * @param install replaces the log up to here by an installed snapshot, before everything else
   * @param hardState what to remember, where it changed
   * @param truncateFrom drop entries from here on before appending; 0 for none
   * @param entries to append
   * @param afterwards messages that promise what this and all earlier writes hold: sent once those
   *     are durable
   */
  public record Write(
      long number,
      Optional<EntryId> install,
      Optional<HardState> hardState,
      long truncateFrom,
      List<Entry> entries,
      List<Envelope> afterwards) {

    /** Copies the lists. */
    public Write {
      entries = List.copyOf(entries);
      afterwards = List.copyOf(afterwards);
    }

    /** Whether it only waits for the writes before it. */
    public boolean changesNothing() {
      return install.isEmpty() && hardState.isEmpty() && truncateFrom == 0 && entries.isEmpty();
    }
  }

  /**
   * Entries (previous, last] for a peer. Whoever fetches them checks both ends; if either is no
   * longer so, or a read fails, nothing is sent and the core is told that the peer is {@link
   * RaftCore#lost}.
   *
   * @param to the peer
   * @param term the leader's term
   * @param previous the entry before the first one
   * @param last the last one, equal to {@code previous} in a probe without entries
   * @param commit the commit index to send along
   */
  public record Range(MemberId to, long term, EntryId previous, EntryId last, long commit) {}

  /** A read may be served once everything up to the index is applied. */
  public record ConfirmedRead(long token, long index) {}

  /** A request is in the log at this place; whether it commits there is open. */
  public record Accepted(long token, EntryId id) {}

  /**
   * A request was not taken; certainly not done.
   *
   * @param token of the request
   * @param reason why
   */
  public record Rejected(long token, Reason reason) {}

  /** Why a request is not taken. */
  public enum Reason {
    /** This member does not lead, and forwards nothing by itself. */
    NOT_LEADER,
    /** Too many bytes are not committed yet, or leadership is being handed over. */
    BUSY,
    /** No leader could be asked in time. */
    NO_LEADER,
    /** A change of membership is under way and past the point where it can be replaced. */
    CHANGE_UNDER_WAY,
    /** The change is not possible as asked for: two members of one address, or nobody to vote. */
    INVALID_CHANGE,
    /** The member to hand over to is not a voter. */
    NOT_A_VOTER
  }

  /**
   * Where a member stands.
   *
   * @param term its term
   * @param role its role
   * @param membership the one in force on it
   */
  public record Status(long term, Role role, Membership membership) {}

  /**
   * The leader has compacted what this member lacks.
   *
   * @param leader whom to ask for a manifest
   * @param base what the manifest has at least
   */
  public record Install(MemberId leader, EntryId base) {}
}
