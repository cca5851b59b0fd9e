package dev.ashlar.http;

import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.streams.ReadStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A part of a form as a stream of the event loop that the request is on. While any part is paused,
 * no more of the request is taken.
 */
final class FormPart implements ReadStream<Buffer>, MultipartDecoder.Content {

  private final HttpServerRequest request;
  private final AtomicInteger pausedParts;
  private final Deque<Buffer> waiting = new ArrayDeque<>();
  private Handler<Buffer> handler = bytes -> {};
  private Handler<Void> endHandler = end -> {};
  private Handler<Throwable> exceptionHandler = why -> {};
  private boolean paused;
  private boolean complete;
  private boolean ended;

  /**
   * A part that has just begun.
   *
   * @param pausedParts how many of the request's parts are paused
   */
  FormPart(HttpServerRequest request, AtomicInteger pausedParts) {
    this.request = request;
    this.pausedParts = pausedParts;
  }

  @Override
  public void add(byte[] bytes, boolean last) {
    if (bytes.length > 0) {
      waiting.add(Buffer.buffer(bytes));
    }
    complete |= last;
    flow();
  }

  /** What has not come does not come any more. */
  void fail(Throwable why) {
    if (!ended) {
      ended = true;
      exceptionHandler.handle(why);
    }
  }

  private void flow() {
    while (!paused && !waiting.isEmpty()) {
      handler.handle(waiting.remove());
    }
    if (!paused && complete && waiting.isEmpty() && !ended) {
      ended = true;
      endHandler.handle(null);
    }
  }

  @Override
  public FormPart handler(Handler<Buffer> newHandler) {
    handler = newHandler == null ? bytes -> {} : newHandler;
    return this;
  }

  @Override
  public FormPart endHandler(Handler<Void> newHandler) {
    endHandler = newHandler == null ? end -> {} : newHandler;
    return this;
  }

  @Override
  public FormPart exceptionHandler(Handler<Throwable> newHandler) {
    exceptionHandler = newHandler == null ? why -> {} : newHandler;
    return this;
  }

  @Override
  public FormPart pause() {
    if (!paused) {
      paused = true;
      pausedParts.incrementAndGet();
      request.pause();
    }
    return this;
  }

  @Override
  public FormPart resume() {
    if (paused) {
      paused = false;
      if (pausedParts.decrementAndGet() == 0) {
        request.resume();
      }
      flow();
    }
    return this;
  }

  @Override
  public FormPart fetch(long amount) {
    return resume();
  }
}
