package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.root.Collector;
import dev.ashlar.block.root.Marking;
import dev.ashlar.block.root.RootedBlockStore;
import dev.ashlar.block.root.Stamps;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collections of garbage that are asked for here, or due because there is too much: one at a time.
 * And the time between entries of the log, which is counted here and written down now and then, so
 * that what is young is known.
 */
final class Collections {

  private static final Logger LOG = LoggerFactory.getLogger(Collections.class);
  private static final long COUNT_MILLIS = 20_000;
  private static final long STAMP_SECONDS = 300;

  private final Workers workers;
  private final GatewayOptions.Tasks bounds;
  private final Stamps stamps;
  private final Watermark watermark;
  private final Consumer<Consumer<RootedBlockStore>> background;
  private volatile Runnable stop = () -> {};
  private final AtomicBoolean running = new AtomicBoolean();

  /**
   * @param background runs what takes long, if there is a place for it
   */
  Collections(
      Workers workers,
      GatewayOptions.Tasks bounds,
      Consumer<Consumer<RootedBlockStore>> background) {
    this.workers = workers;
    this.bounds = bounds;
    this.background = background;
    this.watermark =
        new Watermark(
            bounds.collectAboveBytes(), bounds.collectionGrace().plusSeconds(STAMP_SECONDS));
    this.stamps = new Stamps(workers.store().roots(), STAMP_SECONDS);
  }

  /** Counts time from now on. */
  void countTime(Vertx vertx) {
    long timer =
        vertx.setPeriodic(
            COUNT_MILLIS,
            id -> {
              workers
                  .call(store -> stamps.stampIfDue(System::nanoTime))
                  .onFailure(e -> LOG.debug("time is not written down: {}", e.getMessage()));
              collectIfDue();
            });
    stop = () -> vertx.cancelTimer(timer);
  }

  /** Begins a collection where there is too much, on one member for all. */
  void collectIfDue() {
    RootedBlockStore here = workers.store();
    boolean isDue =
        watermark.isReached(here.statistics().bytes(), System.nanoTime())
            && !running.get()
            && here.roots().isLeading();
    if (isDue) {
      background.accept(this::collectNow);
    }
  }

  private void collectNow(RootedBlockStore store) {
    long bytes = store.statistics().bytes();
    LOG.info("collecting, for there are {} bytes: see --gc-above-bytes", bytes);
    try {
      run(
          store,
          new Wanted(bounds.collectionGrace().toSeconds(), false),
          () -> !store.roots().isLeading(),
          cid -> {},
          progress -> {},
          end -> LOG.info("collected {} of {} blocks", end.deleted(), end.looked()));
    } catch (RuntimeException e) {
      LOG.warn("the collection did not end: {}", e.getMessage());
    } finally {
      watermark.collected(store.statistics().bytes(), System.nanoTime());
    }
  }

  /** Counts time no more. */
  void close() {
    stop.run();
  }

  /** How far walks may go. */
  Marking.Limits limits() {
    return new Marking.Limits(bounds.walkBytesMax(), Marking.Limits.DEFAULT.depthMax());
  }

  /**
   * What a request asks for.
   *
   * @param graceSeconds blocks that were put less long ago stay
   * @param ignoresMissing whether roots may lead to blocks that are not there
   */
  record Wanted(long graceSeconds, boolean ignoresMissing) {}

  /** What a request asks for. */
  Wanted wanted(Exchange exchange) {
    int grace =
        exchange.number(
            "grace", 0, (int) Stamps.KEPT_SECONDS, (int) bounds.collectionGrace().toSeconds());
    return new Wanted(grace, exchange.flag("ignore-missing", false));
  }

  /**
   * Collects.
   *
   * @param isOver asked often
   */
  void run(
      RootedBlockStore store,
      Wanted wanted,
      BooleanSupplier isOver,
      Consumer<Cid> deleted,
      Consumer<Collector.Progress> progress,
      Consumer<Collector.Progress> end) {
    if (!running.compareAndSet(false, true)) {
      throw new Problem(Problem.Code.CONFLICT, "a collection is under way here already");
    }
    try {
      long graceIndex = stamps.indexBefore(System::nanoTime, wanted.graceSeconds());
      Collector collector =
          new Collector(
              store,
              limits(),
              wanted.ignoresMissing(),
              new Collector.Listener() {
                @Override
                public void deleted(Cid cid) {
                  deleted.accept(cid);
                }

                @Override
                public void progress(Collector.Progress now) {
                  progress.accept(now);
                }

                @Override
                public boolean goesOn() {
                  return !isOver.getAsBoolean();
                }
              });
      end.accept(collector.collect(graceIndex));
    } finally {
      running.set(false);
    }
  }

  static JsonObject json(Collector.Progress progress) {
    return new JsonObject()
        .put("marked", progress.marked())
        .put("missing", progress.missing())
        .put("looked", progress.looked())
        .put("deleted", progress.deleted());
  }
}
