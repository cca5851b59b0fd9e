package dev.ashlar.server.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every single call that a store makes on its storage fails once. Not part of {@code mvn verify},
 * for it needs a C compiler: {@code mvn -pl server surefire:test -Dtest=EveryCallIT}.
 */
class EveryCallIT {

  @TempDir private Path directory;

  @Test
  void noCallThatFailsCostsWhatWasAcknowledged() throws Exception {
    Optional<Shim> shim = Shim.build(directory);
    assumeThat(shim).as("a C compiler").isPresent();
    Path stores = Files.createDirectory(directory.resolve("stores"));
    Path file = directory.resolve("control");
    Shim.Control control = shim.orElseThrow().control(file, stores);
    Path report = directory.resolve("report");
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    FaultyCalls.class.getName(),
                    shim.orElseThrow().library().toString(),
                    file.toString(),
                    stores.toString()))
            .redirectErrorStream(true)
            .redirectOutput(report.toFile());
    builder.environment().putAll(control.environment());

    int status = builder.start().waitFor();

    print(report);
    assertThat(status).isZero();
    assertThat(report).content().contains("EIO at each of", "MARKED");
  }

  private static void print(Path report) throws IOException {
    Files.readAllLines(report).forEach(System.out::println);
  }
}
