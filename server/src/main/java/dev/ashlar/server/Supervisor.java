package dev.ashlar.server;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Runs a node in a process of its own and starts it again when it ends by itself: after damage, a
 * failed storage, a death in native code. A stop that was asked for is passed on and ends both.
 */
final class Supervisor {

  private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);

  /** Set in the node's process. */
  static final String SUPERVISED = "ashlar.supervised";

  private static final Duration PAUSE_MIN = Duration.ofSeconds(1);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(30);
  private static final Duration STEADY = Duration.ofMinutes(10);
  private static final Duration STOP_MARGIN = Duration.ofSeconds(30);

  private final List<String> command;
  private final Duration stopGrace;
  private final AtomicBoolean stopping = new AtomicBoolean();
  private @Nullable Process child;

  /**
   * @param arguments those that this process was started with
   * @param data where the JVM leaves word of a death in native code
   * @param stopGrace how long the node may take to stop
   */
  Supervisor(List<String> arguments, Path data, Duration stopGrace) {
    this.command = command(arguments, data);
    this.stopGrace = stopGrace;
  }

  /** Until the node ends as it was asked to, or cannot ever run; gives its exit status. */
  int run() throws IOException, InterruptedException {
    Thread stop = new Thread(this::stop, "ashlar-supervisor-stop");
    Runtime.getRuntime().addShutdownHook(stop);
    Duration pause = PAUSE_MIN;
    while (true) {
      long began = System.nanoTime();
      Optional<Process> node = start();
      if (node.isEmpty()) {
        return CommandLine.ExitCode.OK;
      }
      int status = node.get().waitFor();
      boolean isOver = stopping.get() || status == 0 || status == CommandLine.ExitCode.USAGE;
      if (isOver) {
        return status;
      }
      if (System.nanoTime() - began > STEADY.toNanos()) {
        pause = PAUSE_MIN;
      }
      LOG.error("the node ended with status {}: it is started again in {}", status, pause);
      TimeUnit.MILLISECONDS.sleep(pause.toMillis());
      pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
    }
  }

  /** Runs as the JVM's shutdown hook, and ends the process with the node's status. */
  private synchronized void stop() {
    stopping.set(true);
    Process node = child;
    if (node == null || !node.isAlive()) {
      return;
    }
    node.destroy();
    try {
      if (!node.waitFor(stopGrace.plus(STOP_MARGIN).toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.error("the node did not stop in time: it is killed");
        node.destroyForcibly().waitFor();
      }
      Runtime.getRuntime().halt(node.exitValue());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Nothing is started once a stop has begun, which may be between two lives of the node. */
  private synchronized Optional<Process> start() throws IOException {
    if (stopping.get()) {
      return Optional.empty();
    }
    Process node = new ProcessBuilder(command).inheritIO().start();
    child = node;
    return Optional.of(node);
  }

  /** As this process was started, but without supervision. */
  private static List<String> command(List<String> arguments, Path data) {
    List<String> all = new ArrayList<>();
    all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    all.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    all.add("-XX:ErrorFile=" + data.resolve("hs_err_pid%p.log"));
    all.add("-D" + SUPERVISED + "=true");
    all.add("-cp");
    all.add(System.getProperty("java.class.path"));
    all.add(Main.class.getName());
    all.addAll(arguments);
    return all;
  }
}
