package dev.ashlar.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Three nodes in processes of their own, everything synced: puts and gets through the leader, bytes
 * on disk and wire for each byte of payload, and how long nothing is written after the leader is
 * killed.
 */
final class ClusterLoad {

  private static final int NODES = 3;
  private static final int KILLS = 20;
  private static final int[] CONCURRENCY = {1, 16, 64};
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Path directory;
  private final Path jar;
  private final List<Integer> ports = new ArrayList<>();
  private final List<Process> processes = new ArrayList<>();
  private final HttpClient client =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();

  private ClusterLoad(Path directory, Path jar) {
    this.directory = directory;
    this.jar = jar;
  }

  static void run(Path directory) throws Exception {
    ClusterLoad load = new ClusterLoad(directory, Path.of("../server/target/ashlar.jar"));
    load.freePorts();
    for (int i = 0; i < NODES; i++) {
      load.processes.add(load.start(i));
    }
    try {
      for (int size : new int[] {1 << 10, 64 << 10, 256 << 10, 1 << 20}) {
        load.puts(size);
        load.gets(size);
      }
      load.kills();
    } finally {
      for (Process process : load.processes) {
        process.destroyForcibly().waitFor();
      }
    }
  }

  private void freePorts() throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    for (int i = 0; i < 2 * NODES; i++) {
      sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
    }
    for (ServerSocket socket : sockets) {
      ports.add(socket.getLocalPort());
      socket.close();
    }
  }

  private Process start(int node) throws IOException {
    String initial =
        ports.subList(NODES, 2 * NODES).stream()
            .map(port -> "127.0.0.1:" + port)
            .collect(Collectors.joining(","));
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-Xmx1g",
            "-jar",
            jar.toString(),
            "serve",
            "--data=" + directory.resolve("node-" + node),
            "--listen=127.0.0.1:" + ports.get(node),
            "--peer-listen=127.0.0.1:" + ports.get(NODES + node),
            "--initial-cluster=" + initial)
        .redirectErrorStream(true)
        .redirectOutput(
            ProcessBuilder.Redirect.appendTo(directory.resolve("node-" + node + ".log").toFile()))
        .start();
  }

  private void puts(int size) throws Exception {
    byte[] body = new byte[size];
    new Random(size).nextBytes(body);
    AtomicLong number = new AtomicLong(System.nanoTime());
    for (int concurrency : CONCURRENCY) {
      int port = ports.get(leader());
      long first = number.get();
      long sectors = sectorsWritten();
      long wire = loopbackBytes();
      double rate = LoadClient.load(port, concurrency, LoadClient.puts(number, body));
      double payload = (double) (number.get() - first) * size;
      System.out.printf(
          "put %4dK c%-2d %8.0f/s %7.1f MB/s   disk bytes per byte %5.1f   on the wire %4.1f%n",
          size >> 10,
          concurrency,
          rate,
          rate * size / 1e6,
          512.0 * (sectorsWritten() - sectors) / payload,
          (loopbackBytes() - wire) / payload);
    }
  }

  private void gets(int size) throws Exception {
    byte[] body = new byte[size];
    new Random(size + 1).nextBytes(body);
    List<String> cids = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      body[0] = (byte) i;
      HttpResponse<String> put =
          client.send(
              HttpRequest.newBuilder(URI.create(url(leader()) + "/blocks"))
                  .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      cids.add(put.headers().firstValue("Location").orElseThrow().substring("/blocks/".length()));
    }
    for (int concurrency : CONCURRENCY) {
      int port = ports.get(leader());
      double linearizable = LoadClient.load(port, concurrency, get(cids, "linearizable"));
      double local = LoadClient.load(port, concurrency, get(cids, "local"));
      System.out.printf(
          "get %4dK c%-2d linearizable %8.0f/s   local %8.0f/s%n",
          size >> 10, concurrency, linearizable, local);
    }
  }

  private static LongFunction<byte[]> get(List<String> cids, String consistency) {
    return i ->
        ("GET /blocks/"
                + cids.get((int) (i % cids.size()))
                + "?consistency="
                + consistency
                + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .getBytes(StandardCharsets.US_ASCII);
  }

  /** How long no put is acknowledged by anybody, by clients that go on to the next node. */
  private void kills() throws Exception {
    List<Long> gaps = new ArrayList<>();
    for (int kill = 0; kill < KILLS; kill++) {
      int leader = leader();
      AtomicLong last = new AtomicLong(System.nanoTime());
      AtomicLong longest = new AtomicLong();
      AtomicBoolean stop = new AtomicBoolean();
      int offset = kill;
      Thread writer = new Thread(() -> write(offset, last, longest, stop), "writer");
      writer.start();
      Thread.sleep(1_000);
      longest.set(0);
      processes.get(leader).destroyForcibly().waitFor();
      long killed = System.nanoTime();
      while (last.get() < killed && System.nanoTime() - killed < PATIENCE.toNanos()) {
        Thread.sleep(5);
      }
      Thread.sleep(1_000);
      stop.set(true);
      writer.join();
      gaps.add(longest.get() / 1_000_000);
      processes.set(leader, start(leader));
      await(leader);
    }
    long[] sorted = gaps.stream().mapToLong(Long::longValue).sorted().toArray();
    System.out.printf(
        "without writes after killing the leader, ms: median %d, longest %d, all %s%n",
        sorted[sorted.length / 2], sorted[sorted.length - 1], Arrays.toString(sorted));
  }

  private void write(int offset, AtomicLong last, AtomicLong longest, AtomicBoolean stop) {
    int node = 0;
    for (int i = 0; !stop.get(); i++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), ports.get(node))) {
        socket.setSoTimeout(300);
        OutputStream out = socket.getOutputStream();
        InputStream in = socket.getInputStream();
        while (!stop.get()) {
          byte[] body =
              ("kill " + offset + " block " + i++ + " " + node).getBytes(StandardCharsets.US_ASCII);
          byte[] head =
              ("POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                      + body.length
                      + "\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII);
          out.write(head);
          out.write(body);
          byte[] answer = new byte[4096];
          int read = in.read(answer);
          String text = new String(answer, 0, Math.max(0, read), StandardCharsets.US_ASCII);
          if (!text.startsWith("HTTP/1.1 20")) {
            throw new IOException(text);
          }
          long now = System.nanoTime();
          longest.accumulateAndGet(now - last.getAndSet(now), Math::max);
        }
      } catch (IOException e) {
        node = (node + 1) % NODES;
      }
    }
  }

  private int leader() throws Exception {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < until) {
      for (int i = 0; i < NODES; i++) {
        if (ask(i, "/cluster").contains("\"role\":\"leader\"")) {
          return i;
        }
      }
      Thread.sleep(20);
    }
    throw new IOException("no leader within " + PATIENCE);
  }

  private void await(int node) throws Exception {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!ask(node, "/readyz").contains("\"ready\":true") && System.nanoTime() < until) {
      Thread.sleep(20);
    }
  }

  private String ask(int node, String path) throws InterruptedException {
    try {
      return client
          .send(
              HttpRequest.newBuilder(URI.create(url(node) + path))
                  .timeout(Duration.ofSeconds(2))
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    } catch (IOException e) {
      return "";
    }
  }

  private String url(int node) {
    return "http://127.0.0.1:" + ports.get(node);
  }

  /** Of all whole disks together, as the kernel counts them. */
  private static long sectorsWritten() throws IOException {
    long sectors = 0;
    try (Stream<Path> disks = Files.list(Path.of("/sys/block"))) {
      for (Path disk : disks.toList()) {
        sectors +=
            Long.parseLong(Files.readString(disk.resolve("stat")).strip().split("\\s+", -1)[6]);
      }
    }
    return sectors;
  }

  private static long loopbackBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/net/dev")).stream()
        .map(String::strip)
        .filter(line -> line.startsWith("lo:"))
        .mapToLong(line -> Long.parseLong(line.substring(3).strip().split("\\s+", -1)[0]))
        .sum();
  }
}
