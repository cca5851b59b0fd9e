package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockAssembler;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockTooLargeException;
import dev.ashlar.block.StoreUnavailableException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import io.vertx.core.streams.ReadStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Receives one block's bytes from a stream, once there is room for all of them; until then the
 * stream is paused, and after a while it is told to come again. Hashes them on a worker as they
 * arrive, and hands the block to the store in the task that hashes the last of them. The stream is
 * paused while the worker is behind. For one stream, on its event loop.
 */
final class BodyReceiver<T> {

  private static final int HASH_FROM_BYTES = 128 << 10;
  private static final int PAUSE_FROM_BYTES = 512 << 10;
  private static final long ADMISSION_MILLIS_MAX = 5_000;
  private static final long HOLD_MILLIS_MAX = 30_000;
  private static final long RATE_CHECK_MILLIS = 5_000;

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
  private final long expectedBytes;
  private ByteBudget.@Nullable Claim claim;
  private int checks;
  private long timer = -1;
  private boolean hashing;
  private boolean paused;
  private boolean ended;

  /**
   * @param expectedBytes how many there will be, or a negative number where that is not known
   * @param blockBytesMax more than these are refused as they arrive
   * @param then what to do with the block, on the worker
   */
  BodyReceiver(
      Vertx vertx,
      Workers workers,
      GatewayOptions.Limits limits,
      ReadStream<Buffer> stream,
      BlockAssembler assembler,
      long expectedBytes,
      int blockBytesMax,
      BiFunction<BlockStore, Block, T> then) {
    this.vertx = vertx;
    this.workers = workers;
    this.stream = stream;
    this.assembler = assembler;
    this.expectedBytes = expectedBytes;
    this.blockBytesMax = blockBytesMax;
    this.bytesPerSecondMin = limits.bodyBytesPerSecondMin();
    this.then = then;
  }

  /** Begins to receive, when there is room. */
  Future<T> receive() {
    stream.pause();
    stream.exceptionHandler(this::fail);
    stream.handler(this::take);
    stream.endHandler(
        end -> {
          ended = true;
          hashNext();
        });
    timer =
        vertx.setTimer(
            ADMISSION_MILLIS_MAX,
            id ->
                fail(
                    new StoreUnavailableException(
                        "too many uploads are under way; not done, try again")));
    Context context = vertx.getOrCreateContext();
    long bytes = expectedBytes < 0 ? blockBytesMax : Math.min(expectedBytes, blockBytesMax);
    claim = workers.uploads().claim(bytes, () -> context.runOnContext(nothing -> admitted()));
    return result.future().onComplete(done -> release());
  }

  private void admitted() {
    if (result.future().isComplete()) {
      return;
    }
    vertx.cancelTimer(timer);
    timer = bytesPerSecondMin > 0 ? vertx.setPeriodic(RATE_CHECK_MILLIS, id -> checkRate()) : -1;
    stream.resume();
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
    checks++;
    if (!ended && workers.uploads().isAwaited() && checks * RATE_CHECK_MILLIS > HOLD_MILLIS_MAX) {
      fail(
          new Problem(
              Problem.Code.REQUEST_TIMEOUT,
              "a body must arrive within "
                  + HOLD_MILLIS_MAX / 1000
                  + " seconds while others wait for its room"));
    }
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

  private void fail(Throwable why) {
    result.tryFail(why);
  }

  private void release() {
    if (claim != null) {
      workers.uploads().end(claim);
    }
    if (timer >= 0) {
      vertx.cancelTimer(timer);
    }
  }
}
