package dev.ashlar.raft.vertx;

import dev.ashlar.raft.driver.Storage;
import dev.ashlar.raft.replication.Replica;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;

/** Storage on threads of its own: one that writes, a few that read. Results come on the context. */
final class ReplicaExecutor implements Storage {

  private static final int READERS = 2;
  private static final long STOP_SECONDS = 10;

  private final Context context;
  private final Replica replica;
  private final ExecutorService writer;
  private final ExecutorService readers;
  private final AtomicLong writes = new AtomicLong();

  ReplicaExecutor(Context context, Replica replica) {
    this.context = context;
    this.replica = replica;
    this.writer = Executors.newSingleThreadExecutor(task -> thread(task, "ashlar-writer"));
    this.readers = Executors.newFixedThreadPool(READERS, task -> thread(task, "ashlar-reader"));
  }

  @Override
  public <T> void run(
      Work kind, Function<Replica, T> work, Consumer<T> done, Consumer<Throwable> failed) {
    ExecutorService executor = kind == Work.READ ? readers : writer;
    try {
      executor.execute(
          () -> {
            if (kind == Work.READ) {
              runHere(work, done, failed);
            } else {
              writes.incrementAndGet();
              runHere(work, done, failed);
              writes.incrementAndGet();
            }
          });
    } catch (RejectedExecutionException e) {
      // It is closed: whoever asked has been stopped before.
      return;
    }
  }

  /** Runs work on the writer's thread; for what is done before there is a driver. */
  <T> Future<T> write(Function<Replica, T> work) {
    Promise<T> promise = Promise.promise();
    run(Work.WRITE, work, promise::tryComplete, promise::tryFail);
    return promise.future();
  }

  /** The number of the write that is under way, 0 where none is. */
  long writing() {
    long number = writes.get();
    return (number & 1) == 0 ? 0 : number;
  }

  /** Waits for the write that is under way; what waits behind it is dropped. */
  void close() {
    writer.shutdownNow();
    readers.shutdownNow();
    boolean interrupted = false;
    for (ExecutorService executor : new ExecutorService[] {writer, readers}) {
      try {
        executor.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private <T> void runHere(
      Function<Replica, T> work, Consumer<T> done, Consumer<Throwable> failed) {
    try {
      T result = work.apply(replica);
      context.runOnContext(nothing -> done.accept(result));
    } catch (RuntimeException | Error e) {
      context.runOnContext(nothing -> failed.accept(e));
    }
  }

  private static Thread thread(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }
}
