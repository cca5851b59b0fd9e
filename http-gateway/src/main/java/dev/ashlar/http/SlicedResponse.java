package dev.ashlar.http;

import dev.ashlar.block.StoreUnavailableException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;

/**
 * Sends what is put together from blocks: a slice is read on a worker thread and written when the
 * socket has taken the one before. What goes wrong after the first slice breaks the connection, so
 * that no client takes a part for the whole.
 */
final class SlicedResponse {

  /** A slice is sent when it has so many bytes, or nothing follows. */
  static final int SLICE_BYTES = 256 << 10;

  private final Workers workers;
  private final Exchange exchange;
  private final Map<String, String> headers;
  private final ByteBuf slice;
  private final long heldBytes;
  private final Body body;

  /** What is sent. Used by one worker at a time; closed once, at the end or when it fails. */
  interface Body extends AutoCloseable {

    /**
     * Appends some more to a slice, about as much as a block.
     *
     * @return whether nothing follows
     */
    boolean appendTo(ByteBuf slice) throws IOException;

    /** Whether it has come to what the request asked for; a trouble before is told by a status. */
    boolean hasBegun();

    @Override
    void close();
  }

  /** Makes a body for the slice that it will write to. */
  @FunctionalInterface
  interface Opening {
    /** Opens it; what it throws is what the request fails with. */
    Body open(ByteBuf slice) throws IOException;
  }

  /**
   * Answers with these headers, and with a body unless it was not asked for or is known to be
   * empty.
   *
   * @param headers of the response, set once there is something to send; without a length it is
   *     sent in chunks
   * @throws StoreUnavailableException when too many downloads are under way
   */
  static void send(
      Workers workers, Exchange exchange, Map<String, String> headers, Opening opening) {
    if (exchange.isHead() || "0".equals(headers.get("Content-Length"))) {
      headers.forEach(exchange.response()::putHeader);
      exchange.response().end();
    } else {
      new SlicedResponse(workers, exchange, headers, opening).send();
    }
  }

  /** Takes room for a slice, or fails. */
  private SlicedResponse(
      Workers workers, Exchange exchange, Map<String, String> headers, Opening opening) {
    this.workers = workers;
    this.exchange = exchange;
    this.headers = headers;
    this.heldBytes = SLICE_BYTES + (long) workers.store().blockBytesMax();
    workers.takeForDownload(heldBytes);
    try {
      this.slice = PooledByteBufAllocator.DEFAULT.directBuffer(SLICE_BYTES);
    } catch (RuntimeException | Error e) {
      workers.downloads().give(heldBytes);
      throw e;
    }
    try {
      this.body = opening.open(slice);
    } catch (IOException e) {
      releaseSlice();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      releaseSlice();
      throw e;
    }
  }

  /** Sends all that is still to be sent. */
  private void send() {
    workers
        .call(store -> fill())
        .onFailure(this::fail)
        .onSuccess(
            end -> {
              boolean hasNothing = end.broken().isPresent() && !body.hasBegun();
              if (exchange.isGone()) {
                release();
              } else if (hasNothing && !exchange.response().headWritten()) {
                fail(end.broken().get());
              } else {
                write(end);
              }
            });
  }

  /**
   * How a slice ends.
   *
   * @param isLast whether nothing follows
   * @param broken why what follows cannot be had
   */
  private record End(boolean isLast, Optional<RuntimeException> broken) {}

  /** What comes before the trouble is sent, and with it the status of a request that was right. */
  private End fill() {
    try {
      boolean isLast = false;
      while (!isLast && slice.readableBytes() < SLICE_BYTES) {
        isLast = body.appendTo(slice);
      }
      return new End(isLast, Optional.empty());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      return new End(false, Optional.of(e));
    }
  }

  private void write(End end) {
    if (!exchange.response().headWritten()) {
      headers.forEach(exchange.response()::putHeader);
      exchange.response().setChunked(!headers.containsKey("Content-Length"));
    }
    exchange
        .write(exchange.borrowed(slice.duplicate()), workers.limits())
        .onFailure(this::fail)
        .onSuccess(
            written -> {
              slice.clear();
              if (end.broken().isPresent()) {
                fail(end.broken().get());
              } else if (end.isLast()) {
                release();
                exchange.response().end();
              } else {
                send();
              }
            });
  }

  private void fail(Throwable why) {
    release();
    exchange.fail(why);
  }

  /** Gives up what is held. */
  private void release() {
    body.close();
    releaseSlice();
  }

  private void releaseSlice() {
    slice.release();
    workers.downloads().give(heldBytes);
  }
}
