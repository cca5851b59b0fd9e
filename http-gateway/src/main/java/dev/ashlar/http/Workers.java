package dev.ashlar.http;

import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.root.RootedBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * The way from event loops to a blocking store and back. Tasks and the bytes that requests hold are
 * bounded: what is over the bound is refused at once and not done.
 */
final class Workers {

  /** More tasks than this wait for nothing good. */
  private static final int TASKS_MAX = 16_384;

  private final RootedBlockStore store;
  private final GatewayOptions.Limits limits;
  private final WorkerExecutor executor;
  private final ByteBudget uploads;
  private final ByteBudget downloads;
  private final AtomicInteger tasks = new AtomicInteger();

  Workers(Vertx vertx, RootedBlockStore store, GatewayOptions.Limits limits) {
    this.store = store;
    this.limits = limits;
    this.uploads = new ByteBudget(limits.bodyBytesInFlightMax());
    this.downloads = new ByteBudget(limits.bodyBytesInFlightMax());
    this.executor =
        vertx.createSharedWorkerExecutor("ashlar-http", limits.workers(), 5, TimeUnit.MINUTES);
  }

  /** The store, for what does not block: limits and counters. */
  RootedBlockStore store() {
    return store;
  }

  GatewayOptions.Limits limits() {
    return limits;
  }

  /** Runs something that blocks; the future completes on the caller's context. */
  <T> Future<T> call(Function<RootedBlockStore, T> task) {
    if (tasks.incrementAndGet() > TASKS_MAX) {
      tasks.decrementAndGet();
      return Future.failedFuture(
          new StoreUnavailableException("too many requests are waiting; not done, try again"));
    }
    return executor
        .executeBlocking(() -> task.apply(store), false)
        .onComplete(done -> tasks.decrementAndGet());
  }

  /** Room for the bytes of bodies that are being received. */
  ByteBudget uploads() {
    return uploads;
  }

  /** Room for the bytes of blocks that are being sent: its own, so that readers stop no writer. */
  ByteBudget downloads() {
    return downloads;
  }

  /**
   * Takes room for bytes that are to be sent; {@link #downloads()} takes them back.
   *
   * @throws StoreUnavailableException when there is none
   */
  void takeForDownload(long bytes) {
    if (!downloads.take(bytes)) {
      throw new StoreUnavailableException("too many downloads are under way; try again");
    }
  }

  /** As a walk takes and gives back room for what it remembers: a negative number gives. */
  void chargeDownload(long bytes) {
    if (bytes > 0) {
      takeForDownload(bytes);
    } else {
      downloads.give(-bytes);
    }
  }

  Future<Void> close() {
    return executor.close();
  }
}
