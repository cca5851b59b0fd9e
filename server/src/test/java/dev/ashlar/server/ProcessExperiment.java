package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.Cid;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.server.client.HttpBlockStore;
import dev.ashlar.server.client.NodeProcess;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * Up to five nodes in processes of their own, and writers that note what was acknowledged to them.
 * Every process ends with the test.
 */
abstract class ProcessExperiment {

  @TempDir Path directory;
  final List<NodeProcess> nodes = new ArrayList<>();
  final List<Integer> peerPorts = new ArrayList<>();
  final Set<Cid> acknowledged = new ConcurrentSkipListSet<>(Comparator.comparing(Cid::toString));
  private final Duration patience;
  private final List<String> java;
  private final AtomicInteger nextBlock = new AtomicInteger();
  private final AtomicBoolean writing = new AtomicBoolean();
  private final List<Thread> writers = new ArrayList<>();

  /**
   * @param patience how long a condition is waited for
   * @param virtualMachine options of {@code java}
   */
  ProcessExperiment(Duration patience, String... virtualMachine) {
    this.patience = patience;
    java = new ArrayList<>(List.of(virtualMachine));
    java.addAll(List.of("-jar", jar().toString()));
  }

  @BeforeEach
  void prepare() throws IOException {
    List<Integer> ports = NodeProcess.freePorts(10);
    for (int i = 0; i < 5; i++) {
      nodes.add(new NodeProcess("node-" + i, ports.get(i), directory, java, List.of()));
      peerPorts.add(ports.get(5 + i));
    }
  }

  @AfterEach
  void stop() throws Exception {
    stopWriters();
    nodes.forEach(NodeProcess::kill);
  }

  void startThree(String... further) throws Exception {
    String initial = peer(0) + "," + peer(1) + "," + peer(2);
    for (int i = 0; i < 3; i++) {
      List<String> options = new ArrayList<>(List.of(further));
      options.add("--peer-listen=" + peer(i));
      options.add("--initial-cluster=" + initial);
      nodes.get(i).start(options);
    }
    until("a leader", () -> hasLeader(0) && hasLeader(1) && hasLeader(2));
  }

  /** Each asks any of the first three nodes, and goes to another when it is told no. */
  void startWriters(int count) {
    writing.set(true);
    for (int w = 0; w < count; w++) {
      int first = w;
      Thread writer = new Thread(() -> write(first), "writer-" + w);
      writer.start();
      writers.add(writer);
    }
  }

  private void write(int first) {
    int node = first;
    while (writing.get()) {
      Block block = nextBlock();
      try {
        store(node % 3).put(block);
        acknowledged.add(block.cid());
      } catch (BlockException | UncheckedIOException e) {
        node++;
      }
    }
  }

  void stopWriters() throws InterruptedException {
    writing.set(false);
    for (Thread writer : writers) {
      writer.join();
    }
    writers.clear();
  }

  /** Every node, asked for what it has itself, lists every block that was acknowledged. */
  void requireEverythingOnEveryNode(int count) throws Exception {
    stopWriters();
    for (int i = 0; i < count; i++) {
      int node = i;
      until("a leader that node " + i + " knows", () -> hasLeader(node));
      until("everything on node " + i, () -> missing(node).isEmpty());
    }
  }

  Set<String> missing(int node) {
    Set<String> missing =
        acknowledged.stream().map(Cid::toString).collect(Collectors.toCollection(TreeSet::new));
    try {
      Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
      while (cursor.isPresent()) {
        BlockPage page = store(node).list(cursor.get(), 1000);
        page.entries().forEach(entry -> missing.remove(entry.cid().toString()));
        cursor = page.next();
      }
    } catch (BlockException | UncheckedIOException e) {
      return Set.of("nothing was listed: " + e.getMessage());
    }
    return missing;
  }

  Block nextBlock() {
    int number = nextBlock.incrementAndGet();
    return TestBlocks.numbered(number, 200 + number % 2000);
  }

  BooleanSupplier atLeast(int count) {
    return () -> acknowledged.size() >= count;
  }

  HttpBlockStore store(int node) {
    return new HttpBlockStore(URI.create(nodes.get(node).url()), Optional.empty());
  }

  JsonObject status(int node) {
    return nodes.get(node).status().orElse(new JsonObject().put("members", new JsonArray()));
  }

  boolean hasLeader(int node) {
    return status(node).getString("leader") != null;
  }

  List<JsonObject> members(int node) {
    JsonArray members = status(node).getJsonArray("members");
    return IntStream.range(0, members.size()).mapToObj(members::getJsonObject).toList();
  }

  long voters(int node) {
    boolean changing = status(node).getBoolean("changing", true);
    return changing
        ? 0
        : members(node).stream().filter(m -> "voter".equals(m.getString("kind"))).count();
  }

  boolean isVoter(int node) {
    String self = status(node).getString("self", "");
    return members(0).stream()
        .anyMatch(m -> m.getString("id").equals(self) && "voter".equals(m.getString("kind")));
  }

  NodeProcess leader() {
    Optional<NodeProcess> leader = Optional.empty();
    long until = System.nanoTime() + patience.toNanos();
    while (leader.isEmpty() && System.nanoTime() < until) {
      leader = leaderAmong(node -> true);
    }
    return leader.orElseThrow();
  }

  Optional<NodeProcess> leaderAmong(Predicate<NodeProcess> which) {
    return nodes.stream()
        .filter(which)
        .filter(node -> node.status().filter(s -> "leader".equals(s.getString("role"))).isPresent())
        .findFirst();
  }

  String peer(int node) {
    return "127.0.0.1:" + peerPorts.get(node);
  }

  void until(String what, BooleanSupplier condition) throws Exception {
    long until = System.nanoTime() + patience.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > until) {
        StringBuilder logs = new StringBuilder();
        for (NodeProcess node : nodes) {
          if (Files.exists(node.log())) {
            List<String> lines = Files.readAllLines(node.log());
            logs.append("\n").append(node.name()).append(' ').append(node.status()).append('\n');
            lines
                .subList(Math.max(0, lines.size() - 15), lines.size())
                .forEach(line -> logs.append("  ").append(line).append('\n'));
          }
        }
        throw new AssertionError("waited in vain for " + what + logs);
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  private static Path jar() {
    Path jar = Path.of("target", "ashlar.jar").toAbsolutePath();
    assertThat(jar).as("the packaged server").exists();
    return jar;
  }
}
