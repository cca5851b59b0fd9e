package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.UnknownOutcomeException;
import dev.ashlar.block.engine.MapCursor;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.WriteTransaction;
import dev.ashlar.server.chaos.PeerProxy;
import dev.ashlar.server.client.ClusterClient;
import dev.ashlar.server.client.DirectoryTree;
import dev.ashlar.server.client.NodeProcess;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.lmdb.LmdbEnvironment;
import dev.ashlar.store.lmdb.LmdbOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clusters of real processes, killed and cut off. Not part of {@code mvn verify}, for it waits for
 * elections by the clock: {@code mvn -pl server surefire:test -Dtest=ClusterProcessesIT}, once the
 * server is packaged.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ClusterProcessesIT extends ProcessExperiment {

  ClusterProcessesIT() {
    super(Duration.ofSeconds(60));
  }

  @Test
  void whatIsPutThroughAnyIsGotThroughEvery() throws Exception {
    startThree();

    for (int i = 0; i < 30; i++) {
      Block block = nextBlock();
      assertThat(store(i % 3).put(block).isNew()).isTrue();
      for (int n = 0; n < 3; n++) {
        assertThat(store(n).get(block.cid())).contains(block);
      }
    }
  }

  @Test
  void connectionsOfMembersAreNotTimedAsThoseOfClients() throws Exception {
    // What bounds a client's connection is nothing for those of members.
    startThree("--header-seconds=1");
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);

    int inDoubt = 0;
    for (int i = 0; System.nanoTime() < until; i++) {
      try {
        store(i % 3).put(nextBlock());
      } catch (UnknownOutcomeException e) {
        inDoubt++;
      }
    }

    // An election on a busy machine is one.
    assertThat(inDoubt).isLessThan(2);
  }

  @Test
  void nothingAcknowledgedIsLostWhenTheLeaderIsKilledTwiceInARow() throws Exception {
    startThree();
    startWriters(3);

    for (int round = 0; round < 2; round++) {
      until("writes", atLeast(acknowledged.size() + 50));
      NodeProcess leader = leader();
      leader.kill();
      until("writes without the leader", atLeast(acknowledged.size() + 50));
      leader.start();
    }

    requireEverythingOnEveryNode(3);
  }

  @Test
  void nothingAcknowledgedIsLostWhenAMajorityOrAllAreKilled() throws Exception {
    startThree();
    startWriters(3);
    until("writes", atLeast(100));

    nodes.get(0).kill();
    nodes.get(1).kill();
    nodes.get(0).start();
    nodes.get(1).start();
    until("writes after the majority came back", atLeast(acknowledged.size() + 50));
    nodes.subList(0, 3).forEach(NodeProcess::kill);
    for (NodeProcess node : nodes.subList(0, 3)) {
      node.start();
    }
    until("writes after all came back", atLeast(acknowledged.size() + 50));

    requireEverythingOnEveryNode(3);
  }

  @Test
  void aWipedNodeComesBackAsAnotherMember() throws Exception {
    startThree();
    startWriters(2);
    until("writes", atLeast(100));
    NodeProcess victim = nodes.get(2);
    victim.kill();
    DirectoryTree.delete(victim.data());

    victim.start(List.of("--peer-listen=" + peer(2), "--join=" + peer(0) + "," + peer(1)));

    until("the new member in the place of the old one", () -> members(0).size() == 3 && isVoter(2));
    requireEverythingOnEveryNode(3);
  }

  @Test
  void aNodeThatWasDownWhileTheLogWasCompactedCatchesUp() throws Exception {
    String small = "--log-entries=64";
    startThree(small, "--log-bytes=100000", "--compact-seconds=1");
    startWriters(3);
    until("writes", atLeast(100));
    nodes.get(2).kill();
    int before = acknowledged.size();
    until("writes without it", atLeast(before + 600));
    long last = status(0).getLong("lastIndex");
    until(
        "a log that begins after what it has",
        () -> leader().status().orElseThrow().getLong("baseIndex") > last - 300);

    nodes.get(2).start();

    requireEverythingOnEveryNode(3);
  }

  @Test
  void aMemberWithDamagedBytesServesThoseOfTheOthersAndMendsItsOwn() throws Exception {
    startThree("--scrub-mib-per-second=0");
    startWriters(3);
    until("writes", atLeast(200));
    stopWriters();
    NodeProcess victim = nodes.get(2);
    assertThat(victim.terminate()).isZero();
    assertThat(damage(victim.data(), MapName.HEAP)).isGreaterThan(100);

    victim.start();

    requireEverythingOnEveryNode(3);
    for (Cid cid : acknowledged) {
      assertThat(store(2).get(cid)).as("%s", cid).isPresent();
    }
    until(
        "all to be mended",
        () -> status(2).getJsonObject("scrub").getLong("mended") >= acknowledged.size());
    assertThat(victim.terminate()).isZero();
    try (LmdbBlockStore mended = LmdbBlockStore.open(victim.data())) {
      // A put that was not acknowledged may have been done; nobody has read that block.
      assertThat(acknowledged)
          .noneMatch(mended.engine().audit().verify(bytes -> {}).damaged()::contains);
    }
  }

  @Test
  void aMemberWithADamagedLogIsReplacedByItself() throws Exception {
    startThree();
    startWriters(2);
    until("writes", atLeast(100));
    String before = status(2).getString("self");
    NodeProcess victim = nodes.get(2);
    until("what it knows", () -> Files.exists(victim.data().resolve("cluster.json")));
    victim.kill();
    assertThat(damage(victim.data(), MapName.LOG)).isPositive();
    victim.start();
    until("the new member in the place of the old one", () -> members(0).size() == 3 && isVoter(2));
    assertThat(status(2).getString("self")).isNotEqualTo(before);
    until("its end", () -> !Files.exists(victim.data().resolve("rejoin.json")));
    try (Stream<Path> files = Files.list(victim.data())) {
      assertThat(files.filter(f -> f.getFileName().toString().startsWith("damaged-"))).hasSize(1);
    }
    requireEverythingOnEveryNode(3);
  }

  @Test
  void aMemberWhoseDiskWentBackInTimeIsReplacedByItself() throws Exception {
    startThree();
    until("the first of them to lead, or the second", this::leadsFirstOrSecond);
    NodeProcess victim = nodes.get(2);
    startWriters(2);
    until("writes", atLeast(50));
    until("what it knows", () -> Files.exists(victim.data().resolve("cluster.json")));
    victim.kill();
    Path then = directory.resolve("then.mdb");
    Files.copy(victim.data().resolve("data.mdb"), then);
    victim.start();
    until("more writes", atLeast(acknowledged.size() + 100));
    until("it to follow", () -> hasLeader(2));
    stopWriters();
    until("it to have all", () -> missing(2).isEmpty());
    String before = status(2).getString("self");
    victim.kill();
    Files.copy(then, victim.data().resolve("data.mdb"), StandardCopyOption.REPLACE_EXISTING);

    victim.start();

    until("its end", () -> !victim.isUp());
    assertThat(victim.terminate()).isEqualTo(65);
    assertThat(Files.readString(victim.log())).contains("the disk went back in time");
    victim.start();
    until("the new member in the place of the old one", () -> members(0).size() == 3 && isVoter(2));
    assertThat(status(2).getString("self")).isNotEqualTo(before);
    requireEverythingOnEveryNode(3);
  }

  @Test
  void aMemberThatWasRemovedDoesNotComeBackByDamage() throws Exception {
    startThree();
    NodeProcess victim = nodes.get(2);
    until("what it knows", () -> Files.exists(victim.data().resolve("cluster.json")));
    victim.kill();
    ClusterClient client = new ClusterClient(URI.create(nodes.get(0).url()), Optional.empty());
    until("the removal", () -> removed(client, peer(2)) && members(0).size() == 2);
    assertThat(damage(victim.data(), MapName.LOG)).isPositive();
    victim.start();
    until("its end", () -> !victim.isUp());
    assertThat(Files.readString(victim.log())).contains("it has been removed");
    assertThat(members(0)).hasSize(2);
  }

  @Test
  void aMemberThatTheOthersCannotSpareIsNotReplaced() throws Exception {
    startThree();
    NodeProcess victim = nodes.get(2);
    until("what it knows", () -> Files.exists(victim.data().resolve("cluster.json")));
    nodes.get(1).kill();
    victim.kill();
    assertThat(damage(victim.data(), MapName.LOG)).isPositive();
    victim.start();
    until("its end", () -> !victim.isUp());
    assertThat(victim.terminate()).isEqualTo(65);
    assertThat(Files.readString(victim.log()))
        .contains("the store is damaged")
        .contains("it is not replaced by itself");
    assertThat(victim.data().resolve("data.mdb")).exists();
    nodes.get(1).start();
    until("a leader", () -> hasLeader(0) && hasLeader(1));
    victim.start();
    until("the new member in the place of the old one", () -> members(0).size() == 3 && isVoter(2));
  }

  @Test
  void aBackupOfALiveClusterIsWholeAndRestoresIntoAnother() throws Exception {
    startThree();
    startWriters(3);
    until("writes", atLeast(200));
    String backup = directory.resolve("backup").toString();
    assertThat(ashlar("backup", "--server", nodes.get(1).url(), backup)).isZero();
    List<Cid> before = List.copyOf(acknowledged);
    until("further writes", atLeast(acknowledged.size() + 50));
    stopWriters();
    Cid deleted = before.get(0);
    assertThat(store(2).delete(deleted)).isTrue();
    // As a kill in the middle of a backup leaves it.
    Path blocks = Path.of(backup, "blocks.car");
    try (FileChannel file = FileChannel.open(blocks, StandardOpenOption.WRITE)) {
      file.truncate(file.size() - 10);
    }
    assertThat(ashlar("restore", "--check", backup)).isNotZero();
    // And as a disk that rots does.
    try (FileChannel file = FileChannel.open(blocks, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), file.size() / 2);
    }
    assertThat(ashlar("backup", "--server", nodes.get(2).url(), backup)).isZero();
    assertThat(ashlar("restore", "--check", backup)).isZero();
    nodes.get(3).start(List.of("--peer-listen=" + peer(3)));
    until("another cluster", () -> hasLeader(3));
    assertThat(ashlar("backup", "--server", nodes.get(3).url(), backup)).isNotZero();
    assertThat(ashlar("restore", "--server", nodes.get(3).url(), backup)).isZero();
    acknowledged.remove(deleted);
    assertThat(missing(3)).isEmpty();
    assertThat(store(3).get(deleted)).isEmpty();
  }

  @Test
  void aMemberGoesOnAloneWhenMostVotersAreLost() throws Exception {
    startThree();
    startWriters(3);
    until("writes", atLeast(200));
    requireEverythingOnEveryNode(3);
    nodes.subList(0, 3).forEach(NodeProcess::kill);
    String data = nodes.get(0).data().toString();
    String cluster = "old";
    assertThat(ashlar("cluster", "recover", "--data", data)).isNotZero();
    assertThat(ashlar("cluster", "recover", "--data", data, "--yes")).isZero();
    nodes.get(0).start(List.of("--peer-listen=" + peer(0)));
    until("a leader", () -> hasLeader(0) && voters(0) == 1);
    assertThat(missing(0)).isEmpty();
    // One of the old cluster that was not lost after all is refused, not taken in.
    nodes.get(1).start();
    Block block = nextBlock();
    store(0).put(block);
    acknowledged.add(block.cid());
    assertThat(status(1).getString("cluster", cluster))
        .isNotEqualTo(status(0).getString("cluster"));
    nodes.get(1).kill();
    DirectoryTree.delete(nodes.get(1).data());
    nodes.get(1).start(List.of("--peer-listen=" + peer(1), "--join=" + peer(0)));
    until("another voter", () -> voters(0) == 2);
    until("everything on it", () -> missing(1).isEmpty());
  }

  private static int ashlar(String... arguments) {
    return Main.commandLine(new Settings(Map.of(), arguments)).execute(arguments);
  }

  @Test
  void aSupervisedNodeIsStartedAgainAndStopsWithItsSupervisor() throws Exception {
    NodeProcess node = nodes.get(0);
    node.start(List.of("--supervise", "--peer-listen=" + peer(0)));
    until("a leader", () -> hasLeader(0));
    Block block = nextBlock();
    store(0).put(block);
    ProcessHandle first = child(node);
    assertThat(first.destroyForcibly()).isTrue();
    until("its end", () -> !first.isAlive());
    until("a leader again", () -> hasLeader(0));
    assertThat(store(0).get(block.cid())).contains(block);
    ProcessHandle second = child(node);
    assertThat(second.pid()).isNotEqualTo(first.pid());
    assertThat(node.terminate()).isZero();
    assertThat(second.isAlive()).isFalse();
  }

  private static ProcessHandle child(NodeProcess node) {
    return node.handle().orElseThrow().children().findFirst().orElseThrow();
  }

  /** Flips a bit of every value of a map, behind the back of the engine; how many. */
  private static int damage(Path data, MapName map) {
    try (LmdbEnvironment disk = LmdbEnvironment.open(data, LmdbOptions.DEFAULT);
        WriteTransaction write = disk.beginWrite()) {
      List<byte[]> keys = new ArrayList<>();
      try (MapCursor cursor = write.cursor(map)) {
        boolean more = cursor.seek(new byte[] {0});
        while (more) {
          keys.add(cursor.key());
          more = cursor.next();
        }
      }
      for (byte[] key : keys) {
        ByteBuffer value = write.get(map, key).orElseThrow();
        byte[] bytes = new byte[value.remaining()];
        value.get(bytes);
        bytes[bytes.length - 5] ^= 1;
        write.put(map, key, bytes);
      }
      write.commit();
      return keys.size();
    }
  }

  @Test
  void threeGrowToFiveAndShrinkAgainUnderLoad() throws Exception {
    startThree();
    startWriters(3);
    until("writes", atLeast(50));

    for (int i = 3; i < 5; i++) {
      nodes.get(i).start(List.of("--peer-listen=" + peer(i), "--join=" + peer(0)));
    }
    until("five voters", () -> voters(0) == 5);
    int grown = acknowledged.size();
    until("writes with five", atLeast(grown + 100));
    requireEverythingOnEveryNode(5);
    startWriters(3);
    for (int i = 3; i < 5; i++) {
      String address = peer(i);
      ClusterClient client = new ClusterClient(URI.create(nodes.get(0).url()), Optional.empty());
      until("the removal of " + address, () -> removed(client, address));
    }
    until("three voters", () -> voters(0) == 3);
    until("writes with three again", atLeast(acknowledged.size() + 100));

    requireEverythingOnEveryNode(3);
  }

  @Test
  void aFollowerThatHearsNothingDisturbsNobody() throws Exception {
    List<Integer> proxied = NodeProcess.freePorts(1);
    try (PeerProxy proxy = new PeerProxy(proxied.get(0), peerPorts.get(2))) {
      String through = "127.0.0.1:" + proxied.get(0);
      String initial = peer(0) + "," + peer(1) + "," + through;
      nodes.get(0).start(List.of("--peer-listen=" + peer(0), "--initial-cluster=" + initial));
      nodes.get(1).start(List.of("--peer-listen=" + peer(1), "--initial-cluster=" + initial));
      nodes
          .get(2)
          .start(
              List.of(
                  "--peer-listen=" + peer(2),
                  "--advertise=" + through,
                  "--initial-cluster=" + initial));
      until("a leader", () -> hasLeader(0) && hasLeader(1) && hasLeader(2));
      until("a leader that is not cut off", this::leadsFirstOrSecond);
      startWriters(2);
      until("writes", atLeast(50));
      long term = status(0).getLong("term");

      proxy.cut(sender -> true);
      until("writes beside the cut", atLeast(acknowledged.size() + 300));

      assertThat(status(0).getLong("term")).isEqualTo(term);
      proxy.heal(false);
      requireEverythingOnEveryNode(3);
      assertThat(status(0).getLong("term")).isEqualTo(term);
    }
  }

  @Test
  void aFollowerAtAHundredthOfItsSpeedSlowsNobodyAndIsReported() throws Exception {
    startThree();
    until("the first of them to lead, or the second", this::leadsFirstOrSecond);
    startWriters(2);
    until("writes", atLeast(200));
    int healthy = writtenWithin(Duration.ofSeconds(8));
    AtomicBoolean slows = new AtomicBoolean(true);
    Thread slowing = new Thread(() -> slow(nodes.get(2), slows), "slowing");
    slowing.start();

    int slowed = writtenWithin(Duration.ofSeconds(8));

    Predicate<JsonObject> lags =
        member ->
            member.getString("address").equals(peer(2))
                && (!member.getBoolean("answers") || member.getLong("lagEntries", 0L) > 0);
    until("its lag to be seen", () -> members(nodes.indexOf(leader())).stream().anyMatch(lags));
    slows.set(false);
    slowing.join();
    System.out.println("written in 8 s: " + healthy + ", with a slow follower " + slowed);
    assertThat(slowed).isGreaterThan(healthy / 2);
    requireEverythingOnEveryNode(3);
  }

  private int writtenWithin(Duration time) throws InterruptedException {
    int before = acknowledged.size();
    TimeUnit.MILLISECONDS.sleep(time.toMillis());
    return acknowledged.size() - before;
  }

  private static void slow(NodeProcess node, AtomicBoolean goesOn) {
    try {
      while (goesOn.get()) {
        node.pause();
        TimeUnit.MILLISECONDS.sleep(300);
        node.resume();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aStopHandsLeadershipOverAndEndsWithStatusZero() throws Exception {
    startThree();
    NodeProcess leader = leader();

    assertThat(leader.terminate()).isZero();

    until("another leader", () -> leaderAmong(n -> n != leader).isPresent());
  }

  private boolean leadsFirstOrSecond() {
    NodeProcess leader = leader();
    if (leader == nodes.get(2)) {
      try {
        new ClusterClient(URI.create(nodes.get(0).url()), Optional.empty()).transfer(peer(0));
      } catch (IOException | RuntimeException e) {
        return false;
      }
    }
    return leader != nodes.get(2);
  }

  private static boolean removed(ClusterClient client, String address) {
    try {
      client.remove(address);
      return true;
    } catch (IOException e) {
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }
}
