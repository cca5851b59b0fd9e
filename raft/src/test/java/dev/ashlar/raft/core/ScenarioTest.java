package dev.ashlar.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Stories of a group of members, told by scripts. What happened is recorded beside each command;
 * {@code -Dashlar.record=true} records it anew, and the difference is to be read before it is kept.
 */
class ScenarioTest {

  private static final Path SCRIPTS = Path.of("src/test/resources/dev/ashlar/raft/core");

  static Stream<Path> scripts() throws IOException {
    try (Stream<Path> files = Files.list(SCRIPTS)) {
      return files.filter(file -> file.toString().endsWith(".txt")).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void whatHappensIsWhatIsRecorded(Path script) throws IOException {
    String recorded = Files.readString(script);

    String played = Scenario.play(recorded);

    if (Boolean.getBoolean("ashlar.record")) {
      Files.writeString(script, played);
    } else {
      assertThat(played).isEqualTo(recorded);
    }
  }
}
