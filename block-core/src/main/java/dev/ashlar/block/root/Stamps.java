package dev.ashlar.block.root;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How much time has passed between entries of the log, as records of a {@link RootStore}: each says
 * how many seconds somebody had counted when it was written, and by its place in the log what came
 * before. Seconds are counted by a clock that is never set, and only while somebody counts: so what
 * is so many seconds old is at least that old. Blocks its callers; safe for any number of threads.
 */
public final class Stamps {

  /** Stamps that are older than this are dropped, in seconds; no grace is longer. */
  public static final long KEPT_SECONDS = 24 * 3600;

  private static final RootKey ALL = RootKey.of(RootKey.Kind.STAMP, new byte[0]);
  private static final int DROPPED_AT_ONCE = 64;

  private final RootStore roots;
  private long seenSeconds = -1;
  private long seenNanos;

  /** The stamps among the records. */
  public Stamps(RootStore roots) {
    this.roots = roots;
  }

  /**
   * How many seconds have been counted by now: those of the last stamp, and since it was first seen
   * here.
   *
   * @param nanos a clock that is never set
   */
  public synchronized long seconds(long nanos) {
    long last = last().map(Stamps::secondsOf).orElse(0L);
    if (last != seenSeconds) {
      seenSeconds = last;
      seenNanos = nanos;
    }
    return last + Math.max(0, nanos - seenNanos) / 1_000_000_000;
  }

  /**
   * Writes one where so much time has passed since the last, and something has been written in the
   * time that stamps are kept.
   *
   * @param nanos a clock that is never set
   * @return whether one was written
   */
  public synchronized boolean stampIfDue(long nanos, long everySeconds) {
    long now = seconds(nanos);
    List<RootRecord> all = all();
    if (!all.isEmpty()) {
      RootRecord newest = all.get(all.size() - 1);
      if (now - secondsOf(newest) < everySeconds || isIdle(all)) {
        return false;
      }
    }
    List<RootChange> changes = new ArrayList<>();
    changes.add(RootChange.set(RootKey.stamp(now), RootChange.ABSENT, new byte[0]));
    for (int i = 0; i + 1 < all.size() && changes.size() < DROPPED_AT_ONCE; i++) {
      // The newest one that is old enough stays: it is the answer to the longest grace.
      if (now - secondsOf(all.get(i + 1)) > KEPT_SECONDS) {
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
  public synchronized long indexBefore(long nanos, long graceSeconds) {
    if (graceSeconds == 0) {
      return roots.appliedIndex();
    }
    long now = seconds(nanos);
    long index = 0;
    for (RootRecord stamp : all()) {
      if (now - secondsOf(stamp) >= graceSeconds) {
        index = Math.max(index, stamp.changedAt());
      }
    }
    return index;
  }

  /** Whether nothing but stamps has come for as long as stamps are kept. */
  private static boolean isIdle(List<RootRecord> all) {
    RootRecord newest = all.get(all.size() - 1);
    long quietSince = secondsOf(newest);
    for (int i = all.size() - 1; i > 0; i--) {
      boolean isNext = all.get(i).changedAt() == all.get(i - 1).changedAt() + 1;
      if (!isNext) {
        break;
      }
      quietSince = secondsOf(all.get(i - 1));
    }
    return secondsOf(newest) - quietSince >= KEPT_SECONDS;
  }

  private Optional<RootRecord> last() {
    List<RootRecord> all = all();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  private List<RootRecord> all() {
    return roots.list(ALL, Optional.empty(), RootStore.LIST_LIMIT_MAX);
  }

  private static long secondsOf(RootRecord stamp) {
    return ByteBuffer.wrap(stamp.key().rest()).getLong();
  }
}
