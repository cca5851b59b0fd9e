package dev.ashlar.http;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Bounds the bytes that requests hold at once. What has no room waits, first come first served, or
 * goes without. For any thread.
 */
final class ByteBudget {

  private final long bytesMax;
  private final ArrayDeque<Claim> waiting = new ArrayDeque<>();
  private long held;

  /** Room that is waited for, or held. */
  static final class Claim {

    private final long bytes;
    private final Runnable admitted;
    private boolean isHeld;

    private Claim(long bytes, Runnable admitted) {
      this.bytes = bytes;
      this.admitted = admitted;
    }
  }

  ByteBudget(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Takes room for so many bytes; false when there is none, and nothing was taken. */
  synchronized boolean take(long bytes) {
    if (held + bytes > bytesMax) {
      return false;
    }
    held += bytes;
    return true;
  }

  void give(long bytes) {
    List<Claim> admitted;
    synchronized (this) {
      held -= bytes;
      admitted = admit();
    }
    admitted.forEach(claim -> claim.admitted.run());
  }

  /**
   * Waits for room behind those who came before. One claim that is above the whole budget is
   * admitted when nothing else is.
   *
   * @param admitted run once there is room, perhaps before this returns, on any thread; not after
   *     {@link #end}
   */
  Claim claim(long bytes, Runnable admitted) {
    Claim claim = new Claim(bytes, admitted);
    List<Claim> now;
    synchronized (this) {
      waiting.add(claim);
      now = admit();
    }
    now.forEach(each -> each.admitted.run());
    return claim;
  }

  /** Gives the room of a claim back, or stops waiting for it. */
  void end(Claim claim) {
    synchronized (this) {
      if (!claim.isHeld) {
        waiting.remove(claim);
        return;
      }
    }
    give(claim.bytes);
  }

  /** Whether anybody waits for room. */
  synchronized boolean isAwaited() {
    return !waiting.isEmpty();
  }

  /** How much is held now. */
  synchronized long held() {
    return held;
  }

  private List<Claim> admit() {
    List<Claim> admitted = new ArrayList<>();
    while (!waiting.isEmpty() && (held == 0 || held + waiting.element().bytes <= bytesMax)) {
      Claim next = waiting.remove();
      next.isHeld = true;
      held += next.bytes;
      admitted.add(next);
    }
    return admitted;
  }
}
