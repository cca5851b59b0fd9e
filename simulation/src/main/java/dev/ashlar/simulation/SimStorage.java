package dev.ashlar.simulation;

import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.driver.Storage;
import dev.ashlar.raft.replication.Replica;
import java.util.ArrayDeque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A node's storage executor on virtual time: writes one at a time and in order, each taking effect
 * whole at its end, its result coming a moment later; a crash before the end undoes it, a crash
 * between end and result leaves it done and unheard of.
 */
final class SimStorage implements Storage {

  private static final int SYNC_MICROS = 300;
  private static final int HUNG_RETRY_MICROS = 20_000;

  private final World world;
  private final SimNode node;
  private final int life;
  private final SimDisk disk;
  private final Replica replica;
  private final Observer observer;
  private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
  private boolean busy;

  SimStorage(World world, SimNode node, SimDisk disk, Replica replica, Observer observer) {
    this.world = world;
    this.node = node;
    this.life = node.life();
    this.disk = disk;
    this.replica = replica;
    this.observer = observer;
  }

  @Override
  public <T> void run(
      Work kind, Function<Replica, T> work, Consumer<T> done, Consumer<Throwable> failed) {
    if (kind == Work.READ) {
      world.after(
          (long) world.between(10, 400) * disk.slowness(), () -> execute(kind, work, done, failed));
    } else {
      queue.add(() -> start(kind, work, done, failed));
      next();
    }
  }

  private void next() {
    if (!busy && !queue.isEmpty()) {
      busy = true;
      queue.remove().run();
    }
  }

  private <T> void start(
      Work kind, Function<Replica, T> work, Consumer<T> done, Consumer<Throwable> failed) {
    if (node.life() != life) {
      return;
    }
    if (disk.isHung() && kind == Work.WRITE) {
      world.after(HUNG_RETRY_MICROS, () -> start(kind, work, done, failed));
      return;
    }
    int micros =
        kind == Work.APPLY
            ? world.between(1, 20)
            : world.between(SYNC_MICROS / 3, SYNC_MICROS * 3) * disk.slowness();
    world.after(
        micros,
        () -> {
          execute(kind, work, done, failed);
          busy = false;
          next();
        });
  }

  private <T> void execute(
      Work kind, Function<Replica, T> work, Consumer<T> done, Consumer<Throwable> failed) {
    if (node.life() != life) {
      return;
    }
    try {
      T result = work.apply(replica);
      if (kind == Work.APPLY && result instanceof List<?> list) {
        for (Object each : list) {
          if (each instanceof StorageEngine.Applied applied) {
            observer.applied(node, applied);
          }
        }
      }
      if (kind == Work.WRITE) {
        observer.wrote(node, replica);
      }
      deliver(() -> done.accept(result));
    } catch (RuntimeException e) {
      deliver(() -> failed.accept(e));
    }
  }

  private void deliver(Runnable result) {
    world.after(world.between(1, 50), () -> node.whenRunning(life, result));
  }
}
