package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockAssembler;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockTooLargeException;
import dev.ashlar.block.StoreUnavailableException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import io.vertx.core.streams.ReadStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Receives one block's bytes from a stream, hashes them on a worker as they arrive, and hands the
 * block to the store in the task that hashes the last of them. The stream is paused while the
 * worker is behind. For one stream, on its event loop.
 */
final class BodyReceiver<T> {

  private static final int HASH_FROM_BYTES = 128 << 10;
  private static final int PAUSE_FROM_BYTES = 512 << 10;
  private static final long RATE_CHECK_MILLIS = 5_000;
  private static final long END_MILLIS = 500;

  private final Vertx vertx;
  private final Workers workers;
  private final ReadStream<Buffer> stream;
  private final BlockAssembler assembler;
  private final int blockBytesMax;
  private final int bytesPerSecondMin;
  private final BiFunction<BlockStore, Block, T> then;
  private final Promise<T> result = Promise.promise();
  private List<Buffer> pending = new ArrayList<>();
  private int pendingBytes;
  private long received;
  private long receivedAtCheck;
  private long held;
  private long timer = -1;
  private boolean hashing;
  private boolean paused;
  private boolean ended;

  /**
   * @param blockBytesMax more than these are refused as they arrive
   * @param then what to do with the block, on the worker
   */
  BodyReceiver(
      Vertx vertx,
      Workers workers,
      GatewayOptions.Limits limits,
      ReadStream<Buffer> stream,
      BlockAssembler assembler,
      int blockBytesMax,
      BiFunction<BlockStore, Block, T> then) {
    this.vertx = vertx;
    this.workers = workers;
    this.stream = stream;
    this.assembler = assembler;
    this.blockBytesMax = blockBytesMax;
    this.bytesPerSecondMin = limits.bodyBytesPerSecondMin();
    this.then = then;
  }

  /** Begins to receive. */
  Future<T> receive() {
    stream.exceptionHandler(this::fail);
    stream.handler(this::take);
    stream.endHandler(
        end -> {
          ended = true;
          hashNext();
        });
    if (bytesPerSecondMin > 0) {
      timer = vertx.setPeriodic(RATE_CHECK_MILLIS, id -> checkRate());
    }
    return result.future().onComplete(done -> release());
  }

  private void take(Buffer part) {
    received += part.length();
    if (result.future().isComplete()) {
      return;
    }
    if (received > blockBytesMax) {
      fail(new BlockTooLargeException(received, blockBytesMax));
      return;
    }
    if (!workers.uploads().take(part.length())) {
      fail(new StoreUnavailableException("too many uploads are under way; not done, try again"));
      return;
    }
    held += part.length();
    pending.add(part);
    pendingBytes += part.length();
    if (pendingBytes >= PAUSE_FROM_BYTES && !paused) {
      paused = true;
      stream.pause();
    }
    if (pendingBytes >= HASH_FROM_BYTES) {
      hashNext();
    }
  }

  private void hashNext() {
    if (hashing || result.future().isComplete()) {
      return;
    }
    List<Buffer> parts = pending;
    boolean last = ended;
    pending = new ArrayList<>();
    pendingBytes = 0;
    hashing = true;
    if (last) {
      workers
          .call(
              store -> {
                add(parts);
                return then.apply(store, assembler.finish());
              })
          .onComplete(result::handle);
      return;
    }
    workers
        .call(
            store -> {
              add(parts);
              return parts.size();
            })
        .onSuccess(done -> hashed())
        .onFailure(this::fail);
  }

  private void hashed() {
    hashing = false;
    if (paused) {
      paused = false;
      stream.resume();
    }
    if (ended || pendingBytes >= HASH_FROM_BYTES) {
      hashNext();
    }
  }

  private void add(List<Buffer> parts) {
    for (Buffer part : parts) {
      assembler.add(((BufferInternal) part).getByteBuf().nioBuffer());
    }
  }

  private void checkRate() {
    if (!ended
        && !paused
        && received - receivedAtCheck < bytesPerSecondMin * RATE_CHECK_MILLIS / 1000) {
      fail(
          new Problem(
              Problem.Code.REQUEST_TIMEOUT,
              "a body must arrive at " + bytesPerSecondMin + " bytes a second or faster"));
    }
    receivedAtCheck = received;
  }

  /** Ends it at once, unless all of the stream has come. */
  void cutShort(Throwable why) {
    if (!ended) {
      fail(why);
    }
  }

  /**
   * Ends it when no more of the stream comes, although what carries the stream has ended: a stream
   * that was paused still hands over what it holds.
   */
  void expectEnd(Throwable otherwise) {
    long before = received;
    vertx.setTimer(
        END_MILLIS,
        id -> {
          if (ended || result.future().isComplete()) {
            return;
          }
          if (paused || hashing || received != before) {
            expectEnd(otherwise);
          } else {
            fail(otherwise);
          }
        });
  }

  private void fail(Throwable why) {
    result.tryFail(why);
  }

  private void release() {
    workers.uploads().give(held);
    if (timer >= 0) {
      vertx.cancelTimer(timer);
    }
  }
}
