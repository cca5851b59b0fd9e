package dev.ashlar.http;

import java.time.Duration;

/**
 * When there is so much in a store that it is time to collect what nothing leads to. A collection
 * that finds little is not begun again until there is a twentieth more, or what was young is old.
 */
final class Watermark {

  private final long bytesMax;
  private final long pauseNanos;
  private long nextAbove;
  private long lastNanos;
  private boolean hasCollected;

  /**
   * @param bytesMax of live blocks; 0 for never
   * @param pause after which what was too young to be collected is old enough
   */
  Watermark(long bytesMax, Duration pause) {
    this.bytesMax = bytesMax;
    this.pauseNanos = pause.toNanos();
    this.nextAbove = bytesMax;
  }

  /**
   * Whether a collection is due.
   *
   * @param bytes of live blocks now
   * @param nanos the time, by a clock that nobody sets
   */
  synchronized boolean isReached(long bytes, long nanos) {
    boolean rested = !hasCollected || nanos - lastNanos >= pauseNanos;
    return bytesMax > 0 && bytes > (rested ? bytesMax : nextAbove);
  }

  /** Notes that a collection ended, well or not. */
  synchronized void collected(long bytesLeft, long nanos) {
    hasCollected = true;
    lastNanos = nanos;
    nextAbove = Math.max(bytesMax, bytesLeft) + bytesMax / 20;
  }
}
