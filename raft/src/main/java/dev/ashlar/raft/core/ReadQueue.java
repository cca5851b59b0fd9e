package dev.ashlar.raft.core;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Reads that wait to be confirmed (thesis §6.4). A read joins a ticket - on a leader the number of
 * a confirmation round, on a follower the nonce of a request - that began after it arrived, and is
 * confirmed by that one or any later.
 */
final class ReadQueue {

  private static final long NOT_JOINED = -1;

  private final List<Pending> pending = new ArrayList<>();

  /** A read of this member. */
  void add(long token, long now) {
    pending.add(new Pending(Optional.empty(), token, now));
  }

  /** A read index that a follower asks for. */
  void add(MemberId from, long nonce, long now) {
    pending.add(new Pending(Optional.of(from), nonce, now));
  }

  boolean isEmpty() {
    return pending.isEmpty();
  }

  boolean hasUnjoined() {
    return pending.stream().anyMatch(read -> read.ticket == NOT_JOINED);
  }

  /** All that wait join a ticket that begins now; what is committed now is their index. */
  void join(long ticket, long commit) {
    for (Pending read : pending) {
      if (read.ticket == NOT_JOINED) {
        read.ticket = ticket;
        read.index = commit;
      }
    }
  }

  /** Confirms on a leader what joined up to a round. */
  void confirm(long round, long term, Outbox out) {
    take(round)
        .forEach(
            read ->
                read.from.ifPresentOrElse(
                    to -> out.send(to, new Message.ReadIndexResponse(term, read.token, read.index)),
                    () -> out.confirm(read.token, read.index)));
  }

  /** Confirms on a follower what joined up to a nonce. */
  void confirmAt(long nonce, long index, Outbox out) {
    take(nonce).forEach(read -> out.confirm(read.token, index));
  }

  /** Nobody vouches for the tickets any more; requests of followers are forgotten. */
  void reset() {
    pending.removeIf(read -> read.from.isPresent());
    pending.forEach(read -> read.ticket = NOT_JOINED);
  }

  /** Gives up what has waited since a tick or longer. */
  void expire(long since, Outbox out) {
    Iterator<Pending> each = pending.iterator();
    while (each.hasNext()) {
      Pending read = each.next();
      if (read.since > since) {
        return;
      }
      each.remove();
      if (read.from.isEmpty()) {
        out.reject(read.token, Ready.Reason.NO_LEADER);
      }
    }
  }

  private List<Pending> take(long ticket) {
    List<Pending> taken = new ArrayList<>();
    Iterator<Pending> each = pending.iterator();
    while (each.hasNext()) {
      Pending read = each.next();
      if (read.ticket != NOT_JOINED && read.ticket <= ticket) {
        each.remove();
        taken.add(read);
      }
    }
    return taken;
  }

  private static final class Pending {
    private final Optional<MemberId> from;
    private final long token;
    private final long since;
    private long ticket = NOT_JOINED;
    private long index;

    Pending(Optional<MemberId> from, long token, long since) {
      this.from = from;
      this.token = token;
      this.since = since;
    }
  }
}
