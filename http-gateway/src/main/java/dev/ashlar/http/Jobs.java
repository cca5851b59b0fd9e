package dev.ashlar.http;

import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.root.RootedBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Requests that take long and block, each on a thread of its own while it runs: they read bodies
 * and write answers of any length, and wait for both. Their number is bounded: what is over the
 * bound is refused at once and not done.
 */
final class Jobs {

  private static final int HOURS_MAX = 24;

  private final Workers workers;
  private final GatewayOptions options;
  private final WorkerExecutor executor;
  private final Semaphore free;
  private final Collections collections;

  Jobs(Vertx vertx, Workers workers, GatewayOptions options) {
    this.workers = workers;
    this.options = options;
    this.collections = new Collections(workers, options.tasks(), this::inBackground);
    this.free = new Semaphore(options.tasks().jobsMax());
    this.executor =
        vertx.createSharedWorkerExecutor(
            "ashlar-jobs-" + System.identityHashCode(this),
            options.tasks().jobsMax(),
            HOURS_MAX,
            TimeUnit.HOURS);
  }

  /** What blocks. */
  @FunctionalInterface
  interface Job {
    /**
     * Does it.
     *
     * @param out the answer, which is ended when this returns, and broken off when it throws
     */
    void run(RootedBlockStore store, JobOutput out) throws Exception;
  }

  /** Runs a job that answers an exchange. */
  void run(Exchange exchange, Job job) {
    run(exchange, JobOutput.Failure.BREAKS_OFF, job);
  }

  /**
   * Runs a job that answers an exchange.
   *
   * @param failure how it is told that a job failed whose answer has begun
   */
  void run(Exchange exchange, JobOutput.Failure failure, Job job) {
    if (!free.tryAcquire()) {
      exchange.fail(
          new StoreUnavailableException(
              "too many imports, exports, walks and collections are under way; not done, try"
                  + " again"));
      return;
    }
    JobOutput out = new JobOutput(exchange, failure, options.limits());
    executor
        .executeBlocking(
            () -> {
              try {
                job.run(workers.store(), out);
                out.finish();
              } catch (Exception e) {
                out.fail(e);
              }
              return true;
            },
            false)
        .onComplete(end -> free.release())
        .onFailure(out::fail);
  }

  /** Runs what nobody waits for, if there is a place for it. */
  private void inBackground(Consumer<RootedBlockStore> job) {
    if (free.tryAcquire()) {
      executor
          .executeBlocking(
              () -> {
                job.accept(workers.store());
                return true;
              },
              false)
          .onComplete(end -> free.release());
    }
  }

  /** Collections of garbage, which are jobs too. */
  Collections collections() {
    return collections;
  }

  /** The files of a multipart request that a job reads. */
  MultipartInput multipart(Exchange exchange) {
    return new MultipartInput(exchange, options.limits());
  }

  /** A body that a job reads. */
  BodyInput body(Exchange exchange) {
    return new BodyInput(exchange.request(), options.limits());
  }

  Future<Void> close() {
    collections.close();
    return executor.close();
  }
}
