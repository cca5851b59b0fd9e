package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.server.client.DirectoryTree;
import dev.ashlar.server.client.HttpBlockStore;
import dev.ashlar.server.client.NodeProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Nodes with little memory under more than fits into it: each stays within a bound on its anonymous
 * memory, and none runs out. A wall-clock experiment as {@link ClusterProcessesIT} is; Linux only.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class MemoryBoundsIT extends ProcessExperiment {

  private static final long ANONYMOUS_BYTES_MAX = 400L << 20;
  private static final int LARGE = 2 << 20;
  private static final int CLIENTS = 64;
  private static final int LARGE_BLOCKS = 640;
  private static final int ANSWER_MILLIS_MAX = 30_000;

  private final AtomicLong mostAnonymousBytes = new AtomicLong();
  private final Thread watcher = new Thread(this::watch, "memory");

  MemoryBoundsIT() {
    super(Duration.ofMinutes(4), "-Xmx96m", "-XX:MaxDirectMemorySize=128m");
  }

  @BeforeEach
  void startWatching() {
    assumeThat(Path.of("/proc/self/status")).exists();
    watcher.start();
  }

  @AfterEach
  void requireBounds() throws Exception {
    watcher.interrupt();
    watcher.join();
    for (NodeProcess node : nodes) {
      if (Files.exists(node.log())) {
        assertThat(Files.readString(node.log())).doesNotContain("OutOfMemoryError");
      }
    }
    assertThat(mostAnonymousBytes.get()).isBetween(1L, ANONYMOUS_BYTES_MAX);
    System.out.printf(
        "  at most %d MiB of anonymous memory a node%n", mostAnonymousBytes.get() >> 20);
  }

  @Test
  void sixtyFourClientsPutLargeBlocks() throws Exception {
    nodes.get(0).start(List.of());
    until("it to serve", () -> answers(0));
    Set<Cid> stored = new ConcurrentSkipListSet<>(Comparator.comparing(Cid::toString));
    Set<Cid> refused = new ConcurrentSkipListSet<>(Comparator.comparing(Cid::toString));
    HttpBlockStore store = store(0);

    inParallel(
        client -> {
          for (int i = client; i < LARGE_BLOCKS; i += CLIENTS) {
            Block block = TestBlocks.numbered(i, LARGE);
            try {
              store.put(block);
              stored.add(block.cid());
            } catch (StoreUnavailableException e) {
              refused.add(block.cid());
            }
          }
        });

    assertThat(stored.size() + refused.size()).isEqualTo(LARGE_BLOCKS);
    assertThat(stored).hasSizeGreaterThan(LARGE_BLOCKS / 2);
    for (Cid cid : stored) {
      assertThat(store.get(cid)).as("%s", cid).isPresent();
    }
    assertThat(refused).allSatisfy(cid -> assertThat(store.get(cid)).isEmpty());
  }

  @Test
  void whatFindsNoRoomIsRefusedAndWasNotDone() throws Exception {
    int places = 4;
    nodes.get(0).start(List.of("--in-flight-bytes=" + places * LARGE, "--body-rate=0"));
    until("it to serve", () -> answers(0));
    List<Upload> held = new ArrayList<>();
    for (int i = 0; i < places; i++) {
      held.add(new Upload(TestBlocks.numbered(i, LARGE)));
    }
    // They have room by now: one that comes after them has none.
    until("all room to be taken", () -> refuses(TestBlocks.numbered(places, LARGE)));

    List<Upload> more = new ArrayList<>();
    for (int i = 1; i <= CLIENTS; i++) {
      more.add(new Upload(TestBlocks.numbered(places + i, LARGE)));
    }
    for (Upload each : more) {
      assertThat(each.answer())
          .anyMatch(line -> line.startsWith("HTTP/1.1 503 "))
          .anyMatch(line -> line.matches("(?i)retry-after: [1-9][0-9]*"));
      each.close();
    }
    for (Upload each : held) {
      each.close();
    }

    Block last = TestBlocks.numbered(CLIENTS + places + 1, LARGE);
    until("room", () -> isPut(last));
    assertThat(store(0).get(last.cid())).contains(last);
    assertThat(store(0).list(BlockCursor.START, 1000).entries())
        .noneMatch(
            entry -> more.stream().anyMatch(upload -> upload.block.cid().equals(entry.cid())));
  }

  @Test
  void aFollowerFarBehindCatchesUpAndAManifestIsInstalled() throws Exception {
    // Enough for the first part, which goes by the log, and not for the second.
    startThree("--log-bytes=" + (1L << 30), "--log-entries=100000", "--compact-seconds=3600");
    NodeProcess behind = nodes.get(2);
    long before = status(2).getLong("lastIndex");
    behind.kill();
    putAll(20_000, 16 << 10);
    putAll(200, LARGE);
    assertThat(leader().status().orElseThrow().getLong("baseIndex")).isLessThanOrEqualTo(before);
    behind.start();
    requireEverythingOnEveryNode(3);

    behind.kill();
    putAll(180_000, 100);
    until("a log that begins later", () -> status(0).getLong("baseIndex") > 50_000);
    DirectoryTree.delete(behind.data());
    behind.start(List.of("--peer-listen=" + peer(2), "--join=" + peer(0) + "," + peer(1)));
    until("the new member in the place of the old one", () -> members(0).size() == 3 && isVoter(2));
    requireEverythingOnEveryNode(3);
    assertThat(acknowledged).hasSize(200_200);
  }

  /** Through any member that takes them, in requests of many. */
  private void putAll(int count, int size) throws Exception {
    int first = acknowledged.size();
    int inOne = Math.max(1, Math.min(1000, (8 << 20) / size));
    for (int done = 0; done < count; done += inOne) {
      List<Block> blocks =
          TestBlocks.many(first + (long) done, Math.min(inOne, count - done), size);
      until("so many to be stored: " + done, () -> arePut(blocks));
      blocks.forEach(block -> acknowledged.add(block.cid()));
    }
  }

  private boolean arePut(List<Block> blocks) {
    try {
      new HttpBlockStore(URI.create(leader().url()), Optional.empty()).putAll(blocks);
      return true;
    } catch (BlockException | UncheckedIOException e) {
      return false;
    }
  }

  private boolean isPut(Block block) {
    try {
      store(0).put(block);
      return true;
    } catch (StoreUnavailableException e) {
      return false;
    }
  }

  private boolean refuses(Block block) {
    try (Upload upload = new Upload(block)) {
      return upload.answer().stream().anyMatch(line -> line.startsWith("HTTP/1.1 503 "));
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean answers(int node) {
    try {
      store(node).list(BlockCursor.START, 1);
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private interface Client {
    void run(int number) throws Exception;
  }

  private static void inParallel(Client client) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int number : IntStream.range(0, CLIENTS).toArray()) {
        running.add(
            threads.submit(
                () -> {
                  client.run(number);
                  return null;
                }));
      }
      for (Future<?> each : running) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private void watch() {
    try {
      while (true) {
        nodes.forEach(
            node ->
                node.handle()
                    .map(ProcessHandle::pid)
                    .ifPresent(
                        pid ->
                            mostAnonymousBytes.accumulateAndGet(anonymousBytes(pid), Math::max)));
        TimeUnit.MILLISECONDS.sleep(50);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The field {@code RssAnon} of proc(5); zero of a process that has ended. */
  private static long anonymousBytes(long pid) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
      return lines
          .filter(line -> line.startsWith("RssAnon:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(0);
    } catch (IOException | UncheckedIOException e) {
      return 0;
    }
  }

  /** A put that announces its body, and sends only a part of it. */
  private final class Upload implements AutoCloseable {

    private final Block block;
    private final Socket socket;

    Upload(Block block) throws IOException {
      this.block = block;
      URI url = URI.create(nodes.get(0).url());
      socket = new Socket(InetAddress.getLoopbackAddress(), url.getPort());
      socket.setSoTimeout(ANSWER_MILLIS_MAX);
      String head =
          "POST /blocks HTTP/1.1\r\nHost: %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"
              .formatted(url.getAuthority(), block.size());
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      byte[] part = new byte[10_000];
      block.bytes().get(part);
      socket.getOutputStream().write(part);
    }

    /** The head of the answer. */
    List<String> answer() throws IOException {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      List<String> lines = new ArrayList<>();
      String line = in.readLine();
      while (line != null && !line.isEmpty()) {
        lines.add(line);
        line = in.readLine();
      }
      return lines;
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
