package dev.ashlar.http;

import java.util.concurrent.atomic.AtomicLong;

/** Bounds the bytes that requests hold at once. */
final class ByteBudget {

  private final long bytesMax;
  private final AtomicLong held = new AtomicLong();

  ByteBudget(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Takes room for so many bytes; false when there is none, and nothing was taken. */
  boolean take(long bytes) {
    if (held.addAndGet(bytes) > bytesMax) {
      held.addAndGet(-bytes);
      return false;
    }
    return true;
  }

  void give(long bytes) {
    held.addAndGet(-bytes);
  }

  /** How much is held now. */
  long held() {
    return held.get();
  }
}
