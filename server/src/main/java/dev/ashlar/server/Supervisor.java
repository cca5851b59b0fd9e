package dev.ashlar.server;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Runs a node in a process of its own and starts it again when it ends by itself: after damage, a
 * failed storage, a death in native code. A stop that was asked for is passed on and ends both.
 */
final class Supervisor {

  private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
  private static final Duration PAUSE_MIN = Duration.ofSeconds(1);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(30);
  private static final Duration STEADY = Duration.ofMinutes(10);
  private static final Duration STOP_MARGIN = Duration.ofSeconds(30);

  private final List<String> command;
  private final Duration stopGrace;
  private final AtomicBoolean stopping = new AtomicBoolean();
  private volatile Process child;

  /**
   * @param arguments those that this process was started with
   * @param data where the JVM leaves word of a death in native code
   * @param stopGrace how long the node may take to stop
   */
  Supervisor(List<String> arguments, Path data, Duration stopGrace) throws IOException {
    this.command = command(arguments, data);
    this.stopGrace = stopGrace;
    this.child = start();
  }

  /** Until the node ends as it was asked to, or cannot ever run; gives its exit status. */
  int run() throws IOException, InterruptedException {
    Thread stop = new Thread(this::stop, "ashlar-supervisor-stop");
    Runtime.getRuntime().addShutdownHook(stop);
    Duration pause = PAUSE_MIN;
    while (true) {
      long began = System.nanoTime();
      int status = child.waitFor();
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
      synchronized (this) {
        if (stopping.get()) {
          return status;
        }
        child = start();
      }
    }
  }

  private synchronized void stop() {
    stopping.set(true);
    child.destroy();
    try {
      if (!child.waitFor(stopGrace.plus(STOP_MARGIN).toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.error("the node did not stop in time: it is killed");
        child.destroyForcibly().waitFor();
      }
      Runtime.getRuntime().halt(child.exitValue());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Process start() throws IOException {
    return new ProcessBuilder(command).inheritIO().start();
  }

  /** As this process was started, but without supervision. */
  private static List<String> command(List<String> arguments, Path data) {
    List<String> all = new ArrayList<>();
    all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    all.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    all.add("-XX:ErrorFile=" + data.resolve("hs_err_pid%p.log"));
    all.add("-cp");
    all.add(System.getProperty("java.class.path"));
    all.add(Main.class.getName());
    arguments.stream().filter(argument -> !argument.startsWith("--supervise")).forEach(all::add);
    all.add("--supervise=false");
    return all;
  }
}
