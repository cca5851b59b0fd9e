package dev.ashlar.raft.core;

import java.util.ArrayDeque;

/**
 * What a leader knows of a peer's log, and how it sends to it.
 *
 * <pre>
 * PROBE      one message at a time until the peer says where its log agrees   → REPLICATE
 * REPLICATE  pipelined, within a window of bytes and messages                 → PROBE when lost
 * SNAPSHOT   what the peer lacks is compacted: it takes a manifest            → REPLICATE
 * </pre>
 */
final class Progress {

  enum State {
    PROBE,
    REPLICATE,
    SNAPSHOT
  }

  private static final long NEVER = Long.MIN_VALUE / 2;

  /** The last entry that the peer is known to have durably (Raft figure 2, matchIndex). */
  long match;

  /** The next entry to send (Raft figure 2, nextIndex). */
  long next;

  State state = State.PROBE;

  /** The last tick at which the peer answered. */
  long contactTick;

  /** The last confirmation round that the peer answered. */
  long round;

  /** The highest commit index that the peer was sent. */
  long commitSent;

  /** When a probe or a request to take a snapshot was last sent. */
  long askedTick = NEVER;

  private final ArrayDeque<Sent> inflight = new ArrayDeque<>();
  private long inflightBytes;

  Progress(long next, long now) {
    this.next = next;
    this.contactTick = now;
  }

  boolean isIdle() {
    return inflight.isEmpty();
  }

  boolean isWindowOpen(CoreOptions options) {
    return inflight.isEmpty()
        || (inflightBytes < options.inflightBytesMax()
            && inflight.size() < options.inflightMessagesMax());
  }

  /** When the oldest message that is under way was sent. */
  long oldestTick() {
    return inflight.element().tick;
  }

  void sent(long lastIndex, long bytes, long now) {
    inflight.add(new Sent(lastIndex, bytes, now));
    inflightBytes += bytes;
    next = lastIndex + 1;
  }

  /** The peer has everything up to an index; its answers may come in any order. */
  void matched(long index) {
    match = Math.max(match, index);
    next = Math.max(next, match + 1);
    while (!inflight.isEmpty() && inflight.element().lastIndex <= match) {
      inflightBytes -= inflight.remove().bytes;
    }
  }

  /** Back to asking where the logs agree; what is under way no longer counts. */
  void probeFrom(long index) {
    state = State.PROBE;
    next = Math.max(index, match + 1);
    askedTick = NEVER;
    inflight.clear();
    inflightBytes = 0;
  }

  void replicate() {
    probeFrom(match + 1);
    state = State.REPLICATE;
  }

  void snapshot() {
    state = State.SNAPSHOT;
    askedTick = NEVER;
    inflight.clear();
    inflightBytes = 0;
  }

  private record Sent(long lastIndex, long bytes, long tick) {}
}
