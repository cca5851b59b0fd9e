package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.DagWalk;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.PooledByteBufAllocator;
import io.vertx.core.internal.buffer.BufferInternal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Sends the blocks of a walk as a CAR: a slice is read on a worker thread and written when the
 * socket has taken the one before. What goes wrong after the first slice breaks the connection, so
 * that no client takes a part for the whole.
 */
final class CarResponse {

  /** A slice is sent when it has so many bytes, or nothing follows. */
  private static final int SLICE_BYTES = 256 << 10;

  private final Workers workers;
  private final Exchange exchange;
  private final ByteBuf slice;
  private final long heldBytes;
  private final CarWriter writer;
  private final DagWalk walk;
  private final MeteredSource source;
  private final Map<String, String> headers;

  /**
   * Takes room for a slice, or fails.
   *
   * @param headers of the response, set once there is something to send
   * @throws StoreUnavailableException when too many downloads are under way
   */
  CarResponse(
      Workers workers,
      Exchange exchange,
      ReadConsistency consistency,
      DagPath path,
      Cid root,
      DagWalk.Options options,
      Map<String, String> headers) {
    this.workers = workers;
    this.exchange = exchange;
    this.headers = headers;
    BlockStore store = workers.store();
    this.heldBytes = SLICE_BYTES + (long) store.blockBytesMax();
    workers.takeForDownload(heldBytes);
    this.slice = PooledByteBufAllocator.DEFAULT.directBuffer(SLICE_BYTES);
    try {
      this.source = new MeteredSource(workers, store.reading(consistency), exchange);
      this.walk = new DagWalk(source, path, options, this::chargeWalk);
      this.writer = CarWriter.open(new ByteBufOutputStream(slice), List.of(root));
    } catch (IOException e) {
      releaseSlice();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      releaseSlice();
      throw e;
    }
  }

  /** Gives up what is held. */
  private void release() {
    source.close();
    walk.close();
    releaseSlice();
  }

  private void releaseSlice() {
    slice.release();
    workers.downloads().give(heldBytes);
  }

  /** Sends all that is still to be sent. */
  void send() {
    workers
        .call(store -> fill())
        .onFailure(this::fail)
        .onSuccess(
            end -> {
              boolean hasNothing = end.broken().isPresent() && end.blocks() == 0;
              if (exchange.isGone()) {
                release();
              } else if (hasNothing && !exchange.response().headWritten()) {
                fail(end.broken().get());
              } else {
                write(end);
              }
            });
  }

  private void write(End end) {
    if (!exchange.response().headWritten()) {
      headers.forEach(exchange.response()::putHeader);
      exchange.response().setChunked(true);
    }
    exchange
        .response()
        .write(BufferInternal.buffer(slice.retainedDuplicate()))
        .onFailure(this::fail)
        .onSuccess(
            written -> {
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

  /**
   * How a slice ends.
   *
   * @param blocks how many are in it
   * @param isLast whether nothing follows
   * @param broken why what follows cannot be had
   */
  private record End(int blocks, boolean isLast, Optional<RuntimeException> broken) {}

  /** What comes before the trouble is sent, and with it the status of a request that was right. */
  private End fill() {
    slice.clear();
    int blocks = 0;
    try {
      boolean isLast = false;
      while (!isLast && slice.readableBytes() < SLICE_BYTES) {
        Optional<Block> block = walk.next();
        isLast = block.isEmpty();
        if (block.isPresent()) {
          writer.write(block.get());
          blocks++;
        }
      }
      writer.flush();
      return new End(blocks, isLast, Optional.empty());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      return new End(blocks, false, Optional.of(flushing(e)));
    }
  }

  private RuntimeException flushing(RuntimeException why) {
    try {
      writer.flush();
    } catch (IOException e) {
      why.addSuppressed(e);
    }
    return why;
  }

  private void fail(Throwable why) {
    release();
    exchange.fail(why);
  }

  private void chargeWalk(long bytes) {
    if (bytes > 0) {
      workers.takeForDownload(bytes);
    } else {
      workers.downloads().give(-bytes);
    }
  }
}
