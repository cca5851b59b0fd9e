package dev.ashlar.server;

import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.EngineReads;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.http.Gateway;
import dev.ashlar.http.GatewayOptions;
import dev.ashlar.raft.replication.Replica;
import dev.ashlar.raft.replication.ReplicatedBlockStore;
import dev.ashlar.raft.vertx.Formation;
import dev.ashlar.raft.vertx.RaftNode;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import io.netty.channel.unix.Errors.NativeIoException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "serve",
    description = {
      "Run a node: blocks on disk, HTTP on 127.0.0.1:8420.",
      "SIGTERM or SIGINT finishes what is under way and ends with status 0."
    })
final class ServeCommand implements Callable<Integer> {

  private static final Logger LOG = LoggerFactory.getLogger(ServeCommand.class);

  private static final Duration STOP_MARGIN = Duration.ofSeconds(10);
  private static final long MARK_MILLIS_MAX = 3_000;

  @Mixin private ServeOptions options = new ServeOptions();

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  private final List<Gateway> gateways = new ArrayList<>();

  @Override
  public Integer call() throws Exception {
    options.check(spec.commandLine());
    options.configureLogging();
    System.setProperty(
        "vertx.logger-delegate-factory-class-name",
        "io.vertx.core.logging.SLF4JLogDelegateFactory");
    GatewayOptions http = options.http();
    if (options.isSupervised()) {
      return supervise();
    }
    Files.createDirectories(options.data());
    Replacement replacement = new Replacement(options.data());
    Vertx vertx = Gateway.vertx(few(options.eventLoops() + 1), options.limits());
    // Connections of members are none of HTTP's: they are not to be timed and counted with those.
    Vertx peers = Vertx.vertx(few(2).setPreferNativeTransport(true));
    Formation formation = replacement.pending().orElse(options.formation());
    LmdbBlockStore store;
    try {
      store = open();
    } catch (StoreDamagedException e) {
      formation = replacement.replace(peers, options.node(), e);
      store = open();
    }
    CountDownLatch failed = new CountDownLatch(1);
    RaftNode node = new RaftNode(peers, store.engine(), options.node());
    node.failure().onComplete(why -> failed.countDown());
    Upkeep upkeep =
        new Upkeep(vertx, store, node, replacement, options.reserveBytes(), failed::countDown);
    Thread stop = new Thread(() -> stop(List.of(vertx, peers), node), "ashlar-stop");
    Runtime.getRuntime().addShutdownHook(stop);
    try {
      start(vertx, node, formation, store.engine(), http, upkeep);
    } catch (CompletionException e) {
      if (node.failure().isComplete()) {
        // What does not end would be waited for below.
        return halt(node);
      }
      if (!Runtime.getRuntime().removeShutdownHook(stop)) {
        return Main.EXIT_FAILED;
      }
      gateways.forEach(gateway -> await(gateway.stop(Duration.ZERO), STOP_MARGIN));
      node.close();
      await(vertx.close(), STOP_MARGIN);
      await(peers.close(), STOP_MARGIN);
      if (e.getCause() instanceof SocketException || e.getCause() instanceof NativeIoException) {
        throw new IOException(
            "cannot listen on "
                + listens()
                + " and "
                + options.node().host()
                + ":"
                + options.node().port()
                + ": "
                + e.getCause().getMessage()
                + "; see --listen and --peer-listen",
            e);
      }
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
    upkeep.start();
    LOG.info(
        "serving http://{}:{} data={} blocks={}",
        http.host(),
        gateways.get(0).port(),
        options.data().toAbsolutePath(),
        store.statistics().blocks());
    if (gateways.size() > 1) {
      LOG.info("serving reads of /ipfs on port {}", gateways.get(1).port());
    }
    failed.await();
    return halt(node);
  }

  private static VertxOptions few(int eventLoops) {
    return new VertxOptions()
        .setEventLoopPoolSize(eventLoops)
        .setInternalBlockingPoolSize(2)
        .setWorkerPoolSize(2);
  }

  private static int halt(RaftNode node) {
    LOG.error("the member cannot go on: ending, for nothing that is read back can be trusted");
    int status = Main.EXIT_STORAGE;
    if (node.failure().result() instanceof StoreDamagedException) {
      status = Main.EXIT_DAMAGED;
    } else if (node.isStuck()) {
      status = Main.EXIT_STUCK;
    }
    Runtime.getRuntime().halt(status);
    return status;
  }

  private int supervise() throws IOException, InterruptedException {
    return new Supervisor(
            spec.root().commandLine().getParseResult().originalArgs(),
            options.data(),
            options.stopGrace())
        .run();
  }

  /** Opens what can be trusted to go on from. */
  private LmdbBlockStore open() throws IOException {
    LOG.info("opening {}", options.data().toAbsolutePath());
    AtomicBoolean decided = new AtomicBoolean();
    Thread watch = new Thread(() -> endWhereItDoesNotOpen(decided), "ashlar-open-watch");
    watch.setDaemon(true);
    LmdbBlockStore store;
    try {
      store = LmdbBlockStore.open(options.data(), options.store(), watch::start);
    } finally {
      decided.set(true);
      watch.interrupt();
    }
    try {
      new Replica(store.engine()).requireSound();
      return store;
    } catch (StoreDamagedException e) {
      store.close();
      throw e;
    }
  }

  /** Code underneath goes round in a damaged file for ever, or a disk never answers. */
  private void endWhereItDoesNotOpen(AtomicBoolean decided) {
    try {
      TimeUnit.MILLISECONDS.sleep(options.stuckMillis());
      if (!decided.compareAndSet(false, true)) {
        return;
      }
      String what = "the store has not opened for " + options.stuckMillis() / 1000 + " s";
      LOG.error("{}: ending, so that the file is looked at before it is opened again", what);
      Thread mark =
          new Thread(() -> LmdbBlockStore.noteStuck(options.data(), what), "ashlar-open-mark");
      mark.setDaemon(true);
      mark.start();
      mark.join(MARK_MILLIS_MAX);
      Runtime.getRuntime().halt(Main.EXIT_STUCK);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // It has opened.
    }
  }

  private String listens() throws IOException {
    GatewayOptions http = options.http();
    return http.host() + ":" + http.port();
  }

  private void start(
      Vertx vertx,
      RaftNode node,
      Formation formation,
      StorageEngine engine,
      GatewayOptions http,
      Upkeep upkeep)
      throws IOException {
    ReplicatedBlockStore store =
        new ReplicatedBlockStore(node, new EngineReads(engine), options.blockBytes());
    ClusterRoutes cluster =
        new ClusterRoutes(
            node, options.node().tickMillis(), new ManifestRoute(vertx, node, engine));
    List<GatewayOptions> all = new ArrayList<>(List.of(http));
    options.readOnly().ifPresent(all::add);
    for (GatewayOptions each : all) {
      gateways.add(
          join(
              Gateway.start(
                  vertx,
                  store,
                  each,
                  "ashlar/" + Main.Version.number(),
                  upkeep::unreadyReasons,
                  cluster)));
    }
    // What watches the node sees it from the start; whether it is ready is for /readyz to say.
    LOG.info("listening on http://{}:{}", http.host(), gateways.get(0).port());
    join(node.start(formation));
  }

  private static <T> T join(Future<T> future) {
    return future.toCompletionStage().toCompletableFuture().join();
  }

  /** Runs as the JVM's shutdown hook, and ends the process: with status 0 when all went well. */
  private void stop(List<Vertx> loops, RaftNode node) {
    LOG.info("stopping");
    // Somebody else leads before this member is gone, so that nobody has to wait for an election.
    boolean clean = await(node.handOver(), STOP_MARGIN);
    for (Gateway gateway : gateways) {
      clean &= await(gateway.stop(options.stopGrace()), options.stopGrace().plus(STOP_MARGIN));
    }
    try {
      node.close();
    } catch (RuntimeException e) {
      LOG.error("the member did not close", e);
      clean = false;
    }
    for (Vertx each : loops) {
      clean &= await(each.close(), STOP_MARGIN);
    }
    LOG.info("stopped");
    Runtime.getRuntime().halt(clean ? 0 : Main.EXIT_FAILED);
  }

  /** Waits for a part of the stop, but not for ever: the process must end. */
  private static boolean await(Future<?> part, Duration atMost) {
    try {
      part.toCompletionStage().toCompletableFuture().get(atMost.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      LOG.error("a part of the stop did not end within {}", atMost);
    } catch (ExecutionException e) {
      LOG.error("a part of the stop failed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }
}
