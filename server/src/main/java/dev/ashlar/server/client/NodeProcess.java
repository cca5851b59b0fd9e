package dev.ashlar.server.client;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A node in a process of its own on this machine, so that killing it is the real thing. */
public final class NodeProcess {

  private static final String MAIN = "dev.ashlar.server.Main";

  private final String name;
  private final int httpPort;
  private final Path directory;
  private final List<String> java;
  private List<String> options;
  private Map<String, String> environment = Map.of();
  private @Nullable Process process;

  /**
   * @param name of its data directory and its log
   * @param httpPort where it serves HTTP
   * @param directory what both lie in
   * @param java what to give to {@code java} before the arguments of the command
   * @param options further options of {@code serve}
   */
  public NodeProcess(
      String name, int httpPort, Path directory, List<String> java, List<String> options) {
    this.name = name;
    this.httpPort = httpPort;
    this.directory = directory;
    this.java = List.copyOf(java);
    this.options = List.copyOf(options);
  }

  /** Runs the command that this program is. */
  public static List<String> thisProgram() {
    return List.of("-cp", System.getProperty("java.class.path"), MAIN);
  }

  /** Ports that were free a moment ago; all are held at once, so that they differ. */
  public static List<Integer> freePorts(int howMany) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    for (int i = 0; i < howMany; i++) {
      sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
    }
    List<Integer> ports = sockets.stream().map(ServerSocket::getLocalPort).toList();
    for (ServerSocket socket : sockets) {
      socket.close();
    }
    return ports;
  }

  /** What it is called. */
  public String name() {
    return name;
  }

  /** Where it serves HTTP. */
  public String url() {
    return "http://127.0.0.1:" + httpPort;
  }

  /** Where its blocks are. */
  public Path data() {
    return directory.resolve(name);
  }

  /** Where it writes its log. */
  public Path log() {
    return directory.resolve(name + ".log");
  }

  /** Its process, empty before it is started. */
  public Optional<ProcessHandle> handle() {
    return Optional.ofNullable(process).map(Process::toHandle);
  }

  /** Whether its process lives. */
  public boolean isUp() {
    return process != null && process.isAlive();
  }

  /** Variables that it is started with from now on, besides those of this process. */
  public void environment(Map<String, String> variables) {
    environment = Map.copyOf(variables);
  }

  /** Starts it with other options from now on. */
  public void start(List<String> newOptions) throws IOException {
    options = List.copyOf(newOptions);
    start();
  }

  /** Starts it; returns before it serves. */
  public void start() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+UseSerialGC");
    command.add("-Xmx256m");
    command.addAll(java);
    command.add("serve");
    command.add("--data=" + data());
    command.add("--listen=127.0.0.1:" + httpPort);
    command.addAll(options);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    builder.environment().putAll(environment);
    process = builder.start();
    process.getOutputStream().close();
  }

  /** As {@code kill -9} does. */
  public void kill() {
    if (process != null) {
      process.destroyForcibly().onExit().join();
    }
  }

  /** As {@code kill} does; waits for the end and gives the exit status. */
  public int terminate() {
    if (process == null) {
      return 0;
    }
    process.destroy();
    return process.onExit().join().exitValue();
  }

  /** Stops it in the midst of what it does, as {@code kill -STOP} does. */
  public void pause() throws IOException {
    signal("-STOP");
  }

  /** Lets it go on after {@link #pause()}. */
  public void resume() throws IOException {
    signal("-CONT");
  }

  private void signal(String which) throws IOException {
    Process target = process;
    if (target == null || !target.isAlive()) {
      return;
    }
    try {
      int status = new ProcessBuilder("kill", which, Long.toString(target.pid())).start().waitFor();
      if (status != 0 && target.isAlive()) {
        throw new IOException(name + " could not be sent " + which);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** As the node sees its cluster, empty while it does not answer. */
  public Optional<JsonObject> status() {
    if (!isUp()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new ClusterClient(URI.create(url()), Optional.empty()).status());
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }
}
