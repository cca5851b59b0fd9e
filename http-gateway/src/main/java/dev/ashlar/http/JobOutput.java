package dev.ashlar.http;

import dev.ashlar.block.StoreUnavailableException;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The answer of a job, written from its thread. What is written is gathered into slices; a writer
 * waits while the socket has not taken the slices before. The head goes out with the first slice,
 * so that what fails before is answered by a status of its own.
 */
final class JobOutput extends OutputStream {

  private static final int SLICE_BYTES = 64 << 10;
  private static final int SLICES_AHEAD = 4;
  private static final int LOOK_MILLIS = 500;

  /** How it is told that a job failed whose answer has begun. */
  enum Failure {
    /** The connection ends without the answer's end. */
    BREAKS_OFF,
    /** A trailer {@code X-Stream-Error} says what is wrong, as Kubo has it. */
    TRAILER,
    /** The last line of JSON has {@code end}, and what is wrong as {@code error} and its code. */
    LAST_LINE
  }

  private final Exchange exchange;
  private final Failure failure;
  private final Context context;
  private final GatewayOptions.Limits limits;
  private final Semaphore ahead = new Semaphore(SLICES_AHEAD);
  private final Map<String, String> headers = new LinkedHashMap<>();
  private int status = 200;
  private Buffer slice = Buffer.buffer();

  JobOutput(Exchange exchange, Failure failure, GatewayOptions.Limits limits) {
    this.exchange = exchange;
    this.failure = failure;
    this.context = Vertx.currentContext();
    this.limits = limits;
  }

  /** Sets a header of the answer, before anything is written. */
  JobOutput header(String name, String value) {
    headers.put(name, value);
    return this;
  }

  /** Sets the status, before anything is written. */
  JobOutput status(int newStatus) {
    status = newStatus;
    return this;
  }

  /** Writes one JSON document and a line feed. */
  void line(JsonObject json) {
    write(json.toBuffer().appendByte((byte) '\n'));
  }

  void write(Buffer bytes) {
    slice.appendBuffer(bytes);
    flushWhenFull();
  }

  @Override
  public void write(int b) {
    slice.appendByte((byte) b);
    flushWhenFull();
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    slice.appendBytes(bytes, offset, length);
    flushWhenFull();
  }

  private void flushWhenFull() {
    if (slice.length() >= SLICE_BYTES) {
      flush();
    }
  }

  /** Sends what has been gathered. */
  @Override
  public void flush() {
    if (slice.length() == 0) {
      return;
    }
    Buffer full = slice;
    slice = Buffer.buffer();
    takeTurn();
    context.runOnContext(
        nothing -> {
          if (exchange.isGone()) {
            ahead.release();
            return;
          }
          begin();
          exchange.write(full, limits).onComplete(written -> ahead.release());
        });
  }

  /** Whether the client is gone, so that nothing more is of use. */
  boolean isGone() {
    return exchange.isGone();
  }

  /** Waits for the client, until it is broken off ({@link Exchange#write}). */
  private void takeTurn() {
    boolean taken = false;
    try {
      while (!taken && !exchange.isGone()) {
        taken = ahead.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!taken || exchange.isGone()) {
      throw new StoreUnavailableException("the client is gone, or takes its answer too slowly");
    }
  }

  private HttpServerResponse begin() {
    HttpServerResponse response = exchange.response();
    if (!response.headWritten()) {
      response.setStatusCode(status).setChunked(true);
      headers.forEach(response::putHeader);
      if (failure == Failure.TRAILER) {
        response.putHeader("Trailer", "X-Stream-Error");
      }
    }
    return response;
  }

  /** Sends what is left, and ends: behind all that was written before. */
  void finish() {
    flush();
    context.runOnContext(nothing -> end());
  }

  private void end() {
    if (!exchange.isGone()) {
      exchange.leave(begin().end());
    }
  }

  /** Tells that the job failed, behind all that was written before. */
  void fail(Throwable why) {
    context.runOnContext(nothing -> failNow(why));
  }

  private void failNow(Throwable why) {
    HttpServerResponse response = exchange.response();
    if (failure == Failure.BREAKS_OFF || exchange.isGone() || !response.headWritten()) {
      exchange.fail(why);
      return;
    }
    if (slice.length() > 0) {
      response.write(slice);
    }
    Problem problem = exchange.problem(why);
    String message = String.valueOf(problem.getMessage());
    if (failure == Failure.TRAILER) {
      response.putTrailer("X-Stream-Error", message.replaceAll("[^ -~]", " "));
      exchange.leave(response.end());
    } else {
      JsonObject last =
          new JsonObject()
              .put("end", true)
              .put("error", message)
              .put("code", problem.code().stableName());
      exchange.leave(response.end(last.toBuffer().appendByte((byte) '\n')));
    }
  }
}
