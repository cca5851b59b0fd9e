package dev.ashlar.server.chaos;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.Cid;
import dev.ashlar.server.client.DirectoryTree;
import dev.ashlar.server.client.HttpBlockStore;
import dev.ashlar.server.client.NodeProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Tries a cluster under faults, and says whether it kept what it promises. */
@Command(
    name = "chaos",
    description = {
      "Run a cluster of real processes on this machine under faults and a checked workload.",
      "At the end the history of every block must be linearizable, every acknowledged block must be"
          + " read from every node, and every directory must verify. Ends with status 0 when all"
          + " is so; otherwise the directory with logs and data is kept.",
      "A full or hung disk and cut power need a file system for each node, and so the right to mount one;"
          + " where it is lacking they are left out, which the output says. Failing calls and stepping"
          + " clocks need a C compiler, and are left out where there is none."
    })
public final class ChaosCommand implements Callable<Integer> {

  private static final Set<Fault> DISK_FAULTS = EnumSet.of(Fault.FULL, Fault.HANG, Fault.POWER);
  private static final Set<Fault> SHIM_FAULTS = EnumSet.of(Fault.CALL, Fault.CLOCK);
  private static final int LAST_WORDS = 25;
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(6);

  @Option(
      names = "--seconds",
      paramLabel = "SECONDS",
      defaultValue = "120",
      description = "for how long faults are made (default: ${DEFAULT-VALUE})")
  private int seconds = 120;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      defaultValue = "3",
      description = "how many members, 3 to 9 (default: ${DEFAULT-VALUE})")
  private int count = 3;

  @Option(
      names = "--clients",
      paramLabel = "N",
      defaultValue = "6",
      description = "how many clients at once (default: ${DEFAULT-VALUE})")
  private int clients = 6;

  @Option(
      names = "--faults",
      paramLabel = "FAULT",
      split = ",",
      description = "which ones, of ${COMPLETION-CANDIDATES} (default: all)")
  private List<Fault> faults = List.of(Fault.values());

  @Option(
      names = "--at-least",
      paramLabel = "N",
      defaultValue = "1",
      description = "how many faults, past the time if need be (default: ${DEFAULT-VALUE})")
  private int atLeast = 1;

  @Option(
      names = "--seed",
      paramLabel = "SEED",
      description = "of the choice of faults and operations (default: any)")
  private @Nullable Long seed;

  @Option(
      names = "--disk-mib",
      paramLabel = "MIB",
      defaultValue = "512",
      description = "the size of each member's disk (default: ${DEFAULT-VALUE})")
  private int diskMib = 512;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "where to keep data and logs (default: a temporary directory)")
  private @Nullable Path directory;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  private final long beganNanos = System.nanoTime();
  private final List<ChaosMember> members = new ArrayList<>();

  @Override
  public Integer call() throws Exception {
    if (count < 3 || count > 9) {
      throw new IllegalArgumentException("3 to 9 nodes, not " + count);
    }
    Path home = directory == null ? Files.createTempDirectory("ashlar-chaos") : directory;
    Files.createDirectories(home);
    try (Stream<Path> files = Files.list(home)) {
      if (files.findAny().isPresent()) {
        throw new IllegalArgumentException(home + " is not empty");
      }
    }
    long chosen = seed == null ? ThreadLocalRandom.current().nextLong(1_000_000_000L) : seed;
    say("seed " + chosen + ", " + count + " nodes, in " + home);
    Thread stop = new Thread(this::closeQuietly, "ashlar-chaos-stop");
    Runtime.getRuntime().addShutdownHook(stop);
    List<String> findings = new ArrayList<>();
    try {
      run(home, chosen, findings);
    } catch (IOException | RuntimeException e) {
      findings.add(String.valueOf(e.getMessage()));
    }
    for (ChaosMember member : members) {
      member.close();
    }
    Runtime.getRuntime().removeShutdownHook(stop);
    if (findings.isEmpty()) {
      if (directory == null) {
        DirectoryTree.delete(home);
      }
      say("every promise was kept");
      return 0;
    }
    sayLastWords();
    findings.forEach(finding -> say("FOUND " + finding));
    say("data and logs are kept in " + home);
    return 1;
  }

  private void run(Path home, long chosen, List<String> findings)
      throws IOException, InterruptedException {
    startMembers(home);
    Set<Fault> wanted = EnumSet.copyOf(faults);
    boolean hasDisks = members.stream().allMatch(ChaosMember::hasDisk);
    if (!hasDisks && wanted.removeAll(DISK_FAULTS)) {
      say("no file system can be mounted here: full and hung disks and cut power are left out");
    }
    if (!ChaosMember.canCutPower() && wanted.remove(Fault.POWER)) {
      say("there is no perl here to ask the file system to shut down: cut power is left out");
    }
    boolean hasShim = members.stream().allMatch(member -> member.shim().isPresent());
    if (!hasShim && wanted.removeAll(SHIM_FAULTS)) {
      say("there is no C compiler here: failing calls and stepping clocks are left out");
    }
    if (wanted.isEmpty()) {
      throw new IllegalArgumentException("none of these faults can be made here: " + faults);
    }
    Nemesis nemesis = new Nemesis(members, wanted, new Random(chosen), this::say);
    nemesis.awaitAllCaughtUp();
    List<HttpBlockStore> stores =
        members.stream()
            .map(
                m ->
                    new HttpBlockStore(
                        URI.create(m.process().url()), Optional.empty(), REQUEST_TIMEOUT))
            .toList();
    Workload workload = new Workload(stores, chosen);
    workload.start(clients);
    nemesis.run(System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds), atLeast);
    workload.stop();
    nemesis.awaitAllCaughtUp();
    say("faults " + nemesis.done());
    say(workload.summary());
    stores.forEach(workload::readAllHot);
    findings.addAll(workload.wrong());
    workload.history().contradiction().ifPresent(findings::add);
    nemesis.awaitScrubbed();
    say("reading every acknowledged block from every node");
    List<Cid> acknowledged = workload.acknowledged();
    for (int i = 0; i < members.size(); i++) {
      requireAll(members.get(i), stores.get(i), acknowledged, findings);
    }
    for (ChaosMember member : members) {
      requireSound(member, findings);
    }
  }

  private void startMembers(Path home) throws IOException {
    List<Integer> ports = NodeProcess.freePorts(3 * count);
    int disk = faults.stream().anyMatch(DISK_FAULTS::contains) ? diskMib : 0;
    List<String> options =
        List.of(
            "--scrub-mib-per-second=50",
            "--scrub-rest-seconds=0",
            "--compact-seconds=2",
            "--log-entries=3000",
            "--stop-seconds=5");
    Optional<Shim> shim =
        faults.stream().anyMatch(SHIM_FAULTS::contains) ? Shim.build(home) : Optional.empty();
    for (int i = 0; i < count; i++) {
      ChaosMember member =
          new ChaosMember(
              home,
              "node-" + (i + 1),
              ports.subList(3 * i, 3 * i + 3),
              NodeProcess.thisProgram(),
              options,
              disk);
      if (shim.isPresent()) {
        Path data = member.process().data();
        member.preload(shim.get().control(data.resolveSibling(data.getFileName() + ".shim"), data));
      }
      members.add(member);
    }
    String initial = members.stream().map(ChaosMember::address).collect(Collectors.joining(","));
    for (ChaosMember member : members) {
      member.found(initial);
    }
  }

  /** A read that is refused for a moment is asked again; one that finds nothing is a finding. */
  private static void requireAll(
      ChaosMember member, HttpBlockStore store, List<Cid> acknowledged, List<String> findings) {
    List<String> missing =
        acknowledged.parallelStream()
            .filter(cid -> isMissing(store, cid))
            .map(Cid::toString)
            .toList();
    if (!missing.isEmpty()) {
      findings.add(
          missing.size()
              + " acknowledged blocks are not on "
              + member.process().name()
              + ", the first is "
              + missing.get(0));
    }
  }

  private static boolean isMissing(HttpBlockStore store, Cid cid) {
    for (int attempt = 0; attempt < 20; attempt++) {
      try {
        Optional<Block> found = store.get(cid);
        return found.isEmpty();
      } catch (BlockException | UncheckedIOException e) {
        try {
          TimeUnit.MILLISECONDS.sleep(500);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          return true;
        }
      }
    }
    return true;
  }

  private void requireSound(ChaosMember member, List<String> findings)
      throws IOException, InterruptedException {
    int status = member.process().terminate();
    if (status != 0) {
      findings.add(member.process().name() + " was stopped and ended with status " + status);
    }
    Path report = member.process().log().resolveSibling(member.process().name() + ".verify");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(NodeProcess.thisProgram());
    command.addAll(List.of("verify", "--data=" + member.process().data()));
    int verified =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(report.toFile())
            .start()
            .waitFor();
    String said = String.join("; ", Files.readAllLines(report));
    say(member.process().name() + ": " + said);
    if (verified != 0) {
      findings.add(member.process().name() + " does not verify: " + said);
    }
  }

  /** What the members wrote last, for where only this output is kept. */
  private void sayLastWords() throws IOException {
    for (ChaosMember member : members) {
      Path log = member.process().log();
      if (Files.exists(log)) {
        List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
        lines
            .subList(Math.max(0, lines.size() - LAST_WORDS), lines.size())
            .forEach(line -> say(member.process().name() + " | " + line));
      }
    }
  }

  private void say(String what) {
    PrintWriter out = spec.commandLine().getOut();
    synchronized (out) {
      out.printf("%8.1f %s%n", (System.nanoTime() - beganNanos) / 1e9, what);
      out.flush();
    }
  }

  private void closeQuietly() {
    for (ChaosMember member : members) {
      try {
        member.close();
      } catch (IOException e) {
        System.err.println("ashlar: " + e.getMessage());
      }
    }
  }
}
