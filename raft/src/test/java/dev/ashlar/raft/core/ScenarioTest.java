package dev.ashlar.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Stories of a group of members, told by scripts. What happened is recorded beside each command;
 * {@code -Dashlar.record=true} records it anew, and the difference is to be read before it is kept.
 */
class ScenarioTest {

  private static final Path SOURCES = Path.of("src/test/resources/dev/ashlar/raft/core");

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "deposed-leader-reads",
        "disk-stall",
        "figure-7",
        "figure-8",
        "figure-8-e",
        "half-connected",
        "higher-term-lower-log",
        "joint-consensus",
        "joint-leader-lost",
        "late-higher-term",
        "late-votes",
        "leadership-transfer",
        "one-voter",
        "partitioned-member-returns",
        "read-with-one-down"
      })
  void whatHappensIsWhatIsRecorded(String script) throws IOException {
    String file = script + ".txt";
    String recorded = recorded(file);

    String played = Scenario.play(recorded);

    if (Boolean.getBoolean("ashlar.record")) {
      Files.writeString(SOURCES.resolve(file), played);
    } else {
      assertThat(played).isEqualTo(recorded);
    }
  }

  private static String recorded(String file) throws IOException {
    if (Boolean.getBoolean("ashlar.record")) {
      return Files.readString(SOURCES.resolve(file));
    }
    try (InputStream in = ScenarioTest.class.getResourceAsStream(file)) {
      return new String(Objects.requireNonNull(in, file).readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
