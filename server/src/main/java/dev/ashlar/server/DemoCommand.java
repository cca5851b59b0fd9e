package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.PutResult;
import dev.ashlar.server.client.DirectoryTree;
import dev.ashlar.server.client.HttpBlockStore;
import dev.ashlar.server.client.NodeProcess;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "demo",
    description = {
      "Run a cluster of three nodes on this machine, to kill and revive them.",
      "Commands: kill N, start N, put TEXT, get CID, ls, quit."
    })
final class DemoCommand implements Callable<Integer> {

  private static final int LISTED_MAX = 100;
  private static final String CLEAR = "\u001b[H\u001b[2J";

  @Option(
      names = "--nodes",
      paramLabel = "N",
      defaultValue = "3",
      description = "how many nodes, 1 to 9 (default: ${DEFAULT-VALUE})")
  private int count = 3;

  @Option(
      names = "--plain",
      description = "print the table when it changes instead of drawing it anew")
  private boolean asksPlain;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  private final boolean isTerminal = System.console() != null;
  private final List<NodeProcess> nodes = new ArrayList<>();
  private volatile String lastAnswer = "";
  private String lastTable = "";

  @Override
  public Integer call() throws IOException {
    if (count < 1 || count > 9) {
      throw new IllegalArgumentException("1 to 9 nodes, not " + count);
    }
    Path directory = Files.createTempDirectory("ashlar-demo");
    Thread stop = new Thread(() -> stop(directory), "ashlar-demo-stop");
    Runtime.getRuntime().addShutdownHook(stop);
    prepare(directory);
    for (NodeProcess node : nodes) {
      node.start();
    }
    ScheduledExecutorService screen =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "ashlar-demo-screen");
              thread.setDaemon(true);
              return thread;
            });
    var unused = screen.scheduleWithFixedDelay(this::draw, 0, 1, TimeUnit.SECONDS);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null && !line.equals("quit"); line = in.readLine()) {
      lastAnswer = obey(line.strip());
      if (isPlain()) {
        say(lastAnswer);
      }
      draw();
    }
    screen.shutdownNow();
    return 0;
  }

  private void prepare(Path directory) throws IOException {
    List<Integer> ports = NodeProcess.freePorts(2 * count);
    String initial =
        ports.subList(count, 2 * count).stream()
            .map(port -> "127.0.0.1:" + port)
            .collect(Collectors.joining(","));
    for (int i = 0; i < count; i++) {
      nodes.add(
          new NodeProcess(
              "node-" + (i + 1),
              ports.get(i),
              directory,
              NodeProcess.thisProgram(),
              List.of(
                  "--peer-listen=127.0.0.1:" + ports.get(count + i),
                  "--initial-cluster=" + initial)));
    }
  }

  private String obey(String line) throws IOException {
    String[] words = line.split(" ", 2);
    String rest = words.length > 1 ? words[1].strip() : "";
    try {
      return switch (words[0]) {
        case "" -> "";
        case "kill" -> {
          node(rest).kill();
          yield "node " + rest + " is killed";
        }
        case "start" -> {
          if (!node(rest).isUp()) {
            node(rest).start();
          }
          yield "node " + rest + " is started";
        }
        case "put" -> {
          PutResult result = anyStore().put(Block.copyOf(rest.getBytes(StandardCharsets.UTF_8)));
          yield (result.isNew() ? "stored " : "existed ") + result.cid();
        }
        case "get" -> {
          Optional<Block> block = anyStore().get(Cid.parse(rest));
          yield block
              .map(b -> new String(b.toByteArray(), StandardCharsets.UTF_8))
              .orElse("no such block");
        }
        case "ls" -> listings();
        default -> "commands: kill N, start N, put TEXT, get CID, ls, quit";
      };
    } catch (BlockException | IllegalArgumentException e) {
      return String.valueOf(e.getMessage());
    } catch (UncheckedIOException e) {
      return "no node answers: " + e.getMessage();
    }
  }

  private boolean isPlain() {
    return asksPlain || !isTerminal;
  }

  private NodeProcess node(String number) {
    return nodes.stream()
        .filter(node -> node.name().equals("node-" + number))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("nodes are numbered from 1 to " + count));
  }

  private BlockStore anyStore() {
    NodeProcess up =
        nodes.stream()
            .filter(NodeProcess::isUp)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no node is up"));
    return new HttpBlockStore(URI.create(up.url()), Optional.empty());
  }

  private String listings() {
    StringBuilder out = new StringBuilder();
    for (NodeProcess node : nodes) {
      out.append(node.name())
          .append(':')
          .append(node.isUp() ? listing(node) : " down")
          .append('\n');
    }
    return out.toString().strip();
  }

  private static String listing(NodeProcess node) {
    try {
      return new HttpBlockStore(URI.create(node.url()), Optional.empty())
          .list(BlockCursor.START, LISTED_MAX).entries().stream()
              .map(entry -> " " + entry.cid())
              .collect(Collectors.joining());
    } catch (BlockException | UncheckedIOException e) {
      return " does not answer: " + e.getMessage();
    }
  }

  private synchronized void draw() {
    StringBuilder table = new StringBuilder();
    table.append(
        String.format(
            "%-8s%-26s%-15s%8s%10s%10s%8s%n",
            "node", "url", "role", "term", "commit", "applied", "blocks"));
    for (NodeProcess node : nodes) {
      table.append(row(node)).append('\n');
    }
    if (isPlain()) {
      if (!table.toString().equals(lastTable)) {
        say(table.toString());
      }
    } else {
      say(CLEAR + table + "\n" + lastAnswer + "\nkill N, start N, put TEXT, get CID, ls, quit > ");
    }
    lastTable = table.toString();
  }

  private static String row(NodeProcess node) {
    Optional<JsonObject> status = node.status();
    if (status.isEmpty()) {
      return String.format(
          "%-8s%-26s%-15s", node.name(), node.url(), node.isUp() ? "starting" : "down");
    }
    long blocks = -1;
    try {
      blocks = new HttpBlockStore(URI.create(node.url()), Optional.empty()).statistics().blocks();
    } catch (BlockException | UncheckedIOException e) {
      // It went down between the two questions.
    }
    return String.format(
        "%-8s%-26s%-15s%8d%10d%10d%8s",
        node.name(),
        node.url(),
        status.get().getString("role"),
        status.get().getLong("term"),
        status.get().getLong("commitIndex"),
        status.get().getLong("appliedIndex"),
        blocks < 0 ? "" : Long.toString(blocks));
  }

  private void say(String text) {
    PrintWriter out = spec.commandLine().getOut();
    if (isPlain()) {
      out.println(text);
    } else {
      out.print(text);
    }
    out.flush();
  }

  private void stop(Path directory) {
    nodes.forEach(NodeProcess::kill);
    try {
      DirectoryTree.delete(directory);
    } catch (IOException e) {
      System.err.println("ashlar: " + directory + " could not be removed: " + e.getMessage());
    }
  }
}
