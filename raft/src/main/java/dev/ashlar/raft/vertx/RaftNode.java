package dev.ashlar.raft.vertx;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.Payload;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.core.Role;
import dev.ashlar.raft.driver.AdminCommand;
import dev.ashlar.raft.driver.Features;
import dev.ashlar.raft.driver.Host;
import dev.ashlar.raft.driver.Lane;
import dev.ashlar.raft.driver.RaftDriver;
import dev.ashlar.raft.driver.Storage;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.Replica;
import dev.ashlar.raft.replication.Replication;
import dev.ashlar.raft.replication.WriteResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a cluster: one context, on which driver and connections live, and the threads of its
 * storage. Public methods may be called from any thread; none blocks but {@link #close()}.
 */
public final class RaftNode implements Replication {

  private static final Logger LOG = LoggerFactory.getLogger(RaftNode.class);

  /** Who has not answered for so long is not asked to lead. */
  private static final int IN_CONTACT_TICKS = 15;

  private static final int DRAIN_SECONDS_MAX = 5;

  /** A mark that takes longer is not waited for. */
  private static final int MARK_MILLIS_MAX = 3000;

  private static final int CLOSE_SECONDS_MAX = 20;

  /** A fold of a full table takes some hundred slices. */
  private static final int HOLD_ATTEMPTS = 10_000;

  private final Vertx vertx;
  private final Context context;
  private final RaftNodeOptions options;
  private final StorageEngine engine;
  private final ReplicaExecutor storage;
  private final PeerServer server;
  private final PeerClient client;
  private final Identity identity;
  private final Peers peers;
  private final Forming forming;
  private long lastWrite;
  private long sameWriteTicks;
  private final Promise<Throwable> failure = Promise.promise();
  private @Nullable RaftDriver driver;
  private long ticker = -1;
  private volatile boolean closed;
  private volatile boolean formed;
  private volatile boolean readable;
  private volatile boolean removed;
  private volatile Optional<MemberId> leader = Optional.empty();
  private volatile boolean leads;
  private volatile boolean stuck;

  /**
   * @param engine of this member's replica; closed with the node
   * @throws IllegalArgumentException for an address that is not loopback without secret or TLS
   */
  public RaftNode(Vertx vertx, StorageEngine engine, RaftNodeOptions options) {
    this(vertx, engine, options, Features.ALL);
  }

  /**
   * @param features what it says that it knows; another release knows others
   */
  RaftNode(Vertx vertx, StorageEngine engine, RaftNodeOptions options, long features) {
    this.vertx = vertx;
    this.identity = new Identity(features);
    this.context = vertx.getOrCreateContext();
    this.options = options;
    this.engine = engine;
    requireSecurity(options);
    this.storage = new ReplicaExecutor(context, new Replica(engine));
    this.client = new PeerClient(vertx, options);
    this.peers = new Peers(vertx, client, options, identity, this::lost);
    this.forming = new Forming(vertx, client, storage, engine, identity);
    this.server =
        new PeerServer(
            vertx,
            options,
            identity,
            new Visits(
                identity,
                peers,
                () -> Optional.ofNullable(driver),
                () -> closed,
                this::admin,
                this::ownView));
  }

  /**
   * Listens, and forms the member, or goes on with the one that the disk has.
   *
   * @return completed when it takes part; failed with {@link FormationException} when it cannot
   */
  public Future<Void> start(Formation formation) {
    Promise<Void> started = Promise.promise();
    failure.future().onSuccess(started::tryFail);
    ticker = vertx.setPeriodic(options.tickMillis(), id -> context.runOnContext(on -> tick()));
    context.runOnContext(
        nothing ->
            server
                .listen()
                .compose(
                    port -> {
                      identity.isReachedAt(
                          options.advertise().orElse(bracketed(options.host()) + ":" + port));
                      return forming.form(formation);
                    })
                .compose(done -> begin())
                .onSuccess(done -> ifJoining(formation))
                .onSuccess(started::tryComplete)
                .onFailure(started::tryFail));
    return started.future();
  }

  private void ifJoining(Formation formation) {
    if (formation instanceof Formation.Join join) {
      forming.askToBeAdded(join.contacts(), this::isMember);
    }
  }

  private boolean isMember() {
    return driver == null || driver.core().status().membership().contains(identity.member());
  }

  /** Completed with why, when the member cannot go on: the process should end. */
  public Future<Throwable> failure() {
    return failure.future();
  }

  /**
   * Whether it cannot go on because a write to the storage does not end: nothing may wait for it.
   */
  public boolean isStuck() {
    return stuck;
  }

  /** The leader, as far as this member knows; a moment old. */
  public Optional<MemberId> leader() {
    return leader;
  }

  /** Whether the cluster that this member belonged to goes on without it. */
  public boolean isRemoved() {
    return removed;
  }

  /** Whether the member has a cluster and takes part in it. */
  public boolean isFormed() {
    return formed;
  }

  /** What is known here of the cluster. */
  public Future<NodeStatus> status() {
    return onContext(RaftNode::statusOf);
  }

  /**
   * What each member says of itself: those that answer in time, this one among them. An answer for
   * people, not for decisions.
   */
  public Future<Map<MemberId, MemberView>> views() {
    Promise<Map<MemberId, MemberView>> all = Promise.promise();
    withDriver(
        running -> askAll(running, all),
        () -> all.tryFail(new IllegalStateException("the member is not running")));
    return all.future();
  }

  private void askAll(RaftDriver running, Promise<Map<MemberId, MemberView>> all) {
    Map<MemberId, MemberView> views = new TreeMap<>();
    views.put(identity.member(), MemberView.of(options.release(), statusOf(this, running)));
    Membership membership = running.core().status().membership();
    List<Future<MemberView>> asked = new ArrayList<>();
    for (MemberId member : membership.members()) {
      if (!member.equals(identity.member())) {
        asked.add(
            client
                .ask(
                    membership.address(member).orElse("unknown:0"),
                    identity.hello(Hello.Purpose.STATUS, member))
                .map(MemberView::decode)
                .onSuccess(view -> views.put(member, view)));
      }
    }
    Future.join(asked).onComplete(done -> all.tryComplete(views));
  }

  private Future<String> ownView() {
    return status().map(status -> MemberView.of(options.release(), status).encode());
  }

  /**
   * Adds the member that is reached at an address and waits there to be added.
   *
   * @param voter whether it is to vote once it has caught up
   */
  public Future<WriteResult> addAt(String peer, boolean voter) {
    Promise<WriteResult> end = Promise.promise();
    context.runOnContext(
        nothing ->
            forming.discover(peer).compose(seen -> addSeen(peer, voter, seen)).onComplete(end));
    return end.future();
  }

  private Future<WriteResult> addSeen(String peer, boolean voter, Discovery seen) {
    if (seen.cluster().filter(other -> !other.equals(identity.cluster())).isPresent()) {
      return Future.failedFuture(
          new FormationException(
              peer + " is a member of another cluster, " + seen.cluster().get()));
    }
    if (seen.cluster().isEmpty()) {
      return Future.failedFuture(
          new FormationException(
              peer + " belongs to no cluster yet: start it with --join, then it is added"));
    }
    return admin(new AdminCommand.Add(seen.member(), peer, voter));
  }

  /** Asks for a change of the cluster, through the leader wherever it is. */
  public Future<WriteResult> admin(AdminCommand command) {
    Promise<WriteResult> end = Promise.promise();
    withDriver(
        running -> running.admin(command, end::tryComplete), () -> end.tryComplete(notRunning()));
    return end.future();
  }

  @Override
  public void write(BlockCommand command, Consumer<WriteResult> done) {
    withDriver(running -> running.write(command, done), () -> done.accept(notRunning()));
  }

  /** While it is being formed a member has no leader yet. */
  private WriteResult notRunning() {
    return new WriteResult.NotDone(
        closed ? WriteResult.Reason.STOPPING : WriteResult.Reason.NO_LEADER);
  }

  @Override
  public void read(Consumer<Boolean> done) {
    withDriver(running -> running.read(done), () -> done.accept(false));
  }

  /**
   * Keeps what is replicated as of now as it is, to be read as a manifest ({@link
   * StorageEngine#hold}), until it is released with {@link #release}.
   *
   * @return failed where no leader confirms what "now" is
   */
  public Future<ManifestHead> hold() {
    Promise<ManifestHead> held = Promise.promise();
    read(
        confirmed -> {
          if (confirmed) {
            hold(engine.status().applied(), HOLD_ATTEMPTS, held);
          } else {
            held.tryFail(new StoreUnavailableException("no leader confirms what is replicated"));
          }
        });
    return held.future();
  }

  /** Ends one {@link #hold}. */
  public void release() {
    storage.write(
        replica -> {
          engine.release();
          return true;
        });
  }

  /** The index lags behind: what it lacks is folded into it first, a slice at a time. */
  private void hold(long index, int attempts, Promise<ManifestHead> held) {
    storage
        .write(
            replica -> {
              if (engine.status().watermark() < index) {
                if (engine.isHeld()) {
                  throw new StoreUnavailableException("a snapshot is being sent; try again");
                }
                engine.freeze();
                replica.write(List.of(), Optional.empty(), 0);
                return Optional.<ManifestHead>empty();
              }
              return engine.hold();
            })
        .onFailure(held::tryFail)
        .onSuccess(
            head -> {
              if (head.isPresent()) {
                held.tryComplete(head.get());
              } else if (attempts == 0 || closed) {
                held.tryFail(new StoreUnavailableException("the index does not come to rest"));
              } else {
                vertx.setTimer(1, id -> hold(index, attempts - 1, held));
              }
            });
  }

  @Override
  public void copy(Cid cid, Consumer<Optional<Block>> done) {
    withDriver(running -> running.copy(cid, done), () -> done.accept(Optional.empty()));
  }

  @Override
  public boolean mayReadLocally() {
    return readable;
  }

  @Override
  public boolean isLeading() {
    return leads;
  }

  @Override
  public boolean isClosed() {
    return closed;
  }

  /**
   * Hands leadership over, if it leads and somebody can take it; completed when it leads no more,
   * or after two election timeouts.
   */
  public Future<Void> handOver() {
    Promise<Void> over = Promise.promise();
    withDriver(
        running -> {
          Optional<MemberId> heir = heir(running);
          if (heir.isEmpty()) {
            over.tryComplete();
            return;
          }
          running.admin(new AdminCommand.Transfer(heir.get()), result -> {});
          long until = 2L * options.driver().core().electionTicksMax() * options.tickMillis();
          awaitNoLead(running, over, System.nanoTime() + until * 1_000_000);
        },
        over::tryComplete);
    return over.future();
  }

  /** Answers what waits, stops, and closes the engine. Blocks. Not on an event loop. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    CompletableFuture<Void> stopped = new CompletableFuture<>();
    long untilNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(DRAIN_SECONDS_MAX);
    context.runOnContext(nothing -> stopWhenDone(stopped, untilNanos));
    try {
      stopped.get(CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("the peer connections did not close in time", e);
    }
    storage.close();
    engine.close();
  }

  /** What was begun is finished first, if it can be: nobody is told "unknown" without need. */
  private void stopWhenDone(CompletableFuture<Void> stopped, long untilNanos) {
    if (driver != null && driver.isBusy() && System.nanoTime() - untilNanos < 0) {
      vertx.setTimer(1, id -> stopWhenDone(stopped, untilNanos));
      return;
    }
    if (ticker >= 0) {
      vertx.cancelTimer(ticker);
    }
    if (driver != null) {
      driver.stop();
    }
    forming.stop();
    peers.close();
    client.close();
    server.close().onComplete(done -> stopped.complete(null));
  }

  private Future<Void> begin() {
    return storage
        .write(Replica::restored)
        .compose(
            restored -> {
              Optional<FormationException> moved = moved(restored);
              if (moved.isPresent()) {
                return Future.failedFuture(moved.get());
              }
              driver =
                  new RaftDriver(
                      identity.member(),
                      options.driver(),
                      new SplittableRandom(new SecureRandom().nextLong()),
                      restored,
                      storage,
                      peers,
                      new Loop());
              peers.membershipIs(driver.core().status().membership());
              formed = true;
              LOG.info(
                  "node={} cluster={} address={} term={} applied={}",
                  identity.member(),
                  identity.cluster(),
                  identity.address(),
                  driver.core().status().term(),
                  restored.applied());
              return Future.succeededFuture();
            });
  }

  /** A member among others is reached where its cluster knows it; a cluster of one may move. */
  private Optional<FormationException> moved(RaftCore.Restored restored) {
    Membership[] last = {restored.atBase()};
    restored
        .entries()
        .forEach(
            entry -> {
              if (entry.payload() instanceof Payload.Configuration configuration) {
                last[0] = configuration.membership();
              }
            });
    Optional<String> known =
        last[0].address(identity.member()).filter(place -> !place.equals(identity.address()));
    boolean others = last[0].members().size() > 1;
    return known
        .filter(place -> others)
        .map(
            place ->
                new FormationException(
                    "the cluster reaches this member at "
                        + place
                        + " and it was started to be reached at "
                        + identity.address()
                        + ": see --peer-listen and --advertise"));
  }

  /**
   * Takes no further part.
   *
   * @param mark leaves a mark beside the store, if the storage lets it
   */
  private void end(Throwable why, Consumer<StorageEngine> mark) {
    LOG.error("node={} cannot go on", identity.member(), why);
    readable = false;
    storage.run(
        Storage.Work.READ,
        replica -> {
          mark.accept(engine);
          return true;
        },
        done -> failure.tryComplete(why),
        unmarked -> failure.tryComplete(why));
    vertx.setTimer(MARK_MILLIS_MAX, id -> failure.tryComplete(why));
  }

  /** Storage that never answers, or code underneath that goes round in a damaged file for ever. */
  private void endIfStuck() {
    long write = storage.writing();
    sameWriteTicks = write != 0 && write == lastWrite ? sameWriteTicks + 1 : 0;
    lastWrite = write;
    // In ticks: a process that was itself stopped for a while has not waited.
    long millis = sameWriteTicks * options.tickMillis();
    boolean isOver = failure.future().isComplete() || (driver != null && driver.isStopped());
    if (millis > options.stuckMillis() && !isOver) {
      sameWriteTicks = 0;
      if (driver != null) {
        driver.stop();
      }
      stuck = true;
      String what = "a write to the storage has not ended for " + millis / 1000 + " s";
      end(new StoreFailedException(what, new IOException(what), true), store -> store.doubt(what));
    }
  }

  private void tick() {
    endIfStuck();
    if (driver != null) {
      driver.tick();
      peers.callSilentAnew();
      look(driver);
    }
  }

  /** What other threads may know without asking. */
  private void look(RaftDriver running) {
    leader = running.core().leader();
    leads = running.core().status().role() instanceof Role.Leader;
    Membership membership = running.core().status().membership();
    boolean isOut = !membership.members().isEmpty() && !membership.contains(identity.member());
    if (isOut && !removed) {
      LOG.warn("node={} is no part of its cluster any more", identity.member());
    }
    removed = isOut;
    readable =
        running.core().status().membership().contains(identity.member()) && !running.isInstalling();
  }

  private void lost(MemberId peer, Lane lane) {
    if (driver != null) {
      driver.lost(peer, lane);
    }
  }

  private static Optional<MemberId> heir(RaftDriver running) {
    if (!(running.core().status().role() instanceof Role.Leader)) {
      return Optional.empty();
    }
    Membership membership = running.core().status().membership();
    return running.core().peers().entrySet().stream()
        .filter(peer -> membership.voters().contains(peer.getKey()))
        .filter(peer -> peer.getValue().silentTicks() <= IN_CONTACT_TICKS)
        .max((a, b) -> Long.compare(a.getValue().match(), b.getValue().match()))
        .map(Map.Entry::getKey);
  }

  private void awaitNoLead(RaftDriver running, Promise<Void> over, long untilNanos) {
    boolean leads = running.core().status().role() instanceof Role.Leader;
    if (!leads || running.isStopped() || System.nanoTime() - untilNanos > 0) {
      over.tryComplete();
    } else {
      vertx.setTimer(options.tickMillis(), id -> awaitNoLead(running, over, untilNanos));
    }
  }

  private static NodeStatus statusOf(RaftNode node, RaftDriver running) {
    RaftCore core = running.core();
    Ready.Status now = core.status();
    return new NodeStatus(
        node.identity.cluster(),
        node.identity.member(),
        node.identity.address(),
        now.term(),
        now.role(),
        core.leader(),
        now.membership(),
        core.base().index(),
        core.last().index(),
        core.commitIndex(),
        running.applied(),
        running.isInstalling(),
        core.isSettledLeader(),
        running.scrubbed(),
        running.mended(),
        core.peers());
  }

  private <T> Future<T> onContext(java.util.function.BiFunction<RaftNode, RaftDriver, T> what) {
    Promise<T> promise = Promise.promise();
    withDriver(
        running -> promise.tryComplete(what.apply(this, running)),
        () -> promise.tryFail(new IllegalStateException("the member is not running")));
    return promise.future();
  }

  private void withDriver(Consumer<RaftDriver> what, Runnable otherwise) {
    context.runOnContext(
        nothing -> {
          RaftDriver running = driver;
          if (running == null || closed) {
            otherwise.run();
          } else {
            what.accept(running);
          }
        });
  }

  private static void requireSecurity(RaftNodeOptions options) {
    boolean secured = options.tls().isPresent() || !options.secret().isNone();
    String advertised =
        options.advertise().map(a -> a.substring(0, a.lastIndexOf(':'))).orElse(options.host());
    if (!secured && !(Loopback.isHost(options.host()) && Loopback.isHost(advertised))) {
      throw new IllegalArgumentException(
          "a peer address that is not loopback needs mutual TLS or --cluster-secret-file: "
              + options.host()
              + ", "
              + advertised);
    }
  }

  private static String bracketed(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  /** The driver's side. */
  private final class Loop implements Host {

    @Override
    public String address() {
      return identity.address();
    }

    @Override
    public void schedulePump() {
      context.runOnContext(
          nothing -> {
            if (driver != null) {
              driver.pump();
            }
          });
    }

    @Override
    public void changed(Ready.Status status) {
      LOG.info(
          "node={} term={} role={} leader={} voters={} learners={}",
          identity.member(),
          status.term(),
          status.role().getClass().getSimpleName(),
          driver == null ? "" : driver.core().leader().map(MemberId::toString).orElse("none"),
          status.membership().voters().size(),
          status.membership().learners().size());
      if (driver != null) {
        look(driver);
      }
      peers.membershipIs(status.membership());
    }

    @Override
    public void damaged(Throwable why) {
      LOG.warn("node={} goes on although it is damaged: {}", identity.member(), why.getMessage());
    }

    @Override
    public void failed(Throwable why) {
      boolean isReplaceable =
          driver != null && driver.core().status().membership().voters().size() >= 3;
      if (why instanceof StoreDamagedException && isReplaceable) {
        // Others may have given up on what it had promised: it is not to begin again with less.
        end(why, store -> store.condemn(String.valueOf(why.getMessage())));
      } else {
        end(why, store -> {});
      }
    }
  }
}
