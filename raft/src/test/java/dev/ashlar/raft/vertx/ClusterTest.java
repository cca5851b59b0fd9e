package dev.ashlar.raft.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.UnknownOutcomeException;
import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.EngineReads;
import dev.ashlar.block.engine.Environment;
import dev.ashlar.block.engine.FaultyEnvironment;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.ReadTransaction;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.block.engine.WriteTransaction;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Role;
import dev.ashlar.raft.driver.AdminCommand;
import dev.ashlar.raft.driver.DriverOptions;
import dev.ashlar.raft.driver.Features;
import dev.ashlar.raft.driver.ScrubOptions;
import dev.ashlar.raft.driver.ScrubStatus;
import dev.ashlar.raft.replication.ReplicatedBlockStore;
import dev.ashlar.raft.replication.WriteResult;
import dev.ashlar.store.memory.MemoryEnvironment;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Members over real connections in one process. Waits are for conditions, never for a time. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ClusterTest {

  private Vertx vertx;
  private final AtomicInteger blockedThreads = new AtomicInteger();
  private final List<RaftNode> nodes = new ArrayList<>();
  private final List<BlockStore> stores = new ArrayList<>();

  @BeforeEach
  void start() {
    vertx =
        Vertx.vertx(
            new VertxOptions()
                .setBlockedThreadCheckInterval(50)
                .setMaxEventLoopExecuteTime(1500)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS));
    ((io.vertx.core.internal.VertxInternal) vertx)
        .blockedThreadChecker()
        .setThreadBlockedHandler(event -> blockedThreads.incrementAndGet());
  }

  @AfterEach
  void stop() throws Exception {
    nodes.forEach(RaftNode::close);
    await(vertx.close());
    assertThat(blockedThreads).as("blocked event loops").hasValue(0);
  }

  @Test
  void whatIsPutThroughOneMemberIsGotFromEvery() throws Exception {
    startThree(RaftNodeOptions.DEFAULT);

    for (int i = 0; i < 30; i++) {
      Block block = TestBlocks.numbered(i, 1000 * i);
      assertThat(stores.get(i % 3).put(block).isNew()).isTrue();
      for (BlockStore store : stores) {
        assertThat(store.get(block.cid())).contains(block);
        assertThat(store.reading(ReadConsistency.LOCAL).get(block.cid())).contains(block);
      }
    }

    assertThat(stores.get(1).delete(TestBlocks.numbered(7, 7000).cid())).isTrue();
    assertThat(stores.get(2).has(TestBlocks.numbered(7, 7000).cid())).isFalse();
  }

  @Test
  void aBlockOfTheLargestSizeTravels() throws Exception {
    startThree(RaftNodeOptions.DEFAULT);
    Block block = TestBlocks.numbered(1, Block.BYTES_MAX);

    assertThat(stores.get(2).put(block).isNew()).isTrue();

    assertThat(stores.get(0).get(block.cid())).contains(block);
  }

  @Test
  void theOthersGoOnWithoutTheLeader() throws Exception {
    startThree(RaftNodeOptions.DEFAULT);
    Block before = TestBlocks.numbered(1, 100);
    stores.get(0).put(before);
    int leader = leader();

    nodes.get(leader).close();

    BlockStore other = stores.get((leader + 1) % 3);
    Block after = TestBlocks.numbered(2, 100);
    putUntilTaken(other, after);
    assertThat(other.get(before.cid())).contains(before);
    assertThat(stores.get((leader + 2) % 3).get(after.cid())).contains(after);
  }

  @Test
  void everyMemberShowsWhatTheOthersSayOfThemselves() throws Exception {
    startThree(RaftNodeOptions.DEFAULT.released("1.2.3"));
    MemberId leader = status(leader()).self();

    Map<MemberId, MemberView> views = await(nodes.get(1).views());

    assertThat(views)
        .hasSize(3)
        .allSatisfy((id, view) -> assertThat(view.release()).isEqualTo("1.2.3"));
    assertThat(views)
        .hasEntrySatisfying(
            leader,
            view -> {
              assertThat(view.role()).isEqualTo("leader");
              assertThat(view.peers()).hasSize(2);
            });
  }

  @Test
  void leadershipIsHandedOver() throws Exception {
    startThree(RaftNodeOptions.DEFAULT);
    int leader = leader();

    await(nodes.get(leader).handOver());

    assertThat(status(leader).role()).isNotInstanceOf(Role.Leader.class);
    putUntilTaken(stores.get(leader), TestBlocks.numbered(1, 10));
  }

  @Test
  void oneMemberGrowsToThreeAndShrinksAgainWithoutARestart() throws Exception {
    RaftNode first = open(RaftNodeOptions.DEFAULT, new Formation.Alone());
    Block block = TestBlocks.numbered(1, 5000);
    stores.get(0).put(block);
    String contact = await(first.status()).address();

    open(RaftNodeOptions.DEFAULT, new Formation.Join(List.of(contact)));
    open(RaftNodeOptions.DEFAULT, new Formation.Join(List.of(contact)));

    until(0, status -> status.membership().voters().size() == 3);
    assertThat(stores.get(2).get(block.cid())).contains(block);
    MemberId third = await(nodes.get(2).status()).self();

    removeOnceSettled(nodes.get(1), third);

    until(0, status -> status.membership().voters().size() == 2);
    until(2, status -> !status.membership().contains(status.self()));
    while (nodes.get(2).mayReadLocally() || !nodes.get(2).isRemoved()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void whoIsDamagedFindsTheOthersThatWereReplacedSince() throws Exception {
    startThree(RaftNodeOptions.DEFAULT);
    int leader = leader();
    int lost = (leader + 1) % 3;
    KnownCluster known = KnownCluster.of(status(lost));
    // Somebody else takes the leader's place, under its address and another id.
    NodeStatus replaced = status(leader);
    nodes.get(leader).close();
    int port = Integer.parseInt(replaced.address().substring("127.0.0.1:".length()));
    open(at(port), new Formation.Join(List.of(status(lost).address())));
    until(
        lost,
        status ->
            !status.membership().contains(replaced.self())
                && !status.membership().isJoint()
                && status.membership().voters().size() == 3);

    nodes.get(lost).close();
    dispensable(known);

    nodes.get(3).close();
    assertThatThrownBy(() -> await(known.requireDispensable(vertx, RaftNodeOptions.DEFAULT)))
        .hasCauseInstanceOf(FormationException.class);
  }

  @Test
  void readsGoOnWhenAPutFindsNoRoom() throws Exception {
    FaultyEnvironment disk = new FaultyEnvironment(new MemoryEnvironment(1L << 30));
    await(node(RaftNodeOptions.DEFAULT, disk).start(new Formation.Alone()));
    Block kept = TestBlocks.numbered(1, 100);
    Block refused = TestBlocks.numbered(2, 100);
    stores.get(0).put(kept);

    disk.set(FaultyEnvironment.Fault.FULL_AT_WRITE);
    assertThatThrownBy(() -> stores.get(0).put(refused)).isInstanceOf(NoSpaceException.class);
    disk.set(FaultyEnvironment.Fault.NONE);

    assertThat(stores.get(0).get(kept.cid())).contains(kept);
    assertThat(stores.get(0).get(refused.cid())).isEmpty();
  }

  @Test
  void storageThatNeverAnswersEndsTheMember() throws Exception {
    FaultyEnvironment disk = new FaultyEnvironment(new MemoryEnvironment(1L << 30));
    RaftNode node = node(RaftNodeOptions.DEFAULT.stuckAfter(200), disk);
    await(node.start(new Formation.Alone()));

    disk.set(FaultyEnvironment.Fault.HANGS_AT_COMMIT);
    CompletableFuture<?> put =
        CompletableFuture.runAsync(() -> stores.get(0).put(TestBlocks.numbered(1, 100)));
    Throwable why = await(node.failure());
    disk.set(FaultyEnvironment.Fault.NONE);

    assertThat(why).isInstanceOf(StoreFailedException.class).hasMessageContaining("has not ended");
    assertThatThrownBy(put::get).hasCauseInstanceOf(BlockException.class);
  }

  @Test
  void aRowThatNamesWhatNobodyHasEndsTheMember() throws Exception {
    RaftNodeOptions scrubbing =
        RaftNodeOptions.DEFAULT.withDriver(
            DriverOptions.DEFAULT.withScrub(new ScrubOptions(1 << 20, 1 << 20, 20, 50)));
    MemoryEnvironment disk = new MemoryEnvironment(1L << 30);
    startThree(scrubbing, disk);
    byte[] key = TestBlocks.numbered(1, 10).cid().multihash().toBytes();
    // A commit of the member's own takes what it began with, without this one.
    while (!isThere(disk, key)) {
      try (WriteTransaction write = disk.beginWrite()) {
        write.put(MapName.BLOCKS_EVEN, key, new byte[40]);
        write.commit();
      }
    }

    Throwable why = await(nodes.get(2).failure());

    assertThat(why)
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("no other member has block");
  }

  @Test
  void nothingIsUsedThatAMemberDoesNotKnow() throws Exception {
    List<Integer> ports = freePorts(3);
    List<String> addresses = ports.stream().map(port -> "127.0.0.1:" + port).toList();
    MemoryEnvironment disk = new MemoryEnvironment(1L << 30);
    RaftNode older =
        new RaftNode(vertx, StorageEngine.open(disk, EngineOptions.DEFAULT), at(ports.get(2)), 0);
    nodes.add(older);
    List<Future<Void>> started = new ArrayList<>();
    started.add(older.start(new Formation.Initial(addresses)));
    for (int port : ports.subList(0, 2)) {
      started.add(node(at(port)).start(new Formation.Initial(addresses)));
    }
    for (Future<Void> each : started) {
      await(each);
    }
    Block block = TestBlocks.numbered(1, 100);
    putUntilTaken(stores.get(0), block);
    Pins pins = new Pins(((ReplicatedBlockStore) stores.get(0)).roots());
    Pin pin = new Pin(block.cid(), Pin.Mode.DIRECT, "");

    assertThatThrownBy(() -> pins.add(pin))
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("knows of pins and references");

    older.close();
    RaftNode newer =
        new RaftNode(vertx, StorageEngine.open(disk, EngineOptions.DEFAULT), at(ports.get(2)));
    nodes.add(newer);
    await(newer.start(new Formation.Initial(addresses)));
    while (!isPinned(pins, pin)) {
      Thread.onSpinWait();
    }
    assertThat(pins.get(block.cid())).contains(pin);
  }

  /** Until the new release has introduced itself to the leader, it is refused. */
  private static boolean isPinned(Pins pins, Pin pin) {
    try {
      pins.add(pin);
      return true;
    } catch (StoreUnavailableException | UnknownOutcomeException e) {
      return false;
    }
  }

  @Test
  void reReadingGoesOnWhereTheLastProcessWas() throws Exception {
    int count = 200;
    RaftNodeOptions scrubbing =
        RaftNodeOptions.DEFAULT.withDriver(
            DriverOptions.DEFAULT.withScrub(new ScrubOptions(100, 100, 1_000_000, 1)));
    MemoryEnvironment disk = new MemoryEnvironment(1L << 30);
    RaftNode node = node(RaftNodeOptions.DEFAULT, disk);
    await(node.start(new Formation.Alone()));
    stores.get(0).putAll(TestBlocks.many(1, count, 100));
    node.close();

    StorageEngine engine = StorageEngine.open(disk, EngineOptions.DEFAULT);
    RaftNode first = new RaftNode(vertx, engine, scrubbing);
    nodes.add(first);
    await(first.start(new Formation.Alone()));
    while (engine.audit().place().cursor().after().isEmpty()) {
      Thread.onSpinWait();
    }
    first.close();
    RaftNode second =
        new RaftNode(vertx, StorageEngine.open(disk, EngineOptions.DEFAULT), scrubbing);
    nodes.add(second);
    await(second.start(new Formation.Alone()));
    ScrubStatus status;
    do {
      status = await(second.status()).scrub();
    } while (status.rounds() == 0);

    assertThat(status.blocks()).isBetween(1L, count - 1L);
  }

  private static boolean isThere(Environment disk, byte[] key) {
    try (ReadTransaction read = disk.beginRead()) {
      return read.get(MapName.BLOCKS_EVEN, key).isPresent();
    }
  }

  @Test
  void foundersWithDifferentListsAreToldBoth() throws Exception {
    List<Integer> ports = freePorts(3).stream().sorted().toList();
    String a = "127.0.0.1:" + ports.get(0);
    String b = "127.0.0.1:" + ports.get(1);
    String c = "127.0.0.1:" + ports.get(2);
    RaftNode one = node(at(ports.get(0)));
    RaftNode other = node(at(ports.get(1)));

    Future<Void> first = one.start(new Formation.Initial(List.of(a, b)));
    Future<Void> second = other.start(new Formation.Initial(List.of(a, b, c)));

    assertThatThrownBy(() -> await(first))
        .hasRootCauseInstanceOf(FormationException.class)
        .hasStackTraceContaining(a + ", " + b + "]")
        .hasStackTraceContaining(c);
    assertThatThrownBy(() -> await(second)).hasRootCauseInstanceOf(FormationException.class);
  }

  @Test
  void whoDoesNotKnowTheSecretIsNotAdded() throws Exception {
    RaftNodeOptions secret =
        RaftNodeOptions.DEFAULT.secured(
            ClusterSecret.of("one".getBytes(StandardCharsets.UTF_8)), Optional.empty());
    RaftNodeOptions wrong =
        RaftNodeOptions.DEFAULT.secured(
            ClusterSecret.of("other".getBytes(StandardCharsets.UTF_8)), Optional.empty());
    RaftNode first = open(secret, new Formation.Alone());
    String contact = await(first.status()).address();
    PeerClient client = new PeerClient(vertx, wrong);
    Hello hello =
        new Identity(Features.ALL).hello(Hello.Purpose.DISCOVER, new MemberId(Hello.NOBODY));

    assertThatThrownBy(() -> await(client.connect(contact, hello)))
        .hasStackTraceContaining("--cluster-secret-file");

    open(secret, new Formation.Join(List.of(contact)));
    until(0, status -> status.membership().voters().size() == 2);
  }

  @Test
  void membersKnowEachOtherByTheirCertificates(@TempDir Path directory) throws Exception {
    Certificates authority = new Certificates(directory, "authority");
    RaftNode first = open(withTls(authority.member("first")), new Formation.Alone());
    String contact = await(first.status()).address();
    open(withTls(authority.member("second")), new Formation.Join(List.of(contact)));
    until(0, status -> status.membership().voters().size() == 2);
    Block block = TestBlocks.numbered(1, 100_000);

    putUntilTaken(stores.get(1), block);

    assertThat(stores.get(0).get(block.cid())).contains(block);
  }

  @Test
  void whoseCertificateTheAuthorityDidNotSignIsNoMember(@TempDir Path directory) throws Exception {
    RaftNodeOptions.Tls trusted = new Certificates(directory, "authority").member("first");
    RaftNode first = open(withTls(trusted), new Formation.Alone());
    String contact = await(first.status()).address();
    // A stranger trusts the authority, but has a certificate of another one.
    RaftNodeOptions.Tls foreign = new Certificates(directory, "another").member("stranger");
    RaftNodeOptions.Tls stranger = new RaftNodeOptions.Tls(foreign.identity(), trusted.trust());

    for (RaftNodeOptions options : List.of(withTls(stranger), RaftNodeOptions.DEFAULT)) {
      PeerClient client = new PeerClient(vertx, options);
      Hello hello =
          new Identity(Features.ALL).hello(Hello.Purpose.DISCOVER, new MemberId(Hello.NOBODY));
      assertThatThrownBy(() -> await(client.connect(contact, hello)))
          .isInstanceOf(ExecutionException.class);
    }
    assertThat(stores.get(0).put(TestBlocks.numbered(1, 10)).isNew()).isTrue();
  }

  private static RaftNodeOptions withTls(RaftNodeOptions.Tls tls) {
    return RaftNodeOptions.DEFAULT.secured(ClusterSecret.NONE, Optional.of(tls));
  }

  @Test
  void strangersWhoSayNothingDoNotKeepMembersOut() throws Exception {
    RaftNode first = open(RaftNodeOptions.DEFAULT, new Formation.Alone());
    String contact = await(first.status()).address();
    int port = Integer.parseInt(contact.substring(contact.lastIndexOf(':') + 1));
    NetClient client = vertx.createNetClient();
    List<NetSocket> idle = new ArrayList<>();
    for (int i = 0; i < 1200; i++) {
      NetSocket socket = await(client.connect(port, "127.0.0.1"));
      socket.write(Buffer.buffer(new byte[] {0, 0}));
      idle.add(socket);
    }

    open(RaftNodeOptions.DEFAULT, new Formation.Join(List.of(contact)));

    until(0, status -> status.membership().voters().size() == 2);
    for (NetSocket socket : idle) {
      await(socket.close());
    }
    await(client.close());
  }

  @Test
  void anAddressThatIsNotLoopbackNeedsASecretOrTls() {
    RaftNodeOptions open =
        RaftNodeOptions.DEFAULT.at("127.0.0.1", 0, Optional.of("192.0.2.1:8421"));

    assertThatThrownBy(() -> node(open))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--cluster-secret-file");
  }

  private void startThree(RaftNodeOptions options) throws Exception {
    startThree(options, new MemoryEnvironment(1L << 30));
  }

  private void startThree(RaftNodeOptions options, Environment diskOfThird) throws Exception {
    List<Integer> ports = freePorts(3);
    List<String> addresses = ports.stream().map(port -> "127.0.0.1:" + port).toList();
    List<Future<Void>> started = new ArrayList<>();
    for (int port : ports) {
      Environment disk = port == ports.get(2) ? diskOfThird : new MemoryEnvironment(1L << 30);
      RaftNode node = node(options.at("127.0.0.1", port, Optional.empty()), disk);
      started.add(node.start(new Formation.Initial(addresses)));
    }
    for (Future<Void> each : started) {
      await(each);
    }
    putUntilTaken(stores.get(0), TestBlocks.numbered(999_999, 1));
  }

  private RaftNode open(RaftNodeOptions options, Formation formation) throws Exception {
    RaftNode node = node(options);
    await(node.start(formation));
    return node;
  }

  private RaftNode node(RaftNodeOptions options) {
    return node(options, new MemoryEnvironment(1L << 30));
  }

  private RaftNode node(RaftNodeOptions options, Environment disk) {
    StorageEngine engine = StorageEngine.open(disk, EngineOptions.DEFAULT);
    RaftNode node = new RaftNode(vertx, engine, options);
    nodes.add(node);
    stores.add(new ReplicatedBlockStore(node, new EngineReads(engine), Block.BYTES_MAX));
    return node;
  }

  private static RaftNodeOptions at(int port) {
    return RaftNodeOptions.DEFAULT.at("127.0.0.1", port, Optional.empty());
  }

  private int leader() throws Exception {
    while (true) {
      for (int i = 0; i < nodes.size(); i++) {
        if (!nodes.get(i).isClosed() && status(i).role() instanceof Role.Leader) {
          return i;
        }
      }
      Thread.onSpinWait();
    }
  }

  /** Until somebody leads the others and has committed what it has, they say no. */
  private void dispensable(KnownCluster known) throws Exception {
    while (true) {
      try {
        await(known.requireDispensable(vertx, RaftNodeOptions.DEFAULT));
        return;
      } catch (ExecutionException e) {
        assertThat(e).hasCauseInstanceOf(FormationException.class);
      }
    }
  }

  private NodeStatus status(int node) throws Exception {
    return await(nodes.get(node).status());
  }

  private void until(int node, Predicate<NodeStatus> condition) throws Exception {
    while (!condition.test(status(node))) {
      Thread.onSpinWait();
    }
  }

  /** Three voters are seen before the change that made them so is committed: until then, no. */
  private static void removeOnceSettled(RaftNode node, MemberId member) throws Exception {
    WriteResult result;
    do {
      result = await(node.admin(new AdminCommand.Remove(member)));
      if (result instanceof WriteResult.NotDone notDone) {
        assertThat(notDone.reason()).isEqualTo(WriteResult.Reason.BUSY);
      }
    } while (!(result instanceof WriteResult.Done));
  }

  private static void putUntilTaken(BlockStore store, Block block) {
    while (true) {
      try {
        store.put(block);
        return;
      } catch (StoreUnavailableException | UnknownOutcomeException e) {
        Thread.onSpinWait();
      }
    }
  }

  private static List<Integer> freePorts(int count) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    List<Integer> ports = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      sockets.add(socket);
      ports.add(socket.getLocalPort());
    }
    for (ServerSocket socket : sockets) {
      socket.close();
    }
    return ports;
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
