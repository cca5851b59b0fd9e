package dev.ashlar.store.lmdb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Seeds;
import dev.ashlar.block.engine.VerifyReport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a writing process with SIGKILL at random moments, again and again over one directory: every
 * acknowledged block is there, every acknowledged delete held, and nothing is half-written. {@code
 * -Dashlar.kills=N} sets how often.
 */
class CrashTest {

  private static final int KILLS = Integer.getInteger("ashlar.kills", 30);

  private final Set<Long> present = new HashSet<>();
  private final Set<Long> deleted = new HashSet<>();
  private final Set<Long> deleting = new HashSet<>();

  @TempDir Path directory;
  @TempDir Path temporary;

  @Test
  void nothingAcknowledgedIsLostToAKill() throws Exception {
    long seed = Seeds.next();
    Random random = new Random(seed);
    long nextNumber = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Set<Long> before = new HashSet<>(present);

      nextNumber = killWriter(nextNumber, 1 + random.nextInt(400));

      try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
        for (long number : present) {
          if (!before.contains(number)) {
            assertThat(store.get(CrashWriter.block(number).cid()))
                .as("block %d after kill %d, ashlar.seed=%d", number, kill, seed)
                .contains(CrashWriter.block(number));
          }
        }
        for (long number : deleted) {
          assertThat(store.has(CrashWriter.block(number).cid()))
              .as("deleted block %d after kill %d, ashlar.seed=%d", number, kill, seed)
              .isFalse();
        }
      }
    }
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      for (long number : present) {
        assertThat(store.has(CrashWriter.block(number).cid())).as("block %d", number).isTrue();
      }
      VerifyReport report = store.verify(bytes -> {});
      assertThat(report.findings()).isEmpty();
      assertThat(report.damagedCount()).isZero();
      // What was written and not acknowledged may be there, whole: at most one a thread and kill.
      assertThat(report.blocks())
          .isBetween(
              (long) present.size(),
              (long) present.size() + deleting.size() + (long) KILLS * CrashWriter.THREADS);
    }
    assertThat(temporary).as("what the killed processes left behind").isEmptyDirectory();
  }

  private long killWriter(long firstNumber, int acknowledgements) throws IOException {
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                CrashWriter.class.getName(),
                directory.toString(),
                Long.toString(firstNumber))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long highest = firstNumber;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(writer.getInputStream(), StandardCharsets.US_ASCII))) {
      int seen = 0;
      // After the kill, what the pipe still holds was acknowledged too. A last line without its end
      // was cut off, and does not count.
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        long number = Long.parseLong(line.substring(1));
        highest = Math.max(highest, number);
        switch (line.charAt(0)) {
          case '+' -> present.add(number);
          case '?' -> {
            present.remove(number);
            deleting.add(number);
          }
          default -> {
            deleting.remove(number);
            deleted.add(number);
          }
        }
        if (++seen == acknowledgements) {
          // By its handle: the process's own method would close the pipe that is still to be read.
          writer.toHandle().destroyForcibly();
        }
      }
    } finally {
      writer.destroyForcibly().onExit().join();
    }
    assertThat(writer.exitValue()).as("the writer was killed").isEqualTo(128 + 9);
    // Numbers that may be written and not acknowledged are never used again.
    return highest + 1 + 2L * CrashWriter.THREADS;
  }
}
