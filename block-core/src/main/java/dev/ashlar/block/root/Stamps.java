package dev.ashlar.block.root;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * How much time has passed between entries of the log, as records of a {@link RootStore}: each says
 * how many seconds have been counted, and by its place in the log what came before. Seconds are
 * counted by a clock that is never set, and only while somebody counts: so what is so many seconds
 * old is at least that old. Blocks its callers; safe for any number of threads.
 *
 * <p>Architecture invariant: a stamp is one step above the one before, and whoever writes it has
 * counted a step since that one was seen. Of several that count, one writes the next stamp; so they
 * can count less than has passed together, and never more.
 */
public final class Stamps {

  /** Stamps that are older than this are dropped, in seconds; no grace is longer. */
  public static final long KEPT_SECONDS = 24 * 3600;

  private static final RootKey ALL = RootKey.of(RootKey.Kind.STAMP, new byte[0]);
  private static final int DROPPED_AT_ONCE = 64;
  private static final long NONE_SEEN = -1;

  private final RootStore roots;
  private final long stepSeconds;

  /** The log index of the newest stamp that has been seen, and when that was. */
  private long seenIndex = NONE_SEEN;

  private long seenNanos;

  /**
   * The stamps among the records.
   *
   * @param stepSeconds how much time lies between two of them, or more
   */
  public Stamps(RootStore roots, long stepSeconds) {
    this.roots = roots;
    this.stepSeconds = stepSeconds;
  }

  /**
   * Writes one where a step has passed since the last, and something has been written in the time
   * that stamps are kept.
   *
   * @param clock nanoseconds of one that is never set
   * @return whether one was written
   */
  public synchronized boolean stampIfDue(LongSupplier clock) {
    List<RootRecord> all = all();
    long since = secondsSinceNewest(all, clock);
    if (!all.isEmpty() && (since < stepSeconds || isIdle(all))) {
      return false;
    }
    // Whoever else writes the next one meanwhile takes the same key, and one of the two is refused.
    long next = all.isEmpty() ? 0 : secondsOf(newest(all)) + stepSeconds;
    List<RootChange> changes = new ArrayList<>();
    changes.add(RootChange.set(RootKey.stamp(next), RootChange.ABSENT, new byte[0]));
    for (int i = 0; i + 1 < all.size() && changes.size() < DROPPED_AT_ONCE; i++) {
      // The newest one that is old enough stays: it is the answer to the longest grace.
      if (next - secondsOf(all.get(i + 1)) > KEPT_SECONDS) {
        changes.add(RootChange.remove(all.get(i).key(), RootChange.ANY));
      }
    }
    return roots.change(new RootChanges(changes)).isPresent();
  }

  /**
   * The log index that everything older than a grace is at or below; 0 where nothing is known to be
   * so old.
   *
   * @param graceSeconds from 0, where all is old enough, to {@link #KEPT_SECONDS}
   */
  public synchronized long indexBefore(LongSupplier clock, long graceSeconds) {
    if (graceSeconds == 0) {
      return roots.appliedIndex();
    }
    List<RootRecord> all = all();
    long since = secondsSinceNewest(all, clock);
    long now = all.isEmpty() ? 0 : secondsOf(newest(all)) + since;
    long index = 0;
    for (RootRecord stamp : all) {
      if (now - secondsOf(stamp) >= graceSeconds) {
        index = Math.max(index, stamp.changedAt());
      }
    }
    return index;
  }

  /** How long ago the newest stamp was first seen here. */
  private long secondsSinceNewest(List<RootRecord> all, LongSupplier clock) {
    // Looked at when the stamps have been read, which may take its time: not too early.
    long nanos = clock.getAsLong();
    long index = all.isEmpty() ? 0 : newest(all).changedAt();
    if (index != seenIndex) {
      seenIndex = index;
      seenNanos = nanos;
    }
    return Math.max(0, nanos - seenNanos) / 1_000_000_000;
  }

  /** Whether nothing but stamps has come for as long as stamps are kept, and nothing since. */
  private boolean isIdle(List<RootRecord> all) {
    RootRecord newest = newest(all);
    long quietSince = secondsOf(newest);
    for (int i = all.size() - 1; i > 0; i--) {
      boolean isNext = all.get(i).changedAt() == all.get(i - 1).changedAt() + 1;
      if (!isNext) {
        break;
      }
      quietSince = secondsOf(all.get(i - 1));
    }
    return secondsOf(newest) - quietSince >= KEPT_SECONDS
        && roots.appliedIndex() == newest.changedAt();
  }

  private static RootRecord newest(List<RootRecord> all) {
    return all.get(all.size() - 1);
  }

  private List<RootRecord> all() {
    return roots.list(ALL, Optional.empty(), RootStore.LIST_LIMIT_MAX);
  }

  private static long secondsOf(RootRecord stamp) {
    return ByteBuffer.wrap(stamp.key().rest()).getLong();
  }
}
