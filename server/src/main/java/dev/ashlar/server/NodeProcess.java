package dev.ashlar.server;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A node in a process of its own on this machine, so that killing it is the real thing. */
final class NodeProcess {

  private final String name;
  private final int httpPort;
  private final Path directory;
  private final List<String> java;
  private List<String> options;
  private @Nullable Process process;

  /**
   * @param name of its data directory and its log
   * @param httpPort where it serves HTTP
   * @param directory what both lie in
   * @param java what to give to {@code java} before the arguments of the command
   * @param options further options of {@code serve}
   */
  NodeProcess(String name, int httpPort, Path directory, List<String> java, List<String> options) {
    this.name = name;
    this.httpPort = httpPort;
    this.directory = directory;
    this.java = List.copyOf(java);
    this.options = List.copyOf(options);
  }

  /** Runs the command that this program is. */
  static List<String> thisProgram() {
    return List.of("-cp", System.getProperty("java.class.path"), Main.class.getName());
  }

  /** Ports that were free a moment ago; all are held at once, so that they differ. */
  static List<Integer> freePorts(int howMany) throws IOException {
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

  String name() {
    return name;
  }

  String url() {
    return "http://127.0.0.1:" + httpPort;
  }

  /** Where its blocks are. */
  Path data() {
    return directory.resolve(name);
  }

  /** Where it writes its log. */
  Path log() {
    return directory.resolve(name + ".log");
  }

  boolean isUp() {
    return process != null && process.isAlive();
  }

  /** Starts it with other options from now on. */
  void start(List<String> newOptions) throws IOException {
    options = List.copyOf(newOptions);
    start();
  }

  void start() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+UseSerialGC");
    command.add("-Xmx256m");
    command.addAll(java);
    command.add("serve");
    command.add("--data=" + data());
    command.add("--listen=127.0.0.1:" + httpPort);
    command.addAll(options);
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
            .start();
    process.getOutputStream().close();
  }

  /** As {@code kill -9} does. */
  void kill() {
    if (process != null) {
      process.destroyForcibly().onExit().join();
    }
  }

  /** As {@code kill} does; waits for the end and gives the exit status. */
  int terminate() {
    if (process == null) {
      return 0;
    }
    process.destroy();
    return process.onExit().join().exitValue();
  }

  /** As the node sees its cluster, empty while it does not answer. */
  Optional<JsonObject> status() {
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
