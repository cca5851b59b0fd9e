package dev.ashlar.raft.vertx;

import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.Payload;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.core.Role;
import dev.ashlar.raft.driver.AdminCommand;
import dev.ashlar.raft.driver.Host;
import dev.ashlar.raft.driver.Lane;
import dev.ashlar.raft.driver.PeerMessage;
import dev.ashlar.raft.driver.RaftDriver;
import dev.ashlar.raft.driver.Storage;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.Replica;
import dev.ashlar.raft.replication.Replication;
import dev.ashlar.raft.replication.WriteResult;
import io.netty.util.NetUtil;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a cluster: one context, on which driver and connections live, and the threads of its
 * storage. Public methods may be called from any thread; none blocks but {@link #close()}.
 */
public final class RaftNode implements Replication {

  private static final Logger LOG = LoggerFactory.getLogger(RaftNode.class);
  private static final int RETRY_MILLIS = 200;

  /** Who has not answered for so long is not asked to lead. */
  private static final int IN_CONTACT_TICKS = 15;

  /** Members tell each other something every second: who is silent for longer is called anew. */
  private static final long SILENT_NANOS_MAX = 5_000_000_000L;

  private static final int FORGET_MILLIS = 10_000;
  private static final int DRAIN_SECONDS_MAX = 5;
  private static final int CLOSE_SECONDS_MAX = 20;

  private final Vertx vertx;
  private final Context context;
  private final RaftNodeOptions options;
  private final StorageEngine engine;
  private final ReplicaExecutor storage;
  private final PeerServer server;
  private final PeerClient client;
  private final Map<MemberId, Map<Lane, PeerLink>> links = new HashMap<>();
  private final Map<MemberId, String> learned = new HashMap<>();
  private final Map<MemberId, Long> heardNanos = new HashMap<>();
  private long lookedNanos;
  private final Promise<Throwable> failure = Promise.promise();
  private MemberId self = new MemberId(Hello.NOBODY);
  private UUID cluster = Hello.NOBODY;
  private List<String> initial = List.of();
  private @Nullable RaftDriver driver;
  private @Nullable Future<Void> running;
  private boolean formed;
  private String address = "";
  private long ticker = -1;
  private volatile boolean closed;
  private volatile boolean readable;
  private volatile boolean removed;
  private volatile Optional<MemberId> leader = Optional.empty();

  /**
   * @param engine of this member's replica; closed with the node
   * @throws IllegalArgumentException for an address that is not loopback without secret or TLS
   */
  public RaftNode(Vertx vertx, StorageEngine engine, RaftNodeOptions options) {
    this.vertx = vertx;
    this.context = vertx.getOrCreateContext();
    this.options = options;
    this.engine = engine;
    requireSecurity(options);
    this.storage = new ReplicaExecutor(context, new Replica(engine));
    this.client = new PeerClient(vertx, options);
    this.server = new PeerServer(vertx, options, new Visits(), () -> self, () -> cluster);
  }

  /**
   * Listens, and forms the member, or goes on with the one that the disk has.
   *
   * @return completed when it takes part; failed with {@link FormationException} when it cannot
   */
  public Future<Void> start(Formation formation) {
    Promise<Void> started = Promise.promise();
    context.runOnContext(
        nothing ->
            server
                .listen()
                .compose(
                    port -> {
                      address = options.advertise().orElse(bracketed(options.host()) + ":" + port);
                      return form(formation);
                    })
                .onComplete(started));
    return started.future();
  }

  /** Completed with why, when the member cannot go on: the process should end. */
  public Future<Throwable> failure() {
    return failure.future();
  }

  /** The leader, as far as this member knows; a moment old. */
  public Optional<MemberId> leader() {
    return leader;
  }

  /** Whether the cluster that this member belonged to goes on without it. */
  public boolean isRemoved() {
    return removed;
  }

  /** What is known here of the cluster. */
  public Future<NodeStatus> status() {
    return onContext(RaftNode::statusOf);
  }

  /**
   * Adds the member that is reached at an address and waits there to be added.
   *
   * @param voter whether it is to vote once it has caught up
   */
  public Future<WriteResult> addAt(String peer, boolean voter) {
    Promise<WriteResult> end = Promise.promise();
    context.runOnContext(
        nothing -> discover(peer).compose(seen -> addSeen(peer, voter, seen)).onComplete(end));
    return end.future();
  }

  private Future<WriteResult> addSeen(String peer, boolean voter, Discovery seen) {
    if (seen.cluster().filter(other -> !other.equals(cluster)).isPresent()) {
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
        running -> running.admin(command, end::tryComplete),
        () -> end.tryComplete(new WriteResult.NotDone(WriteResult.Reason.STOPPING)));
    return end.future();
  }

  @Override
  public void write(BlockCommand command, Consumer<WriteResult> done) {
    withDriver(
        running -> running.write(command, done),
        () -> done.accept(new WriteResult.NotDone(WriteResult.Reason.STOPPING)));
  }

  @Override
  public void read(Consumer<Boolean> done) {
    withDriver(running -> running.read(done), () -> done.accept(false));
  }

  @Override
  public boolean mayReadLocally() {
    return readable;
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
    links.values().forEach(lanes -> lanes.values().forEach(PeerLink::close));
    client.close();
    server.close().onComplete(done -> stopped.complete(null));
  }

  private Future<Void> form(Formation formation) {
    return onStorage(replica -> replica.memberOr(new MemberId(UUID.randomUUID())))
        .compose(
            member -> {
              self = member;
              Optional<UUID> known = engine.cluster();
              if (known.isPresent()) {
                cluster = known.get();
                if (!(formation instanceof Formation.Alone)) {
                  LOG.info(
                      "node={} is a member of cluster={} already: its disk decides, {} does not",
                      self,
                      cluster,
                      formation);
                }
                return run().onSuccess(done -> rejoinIfNeeded(formation));
              }
              if (formation instanceof Formation.Initial list) {
                return found(list.addresses());
              }
              return formation instanceof Formation.Join join
                  ? join(join.contacts())
                  : found(List.of(address));
            });
  }

  /** Asks all others until each has answered, unfounded, with the same list. */
  private Future<Void> found(List<String> addresses) {
    if (!addresses.contains(address)) {
      return Future.failedFuture(
          new FormationException(
              "the initial cluster "
                  + addresses
                  + " does not name this member, which is reached at "
                  + address
                  + ": see --advertise"));
    }
    boolean alone = addresses.size() == 1;
    if (!alone && engine.status().last().index() > 0) {
      return Future.failedFuture(
          new FormationException(
              "the data directory has blocks already: start it alone, and add the others to it"));
    }
    initial = addresses;
    Map<String, MemberId> founders = new HashMap<>();
    founders.put(address, self);
    Promise<Void> founded = Promise.promise();
    askFounders(founders, founded);
    return founded.future();
  }

  private void askFounders(Map<String, MemberId> founders, Promise<Void> founded) {
    if (closed || founded.future().isComplete()) {
      founded.tryFail(new FormationException("the member was stopped while it was founded"));
      return;
    }
    if (formed) {
      return;
    }
    if (founders.size() == initial.size()) {
      formed = true;
      foundWith(founders).onComplete(founded);
      return;
    }
    for (String other : initial) {
      if (!founders.containsKey(other)) {
        discover(other)
            .onSuccess(seen -> heardOfFounder(other, seen, founders, founded))
            .onFailure(e -> LOG.debug("founder={} has not answered: {}", other, e.getMessage()));
      }
    }
    vertx.setTimer(RETRY_MILLIS, id -> askFounders(founders, founded));
  }

  private void heardOfFounder(
      String other, Discovery seen, Map<String, MemberId> founders, Promise<Void> founded) {
    if (formed || founded.future().isComplete()) {
      return;
    }
    if (seen.cluster().isPresent()) {
      boolean namesThis = seen.members().contains(self.toString());
      if (namesThis) {
        formed = true;
        // It is founded, and this member belongs to it: its log comes from the leader.
        enter(seen.cluster().get()).onComplete(founded);
      } else {
        founded.tryFail(
            new FormationException(
                other
                    + " belongs to a cluster of "
                    + seen.addresses()
                    + " that does not have this member; this one was started with "
                    + initial));
      }
    } else if (!seen.addresses().equals(initial)) {
      founded.tryFail(
          new FormationException(
              other
                  + " was started with the initial cluster "
                  + seen.addresses()
                  + ", this member with "
                  + initial));
    } else {
      founders.put(other, seen.member());
    }
  }

  private Future<Void> foundWith(Map<String, MemberId> founders) {
    UUID id = Discovery.clusterId(founders);
    if (engine.cluster().isPresent()) {
      return Future.succeededFuture();
    }
    return onStorage(
            replica -> {
              replica.found(id, self, Discovery.first(founders));
              return id;
            })
        .compose(
            done -> {
              cluster = id;
              LOG.info("node={} founded cluster={} members={}", self, id, founders.keySet());
              return run();
            });
  }

  private Future<Void> join(List<String> contacts) {
    if (engine.status().last().index() > 0) {
      return Future.failedFuture(
          new FormationException(
              "the data directory has blocks already: only an empty one can join a cluster"));
    }
    Promise<Void> joined = Promise.promise();
    askToJoin(contacts, 0, joined);
    return joined.future();
  }

  private void askToJoin(List<String> contacts, int attempt, Promise<Void> joined) {
    if (closed) {
      joined.tryFail(new FormationException("the member was stopped while it was joining"));
      return;
    }
    String contact = contacts.get(attempt % contacts.size());
    discover(contact)
        .onSuccess(
            seen -> {
              if (seen.cluster().isPresent()) {
                enter(seen.cluster().get())
                    .onSuccess(done -> keepAsking(contacts, 0))
                    .onComplete(joined);
              } else {
                vertx.setTimer(RETRY_MILLIS, id -> askToJoin(contacts, attempt + 1, joined));
              }
            })
        .onFailure(
            e -> {
              if (attempt == 0) {
                LOG.warn("contact={} cannot be reached: {}", contact, e.getMessage());
              }
              vertx.setTimer(RETRY_MILLIS, id -> askToJoin(contacts, attempt + 1, joined));
            });
  }

  /** Belongs to a cluster from now on, with an empty log. */
  private Future<Void> enter(UUID id) {
    return onStorage(
            replica -> {
              if (replica.engine().cluster().isEmpty()) {
                replica.join(id, self);
              }
              return id;
            })
        .compose(
            done -> {
              cluster = id;
              return run();
            });
  }

  private void rejoinIfNeeded(Formation formation) {
    if (formation instanceof Formation.Join join) {
      keepAsking(join.contacts(), 0);
    } else if (engine.status().last().index() == 0) {
      LOG.warn("node={} has no log yet: if no member calls it, start it with --join", self);
    }
  }

  /** Until the log says that this member belongs, somebody has to be asked to add it. */
  private void keepAsking(List<String> contacts, int attempt) {
    RaftDriver running = driver;
    if (closed || running == null || running.core().status().membership().contains(self)) {
      return;
    }
    String contact = contacts.get(attempt % contacts.size());
    client
        .connect(contact, hello(Hello.Purpose.JOIN, new MemberId(Hello.NOBODY)))
        .onSuccess(welcomed -> welcomed.socket().close())
        .onFailure(
            e -> LOG.warn("contact={} did not add this member: {}", contact, e.getMessage()));
    vertx.setTimer(5L * RETRY_MILLIS, id -> keepAsking(contacts, attempt + 1));
  }

  private Future<Discovery> discover(String contact) {
    return client
        .connect(contact, hello(Hello.Purpose.DISCOVER, new MemberId(Hello.NOBODY)))
        .map(
            welcomed -> {
              welcomed.socket().close();
              return Discovery.decode(welcomed.answer().text());
            });
  }

  private Hello hello(Hello.Purpose purpose, MemberId to) {
    return new Hello(
        Hello.VERSION, purpose, 0, cluster, self, to, address, initial, UUID.randomUUID());
  }

  private Future<Void> run() {
    if (running == null) {
      running = begin();
    }
    return running;
  }

  private Future<Void> begin() {
    return onStorage(Replica::restored)
        .compose(
            restored -> {
              Optional<FormationException> moved = moved(restored);
              if (moved.isPresent()) {
                return Future.failedFuture(moved.get());
              }
              driver =
                  new RaftDriver(
                      self,
                      options.driver(),
                      new SplittableRandom(new SecureRandom().nextLong()),
                      restored,
                      storage,
                      this::send,
                      new Loop());
              membershipChanged(driver.core().status().membership());
              ticker = vertx.setPeriodic(options.tickMillis(), id -> tick());
              LOG.info(
                  "node={} cluster={} address={} term={} applied={}",
                  self,
                  cluster,
                  address,
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
    Optional<String> known = last[0].address(self).filter(place -> !place.equals(address));
    boolean others = last[0].members().size() > 1;
    return known
        .filter(place -> others)
        .map(
            place ->
                new FormationException(
                    "the cluster reaches this member at "
                        + place
                        + " and it was started to be reached at "
                        + address
                        + ": see --peer-listen and --advertise"));
  }

  private void tick() {
    if (driver != null) {
      driver.tick();
      callSilentPeersAnew();
      look(driver);
    }
  }

  /** What other threads may know without asking. */
  private void look(RaftDriver running) {
    leader = running.core().leader();
    Membership membership = running.core().status().membership();
    boolean isOut = !membership.members().isEmpty() && !membership.contains(self);
    if (isOut && !removed) {
      LOG.warn("node={} is no part of its cluster any more", self);
    }
    removed = isOut;
    readable = running.core().status().membership().contains(self) && !running.isInstalling();
  }

  /** A connection can be dead without a word: after a partition it would stay so for minutes. */
  private void callSilentPeersAnew() {
    long now = System.nanoTime();
    if (now - lookedNanos < SILENT_NANOS_MAX / 5) {
      return;
    }
    lookedNanos = now;
    links.forEach(
        (member, lanes) -> {
          long since = heardNanos.computeIfAbsent(member, m -> now);
          if (now - since > SILENT_NANOS_MAX) {
            heardNanos.put(member, now);
            lanes.values().forEach(PeerLink::reset);
          }
        });
    heardNanos.keySet().retainAll(links.keySet());
  }

  private boolean send(MemberId to, PeerMessage message) {
    Map<Lane, PeerLink> lanes = links.get(to);
    if (lanes == null) {
      if (addressOf(to).isEmpty()) {
        return false;
      }
      lanes = connect(to);
    }
    PeerLink link = lanes.get(message.lane());
    return link != null && link.send(message);
  }

  private Map<Lane, PeerLink> connect(MemberId to) {
    Map<Lane, PeerLink> lanes = new HashMap<>();
    for (Lane lane : Lane.values()) {
      Hello.Purpose purpose =
          switch (lane) {
            case CONTROL -> Hello.Purpose.CONTROL;
            case LOG -> Hello.Purpose.LOG;
            case BULK -> Hello.Purpose.BULK;
          };
      PeerLink link =
          new PeerLink(
              vertx,
              client,
              lane,
              options.queueBytesMax(),
              () -> addressOf(to).orElse("unknown:0"),
              () -> hello(purpose, to),
              broke -> lost(to, broke));
      lanes.put(lane, link);
      link.connect();
    }
    links.put(to, lanes);
    return lanes;
  }

  private void lost(MemberId peer, Lane lane) {
    if (driver != null && !closed) {
      driver.lost(peer, lane);
    }
  }

  private Optional<String> addressOf(MemberId member) {
    Optional<String> named =
        driver == null ? Optional.empty() : driver.core().status().membership().address(member);
    return named.or(() -> Optional.ofNullable(learned.get(member)));
  }

  private void membershipChanged(Membership membership) {
    for (MemberId member : membership.members()) {
      if (!member.equals(self) && !links.containsKey(member)) {
        connect(member);
      }
    }
    // Who has been removed is still told so; after that nobody calls it any more.
    vertx.setTimer(FORGET_MILLIS, id -> forgetStrangers());
  }

  private void forgetStrangers() {
    if (driver == null || closed) {
      return;
    }
    Membership now = driver.core().status().membership();
    links
        .entrySet()
        .removeIf(
            peer -> {
              boolean stranger = !now.members().isEmpty() && !now.contains(peer.getKey());
              if (stranger) {
                peer.getValue().values().forEach(PeerLink::close);
              }
              return stranger;
            });
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
        node.cluster,
        node.self,
        node.address,
        now.term(),
        now.role(),
        core.leader(),
        now.membership(),
        core.base().index(),
        core.last().index(),
        core.commitIndex(),
        running.applied(),
        running.isInstalling(),
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

  private <T> Future<T> onStorage(Function<Replica, T> work) {
    Promise<T> promise = Promise.promise();
    storage.run(Storage.Work.WRITE, work, promise::tryComplete, promise::tryFail);
    return promise.future();
  }

  private static void requireSecurity(RaftNodeOptions options) {
    boolean secured = options.tls().isPresent() || !options.secret().isNone();
    String advertised =
        options.advertise().map(a -> a.substring(0, a.lastIndexOf(':'))).orElse(options.host());
    if (!secured && !(isLoopback(options.host()) && isLoopback(advertised))) {
      throw new IllegalArgumentException(
          "a peer address that is not loopback needs mutual TLS or --cluster-secret-file: "
              + options.host()
              + ", "
              + advertised);
    }
  }

  private static boolean isLoopback(String host) {
    String plain = host.replace("[", "").replace("]", "");
    if (plain.equals("localhost")) {
      return true;
    }
    // A name is not looked up, for that blocks: only an address says by itself that it is loopback.
    byte[] literal = NetUtil.createByteArrayFromIpAddressString(plain);
    try {
      return literal != null && InetAddress.getByAddress(literal).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static String bracketed(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  /** The driver's side. */
  private final class Loop implements Host {

    @Override
    public String address() {
      return address;
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
          self,
          status.term(),
          status.role().getClass().getSimpleName(),
          driver == null ? "" : driver.core().leader().map(MemberId::toString).orElse("none"),
          status.membership().voters().size(),
          status.membership().learners().size());
      if (driver != null) {
        look(driver);
      }
      membershipChanged(status.membership());
    }

    @Override
    public void failed(Throwable why) {
      LOG.error("node={} cannot go on", self, why);
      readable = false;
      failure.tryComplete(why);
    }
  }

  /** Those who connect. */
  private final class Visits implements PeerServer.Visitors {

    @Override
    public @Nullable String refusal(Hello hello) {
      boolean asks =
          hello.purpose() == Hello.Purpose.DISCOVER || hello.purpose() == Hello.Purpose.JOIN;
      if (closed) {
        return "the member is stopping";
      }
      if (asks) {
        return null;
      }
      if (!hello.cluster().equals(cluster)) {
        return "this member belongs to cluster " + cluster + ", not to " + hello.cluster();
      }
      return hello.to().equals(self)
          ? null
          : "member " + self + " is reached here, not " + hello.to();
    }

    @Override
    public void welcomed(Hello hello) {
      if (hello.cluster().equals(cluster) && !cluster.equals(Hello.NOBODY)) {
        learned.put(hello.from(), hello.address());
      }
    }

    @Override
    public void message(MemberId from, PeerMessage message) {
      heardNanos.put(from, System.nanoTime());
      if (driver != null) {
        driver.receive(from, message);
      }
    }

    @Override
    public Future<String> answer(Hello hello) {
      return hello.purpose() == Hello.Purpose.JOIN ? add(hello) : discovered();
    }

    private Future<String> discovered() {
      RaftDriver running = driver;
      if (running == null && initial.isEmpty()) {
        return Future.failedFuture(new FrameException("the member is starting"));
      }
      if (running == null) {
        return Future.succeededFuture(
            new Discovery(self, Optional.empty(), initial, List.of()).encode());
      }
      Membership membership = running.core().status().membership();
      return Future.succeededFuture(
          new Discovery(
                  self,
                  Optional.of(cluster),
                  List.copyOf(membership.addresses().values()),
                  membership.members().stream().map(MemberId::toString).toList())
              .encode());
    }

    private Future<String> add(Hello hello) {
      if (driver == null || !hello.cluster().equals(cluster)) {
        return Future.failedFuture(new FrameException("there is no such cluster here"));
      }
      AdminCommand.Add command;
      try {
        command = new AdminCommand.Add(hello.from(), hello.address(), true);
      } catch (IllegalArgumentException e) {
        return Future.failedFuture(new FrameException(String.valueOf(e.getMessage())));
      }
      String host = hello.address().substring(0, hello.address().lastIndexOf(':'));
      String own = address.substring(0, address.lastIndexOf(':'));
      if (isLoopback(own) != isLoopback(host)) {
        return Future.failedFuture(
            new FrameException(
                "this member is reached at "
                    + address
                    + " and the new one at "
                    + hello.address()
                    + ": one of them is loopback, see --advertise"));
      }
      learned.put(hello.from(), hello.address());
      return admin(command)
          .map(
              result -> {
                if (result instanceof WriteResult.Done) {
                  return "added";
                }
                throw new FrameException("the change was not made: " + result);
              });
    }
  }
}
