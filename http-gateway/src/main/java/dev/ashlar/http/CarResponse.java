package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.DagWalk;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.PooledByteBufAllocator;
import io.vertx.core.internal.buffer.BufferInternal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
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
  private long walkBytes;

  /**
   * Takes room for a slice, or fails.
   *
   * @throws StoreUnavailableException when too many downloads are under way
   */
  CarResponse(
      Workers workers,
      Exchange exchange,
      ReadConsistency consistency,
      DagPath path,
      Cid root,
      DagWalk.Options options) {
    this.workers = workers;
    this.exchange = exchange;
    BlockStore store = workers.store();
    this.heldBytes = SLICE_BYTES + (long) store.blockBytesMax();
    take(heldBytes);
    this.slice = PooledByteBufAllocator.DEFAULT.directBuffer(SLICE_BYTES);
    try {
      BlockSource source = store.reading(consistency)::get;
      this.walk = new DagWalk(source, path, options, this::chargeWalk);
      this.writer = CarWriter.open(new ByteBufOutputStream(slice), List.of(root));
    } catch (IOException e) {
      release();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      release();
      throw e;
    }
  }

  /** Sends all of it. The response's head is set. */
  void send() {
    exchange.response().setChunked(true);
    sendNext();
  }

  /** Gives up what is held. */
  void release() {
    slice.release();
    workers.downloads().give(heldBytes + walkBytes);
  }

  private void sendNext() {
    workers
        .call(store -> fill())
        .onFailure(this::fail)
        .onSuccess(
            end -> {
              if (exchange.isGone()) {
                release();
              } else {
                write(end);
              }
            });
  }

  private void write(End end) {
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
                sendNext();
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
    slice.clear();
    try {
      boolean isLast = false;
      while (!isLast && slice.readableBytes() < SLICE_BYTES) {
        Optional<Block> block = walk.next();
        isLast = block.isEmpty();
        if (block.isPresent()) {
          writer.write(block.get());
        }
      }
      writer.flush();
      return new End(isLast, Optional.empty());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      return new End(false, Optional.of(e));
    }
  }

  private void fail(Throwable why) {
    release();
    exchange.fail(why);
  }

  private void chargeWalk(long bytes) {
    if (bytes > 0) {
      take(bytes);
    } else {
      workers.downloads().give(-bytes);
    }
    walkBytes += bytes;
  }

  private void take(long bytes) {
    if (!workers.downloads().take(bytes)) {
      throw new StoreUnavailableException("too many downloads are under way; try again");
    }
  }
}
