package dev.ashlar.raft.core;

import java.util.ArrayDeque;
import java.util.OptionalLong;

/**
 * How much of the log is on this member's disk. Writes are numbered and become durable in order; a
 * truncation caps what the writes before it can still promise, so that a late completion never
 * vouches for entries of another term.
 */
final class Durability {

  private final ArrayDeque<Pending> pending = new ArrayDeque<>();
  private long durable;
  private long hardStateNumber;
  private long persistedNumber;

  Durability(long durable) {
    this.durable = durable;
  }

  /** The last index that is durable, with all before it. */
  long durable() {
    return durable;
  }

  /** Whether the latest hard state is durable. */
  boolean isHardStateDurable() {
    return persistedNumber >= hardStateNumber;
  }

  boolean isPersisted(long number) {
    return persistedNumber >= number;
  }

  /** Says in which write the latest hard state is. */
  void hardStateIn(long number) {
    hardStateNumber = number;
  }

  void issued(long number, long lastIndex, long now) {
    pending.add(new Pending(number, lastIndex, now));
  }

  void truncatedFrom(long index) {
    durable = Math.min(durable, index - 1);
    pending.forEach(write -> write.lastIndex = Math.min(write.lastIndex, index - 1));
  }

  /** A snapshot replaces the log: nothing that was written before counts. */
  void installed() {
    truncatedFrom(1);
  }

  void persisted(long number) {
    persistedNumber = Math.max(persistedNumber, number);
    while (!pending.isEmpty() && pending.element().number <= number) {
      durable = Math.max(durable, pending.remove().lastIndex);
    }
  }

  /** When the oldest write that is not durable was issued. */
  OptionalLong oldestSince() {
    return pending.isEmpty() ? OptionalLong.empty() : OptionalLong.of(pending.element().since);
  }

  /** The last index of the oldest write that is not durable. */
  long oldestIndex() {
    return pending.isEmpty() ? durable : pending.element().lastIndex;
  }

  private static final class Pending {
    private final long number;
    private long lastIndex;
    private final long since;

    Pending(long number, long lastIndex, long since) {
      this.number = number;
      this.lastIndex = lastIndex;
      this.since = since;
    }
  }
}
