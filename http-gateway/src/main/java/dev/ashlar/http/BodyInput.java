package dev.ashlar.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.ReadStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;

/**
 * A stream of an event loop as one that blocks its reader: a body, or a part of one. It is paused
 * while enough waits to be read, and given up when it comes too slowly.
 */
final class BodyInput extends InputStream {

  private static final int PAUSE_FROM_BYTES = 256 << 10;

  private final ReadStream<Buffer> stream;
  private final Deque<Buffer> waiting = new ArrayDeque<>();
  private final long patienceMillis;
  private final int bytesPerSecondMin;
  private final long beganNanos = System.nanoTime();
  private long waitedBytes;
  private long read;
  private int at;
  private boolean paused;
  private boolean ended;
  private Optional<Throwable> failure = Optional.empty();

  /** Begins to take the stream; on its event loop. */
  BodyInput(ReadStream<Buffer> stream, GatewayOptions.Limits limits) {
    this.stream = stream;
    this.patienceMillis = limits.idleTimeout().toMillis();
    this.bytesPerSecondMin = limits.bodyBytesPerSecondMin();
    stream.exceptionHandler(this::fail);
    stream.handler(this::take);
    stream.endHandler(end -> end());
    stream.resume();
  }

  private synchronized void take(Buffer part) {
    if (ended || part.length() == 0) {
      return;
    }
    waiting.add(part);
    waitedBytes += part.length();
    if (waitedBytes >= PAUSE_FROM_BYTES && !paused) {
      paused = true;
      stream.pause();
    }
    notifyAll();
  }

  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** What has not come does not come any more. */
  synchronized void fail(Throwable why) {
    failure = failure.or(() -> Optional.of(why));
    notifyAll();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public synchronized int read(byte[] target, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length == 0) {
      return 0;
    }
    awaitSome();
    Buffer first = waiting.peek();
    if (first == null) {
      return -1;
    }
    int taken = Math.min(length, first.length() - at);
    first.getBytes(at, at + taken, target, offset);
    at += taken;
    read += taken;
    if (at == first.length()) {
      at = 0;
      waiting.remove();
      waitedBytes -= first.length();
    }
    if (paused && waitedBytes < PAUSE_FROM_BYTES / 2) {
      paused = false;
      stream.resume();
    }
    return taken;
  }

  private void awaitSome() throws IOException {
    long until = System.nanoTime() + patienceMillis * 1_000_000;
    while (waiting.isEmpty() && !ended) {
      if (failure.isPresent()) {
        throw new IOException("the body ended before its end: " + failure.get().getMessage());
      }
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0 || isTooSlow()) {
        throw new Problem(
            Problem.Code.REQUEST_TIMEOUT,
            "a body must arrive at " + bytesPerSecondMin + " bytes a second or faster");
      }
      try {
        wait(Math.min(left, 1000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  /** Judged after a while, and on the whole: a client that stalls now and then is none. */
  private boolean isTooSlow() {
    long seconds = (System.nanoTime() - beganNanos) / 1_000_000_000;
    return seconds > patienceMillis / 1000 && read < seconds * bytesPerSecondMin / 2;
  }
}
