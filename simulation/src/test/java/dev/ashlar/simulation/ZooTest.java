package dev.ashlar.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Every bug of the zoo is caught: by a seed of the simulation, or by a test. A simulator that has
 * never caught a bug proves nothing.
 *
 * <p>{@code -Dashlar.zoo.search=N} looks for the first of N seeds that catches each, and writes it
 * down; {@code -Dashlar.zoo=NAME} takes only the bugs whose name begins so.
 */
class ZooTest {

  private static final Path TOP = Path.of("..").toAbsolutePath().normalize();
  private static final Path ZOO = TOP.resolve("simulation/zoo");
  private static final int SEARCH = Integer.getInteger("ashlar.zoo.search", 0);

  @TempDir private Path work;

  private static List<ZooBug> bugs(String only) throws IOException {
    try (Stream<Path> files = Files.list(ZOO)) {
      List<Path> patches =
          files
              .filter(file -> file.toString().endsWith(".patch"))
              .filter(file -> String.valueOf(file.getFileName()).startsWith(only))
              .sorted()
              .toList();
      List<ZooBug> bugs = new ArrayList<>();
      for (Path patch : patches) {
        bugs.add(ZooBug.read(patch));
      }
      return bugs;
    }
  }

  @TestFactory
  Stream<DynamicTest> everyBugIsCaught() throws IOException {
    return bugs(System.getProperty("ashlar.zoo", "")).stream()
        .map(bug -> DynamicTest.dynamicTest(bug.name(), () -> isCaught(bug)));
  }

  @Test
  void theTableTellsWhatThePatchesTell() throws IOException {
    Path readme = ZOO.resolve("README.md");
    String text = Files.readString(readme);
    String begin = "| bug | what | seen in | caught by |\n|---|---|---|---|\n";
    StringBuilder table = new StringBuilder(begin);
    for (ZooBug bug : bugs("")) {
      table.append(
          "| %s | %s | %s | %s: `%s` |%n"
              .formatted(bug.name(), bug.what(), bug.seenIn(), bug.caughtBy(), bug.as()));
    }
    int from = text.indexOf(begin);
    int to = text.indexOf("\n\n", from);
    String expected = text.substring(0, from) + table.toString().strip() + text.substring(to);

    if (SEARCH > 0) {
      Files.writeString(readme, expected);
    } else {
      assertThat(text).isEqualTo(expected);
    }
  }

  private void isCaught(ZooBug bug) throws Exception {
    Path directory = Files.createDirectories(work.resolve(bug.name()));
    Mutant mutant = Mutant.of(bug, TOP, directory);
    if (!bug.isCaughtBySeed()) {
      List<String> failures = failures(mutant.load(bug.test()));
      if (SEARCH > 0 && !failures.isEmpty() && !failures.contains(bug.as())) {
        bug.record(bug.caughtBy(), failures.get(0));
      } else {
        assertThat(failures).as("failing tests").contains(bug.as());
      }
    } else if (SEARCH > 0) {
      search(bug, mutant);
    } else {
      assertThat(isSound(bug.seed())).as("the seed without the bug").isTrue();
      assertThat(mutant.run(bug.seed()).map(ZooTest::nameOf))
          .as("what seed %s catches", bug.seed())
          .contains(bug.as());
    }
  }

  private static void search(ZooBug bug, Mutant mutant) throws Exception {
    for (long seed = 1; seed <= SEARCH; seed++) {
      Optional<Throwable> caught = mutant.run(seed);
      if (caught.isPresent() && isSound(seed)) {
        System.out.println(bug.name() + ": seed " + seed + ", " + caught.get());
        bug.record("seed " + seed, nameOf(caught.get()));
        return;
      }
    }
    fail(bug.name() + " is not caught by " + SEARCH + " seeds");
  }

  private static boolean isSound(long seed) {
    try {
      return new Simulation(seed, line -> {}).run().operations() > 0;
    } catch (RuntimeException | AssertionError e) {
      return false;
    }
  }

  /** The invariant that did not hold, or the error that ended the run. */
  private static String nameOf(Throwable caught) {
    String message = Optional.ofNullable(caught.getMessage()).orElse("");
    String kind = caught.getClass().getSimpleName();
    return kind.equals("Violation") ? message.substring(0, message.indexOf(':')) : kind;
  }

  private static List<String> failures(Class<?> tests) {
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request().selectors(selectClass(tests)).build(),
            listener);
    // Were it the mutant's surroundings that fail, nothing would pass.
    assertThat(listener.getSummary().getTestsSucceededCount()).as("tests that pass").isPositive();
    return listener.getSummary().getFailures().stream()
        .map(TestExecutionSummary.Failure::getTestIdentifier)
        .map(test -> test.getDisplayName().replace("\"", ""))
        .toList();
  }
}
