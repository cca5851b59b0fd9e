package dev.ashlar.server.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.server.client.HttpBlockStore;
import dev.ashlar.server.client.NodeProcess;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Leaders that stand still, in part or wholly, and how long it takes until another serves. Not part
 * of {@code mvn verify}, for it waits by the clock.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class FaultTimesIT {

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int DISK_MIB = 64;

  private static final int READERS = 8;

  /** For what is asked again. */
  private static final Duration SHORT = Duration.ofSeconds(3);

  /** For a read whose node stands still when it comes. */
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir private Path directory;
  private final List<ChaosMember> members = new ArrayList<>();
  private int blocks;

  @BeforeEach
  void start() throws Exception {
    List<Integer> ports = NodeProcess.freePorts(9);
    for (int i = 0; i < 3; i++) {
      members.add(
          new ChaosMember(
              directory,
              "node-" + i,
              ports.subList(3 * i, 3 * i + 3),
              NodeProcess.thisProgram(),
              List.of(),
              DISK_MIB));
    }
    String initial = members.stream().map(ChaosMember::address).collect(Collectors.joining(","));
    for (ChaosMember member : members) {
      member.found(initial);
    }
    until("a leader that all know", () -> members.stream().allMatch(m -> leaderOf(m).isPresent()));
  }

  @AfterEach
  void stop() throws IOException {
    for (ChaosMember member : members) {
      member.close();
    }
  }

  @Test
  void aLeaderThatStoodStillForTenSecondsTellsNothingOfThePast() throws Exception {
    ChaosMember leader = leader();
    ChaosMember other = anyBut(leader);
    Block block = next();
    until("a put", () -> puts(leader, block));

    leader.pause();
    until("a delete without it", () -> deletes(other, block));
    ExecutorService readers = Executors.newFixedThreadPool(READERS);
    try {
      // They come to its sockets while it stands, and it answers when it goes on.
      List<CompletableFuture<Boolean>> reads = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        reads.add(CompletableFuture.supplyAsync(() -> finds(leader, block), readers));
      }
      TimeUnit.SECONDS.sleep(10);
      leader.resume();

      for (CompletableFuture<Boolean> read : reads) {
        assertThat(read.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isFalse();
      }
    } finally {
      readers.shutdownNow();
    }
  }

  @Test
  void anotherLeadsWhenTheLeadersDiskStandsStillForEver() throws Exception {
    assumeThat(members).as("disks of their own").allMatch(ChaosMember::hasDisk);
    ChaosMember leader = leader();
    ChaosMember other = anyBut(leader);

    leader.freeze();
    long since = System.nanoTime();
    // What is written while it leads is still done by the two others, which shows its disk's state.
    until("a put without it", () -> puts(other, next()) && isLed(other, leader));
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);

    // The longest election timeout until it makes room, and two for the others to elect.
    System.out.printf("  %d ms until another leader served%n", millis);
    assertThat(millis).isLessThan(30_000);
    leader.thaw();
    until("it to follow", () -> leaderOf(leader).equals(leaderOf(other)));
  }

  @Test
  void anotherLeadsWhenTheLeadersEntriesReachNobody() throws Exception {
    ChaosMember leader = leader();
    List<ChaosMember> others = members.stream().filter(m -> m != leader).toList();

    for (ChaosMember member : others) {
      member
          .proxy()
          .cut(
              sender ->
                  sender.address().equals(leader.address())
                      && sender.purpose() == PeerProxy.LOG_LANE);
    }
    // Its heartbeats go on; nothing is healed before another serves.
    until("a put without it", () -> puts(others.get(0), next()) && isLed(others.get(0), leader));

    for (ChaosMember member : others) {
      member.proxy().heal(false);
    }
    Block last = next();
    until("a put through it", () -> puts(leader, last));
  }

  private Block next() {
    return TestBlocks.numbered(++blocks, 500);
  }

  private static HttpBlockStore store(ChaosMember member, Duration timeout) {
    return new HttpBlockStore(URI.create(member.process().url()), Optional.empty(), timeout);
  }

  private static boolean puts(ChaosMember member, Block block) {
    try {
      store(member, SHORT).put(block);
      return true;
    } catch (BlockException | UncheckedIOException e) {
      return false;
    }
  }

  private static boolean deletes(ChaosMember member, Block block) {
    try {
      store(member, SHORT).delete(block.cid());
      return true;
    } catch (BlockException | UncheckedIOException e) {
      return false;
    }
  }

  /** Whether it is there, according to the first linearizable read that is answered. */
  private static boolean finds(ChaosMember member, Block block) {
    while (true) {
      try {
        return store(member, LONG).get(block.cid()).isPresent();
      } catch (BlockException | UncheckedIOException e) {
        // It does not know who leads by now, and says so: it is asked again.
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
      }
    }
  }

  private ChaosMember leader() throws Exception {
    until("a leader", () -> members.stream().anyMatch(FaultTimesIT::leads));
    return members.stream().filter(FaultTimesIT::leads).findFirst().orElseThrow();
  }

  private ChaosMember anyBut(ChaosMember one) {
    return members.stream().filter(member -> member != one).findFirst().orElseThrow();
  }

  private static boolean leads(ChaosMember member) {
    return member.process().status().filter(s -> "leader".equals(s.getString("role"))).isPresent();
  }

  /** Where the leader is reached, as far as a member knows. */
  private static Optional<String> leaderOf(ChaosMember member) {
    return member.process().status().map((JsonObject status) -> status.getString("leaderAddress"));
  }

  /** Whether a member knows another leader than one. */
  private static boolean isLed(ChaosMember member, ChaosMember byOtherThan) {
    return leaderOf(member).filter(address -> !address.equals(byOtherThan.address())).isPresent();
  }

  private static void until(String what, BooleanSupplier condition) throws InterruptedException {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited in vain for %s", what).isLessThan(until);
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }
}
